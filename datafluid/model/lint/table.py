"""All rules, in one table."""

from __future__ import annotations

from types import ModuleType

from datafluid.model.lint import (
    around_admission,
    around_installed,
    around_limits,
    around_objects,
    credentials,
    cross,
    dataset,
    document,
    flow,
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
    prefetch,
    cross,
    around_installed,
    around_objects,
    around_limits,
    around_admission,
)

#: Every rule, by code.
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)),
        key=lambda rule: rule.code,
    )
)
