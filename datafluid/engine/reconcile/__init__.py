"""What should happen next, as pure functions: (what is declared, what was observed, now) -> a decision.

Nothing here touches the clock, the registry, the disk or the network. `datafluid.engine.controller` observes,
asks these functions, commits their decision in one transaction and carries it out.
"""
