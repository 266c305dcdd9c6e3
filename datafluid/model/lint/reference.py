"""The rule table as a page: ``python -m datafluid.model.lint.reference > docs/reference/lint.md``."""

from __future__ import annotations

import sys

from datafluid.model.lint.rule import Rule
from datafluid.model.lint.table import RULES

__all__ = ["reference"]

_HEAD = """\
# Lint rules

`datafluid lint FILE…` and `datafluid.lint(…)` check manifests without a plane,
`datafluid lint --cluster` with one. Every finding has one of these
codes, a severity, the path and line it is about, a message, and a hint that says what to write instead.
Codes are stable: none is ever used for something else.

- **error**: it cannot work; `apply` refuses it.
- **warning**: it is accepted and does not do what it seems to.
- **info**: good to know.

*Plane* says whose behaviour a rule is about. What only a cluster does wrong is told on the embedded plane
too, one severity milder, because the same file goes to a cluster one day. What only the embedded plane does
is told there alone.

Rules that begin with DF5, and some others, look at the cluster that the manifests are going to: `Client.lint`,
`Client.apply` and `datafluid lint --cluster` show it to them. What may not be read there is left out. Secrets are
looked for by name; nobody reads their values.

This page is generated from `datafluid.model.lint.RULES` by `python -m datafluid.model.lint.reference`.
"""
_FAMILIES = {
    "0": "Documents, schemas and settings",
    "1": "Datasets",
    "2": "Runtimes",
    "3": "Operations",
    "4": "Pods and workloads",
    "5": "What the cluster has",
}


def reference() -> str:
    """The reference page of all rules, as Markdown."""
    parts = [_HEAD]
    for family, title in _FAMILIES.items():
        rules = [rule for rule in RULES if rule.code[2] == family]
        parts += [
            f"\n## DF{family}xx: {title}\n",
            "| code | severity | what | kinds | plane | from |",
            "|---|---|---|---|---|---|",
        ]
        parts += [_row(rule) for rule in rules]
    return "\n".join(parts) + "\n"


def _row(rule: Rule) -> str:
    kinds = ", ".join(rule.kinds) if len(rule.kinds) <= 4 else _family_of(rule)
    cells = [rule.code, rule.severity, rule.title, kinds or "all", rule.plane or "both", rule.source]
    return f"| {' | '.join(cells)} |"


def _family_of(rule: Rule) -> str:
    runtimes = [kind for kind in rule.kinds if kind.endswith("Runtime")]
    others = [kind for kind in rule.kinds if not kind.endswith("Runtime")]
    return "all of Fluid's" if len(others) > 2 else ", ".join([*others, f"{len(runtimes)} runtimes"])


if __name__ == "__main__":
    sys.stdout.write(reference())
