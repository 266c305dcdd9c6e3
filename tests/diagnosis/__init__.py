"""Tests of the diagnosis: a cluster in memory, broken in one way at a time."""
