"""Waiting for datasets and operations: listen, judge, tell."""
