"""Tests of the agent: real disks, the real page cache, and what a cluster is told."""
