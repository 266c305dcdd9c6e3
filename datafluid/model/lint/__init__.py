"""What is wrong with manifests, or will go wrong silently: rules over parsed objects, without any plane.

Fluid accepts a great deal that then does nothing, does something else, or stops a controller. Each such trap
is a rule with a stable code; `RULES` is the table of all, and ``docs/reference/lint.md`` its printed form.
"""

from __future__ import annotations

from datafluid.model.lint.finding import Finding, Severity
from datafluid.model.lint.rule import Rule
from datafluid.model.lint.run import lint
from datafluid.model.lint.subject import Plane
from datafluid.model.lint.surroundings import Surroundings
from datafluid.model.lint.table import RULES

__all__ = ["RULES", "Finding", "Plane", "Rule", "Severity", "Surroundings", "lint"]
