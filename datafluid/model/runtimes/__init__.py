"""The runtimes: what caches a dataset. One module an engine."""
