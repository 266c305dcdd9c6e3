"""Client properties from several runtimes: a client has one value for each key, so the runtimes must agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.workload.draft import Draft

__all__ = ["agreed"]


def agreed(draft: Draft, said: Iterable[Mapping[str, Any]], *, prefix: str) -> dict[str, str]:
    """The properties below a prefix on which all who say them agree; of the others it is told that they are left out.

    Example:
        >>> agreed(Draft({}), [{"fs.a": 1, "fs.b": 1}, {"fs.a": 1, "fs.b": 2}, {"c": 3}], prefix="fs.")
        {'fs.a': '1'}
    """
    values: dict[str, set[str]] = {}
    for each in said:
        for key, value in each.items():
            if str(key).startswith(prefix):
                values.setdefault(str(key), set()).add(str(value))
    for key in sorted(key for key, found in values.items() if len(found) > 1):
        draft.tell("not done", f"{key} differs between the runtimes, and one client has one value; it is left out.")
    return {key: min(found) for key, found in sorted(values.items()) if len(found) == 1}
