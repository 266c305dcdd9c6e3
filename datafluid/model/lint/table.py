"""All rules, in one table."""

from __future__ import annotations

from types import ModuleType

from datafluid.model.lint import (
    around_admission,
    around_changes,
    around_installed,
    around_limits,
    around_objects,
    autoscaling,
    credentials,
    cross,
    dataset,
    document,
    flow,
    injected,
    lifecycle,
    loads,
    migrate,
    mounts,
    operation,
    prefetch,
    processor,
    references,
    runtime,
    schema,
    settings,
    tiers,
    workload,
)
from datafluid.model.lint.rule import Rule

__all__ = ["RULES"]

_MODULES: tuple[ModuleType, ...] = (
    document,
    schema,
    settings,
    dataset,
    mounts,
    references,
    credentials,
    runtime,
    tiers,
    lifecycle,
    operation,
    loads,
    flow,
    migrate,
    processor,
    workload,
    injected,
    prefetch,
    cross,
    around_installed,
    around_objects,
    around_limits,
    around_admission,
    around_changes,
    autoscaling,
)

#: Every rule, by code.
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)),
        key=lambda rule: rule.code,
    )
)
