"""Tests of submitting a workload with its datasets."""
