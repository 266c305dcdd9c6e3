"""The schemas of the models, as rules: what no API server would take."""

from __future__ import annotations

SCHEMA_CODES = frozenset({"DF010"})
