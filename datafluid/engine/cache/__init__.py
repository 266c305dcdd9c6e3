"""The tiered cache: real files, an index of them, and the rules that keep both honest."""
