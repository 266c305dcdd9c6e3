"""The embedded plane: registry, reconciler, tiered cache, loader, schedules, on one machine."""
