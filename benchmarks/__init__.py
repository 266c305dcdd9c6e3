"""Measurements beside the peers, in the same run: ``python -m benchmarks``, or ``python -m benchmarks.<table>``."""
