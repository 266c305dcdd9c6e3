"""Datasets of a cluster, read from here: the ways that lead to their bytes, behind the cache of this machine."""
