"""What Spark's pods ask for: cores and memory as Spark writes them, requests as Kubernetes does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["spark_resources"]

_MEMORY = re.compile(r"(\d+)\s*([kmgtp]?)b?", re.IGNORECASE)
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_MIB = 1 << 20
_DEFAULT = "1g"
_LEAST_OVERHEAD, _OVERHEAD = 384 * _MIB, 0.1


def spark_resources(role: Mapping[str, Any]) -> dict[str, Any]:
    """The requests of a driver or executor, overhead included as Spark adds it.

    Args:
        role: ``spec.driver`` or ``spec.executor`` of a SparkApplication.

    Example:
        >>> spark_resources({"cores": 2, "memory": "4g"})
        {'requests': {'cpu': '2', 'memory': '4505Mi'}}
    """
    memory = _bytes(role.get("memory")) or _bytes(_DEFAULT) or 0
    overhead = _bytes(role.get("memoryOverhead"))
    if overhead is None:
        overhead = max(_LEAST_OVERHEAD, int(memory * _OVERHEAD))
    total = -(-(memory + overhead) // _MIB) if role.get("memoryOverhead") else (memory + overhead) // _MIB
    requests: dict[str, Any] = {"cpu": str(role.get("coreRequest") or role.get("cores") or 1), "memory": f"{total}Mi"}
    gpu = role.get("gpu")
    if isinstance(gpu, Mapping) and isinstance(gpu.get("name"), str):
        requests[gpu["name"]] = str(gpu.get("quantity", 1))
    return {"requests": requests}


def _bytes(text: Any) -> int | None:
    """Spark's sizes are binary; a number without a unit is MiB."""
    found = _MEMORY.fullmatch(str(text).strip()) if text is not None else None
    if found is None:
        return None
    return int(found[1]) * (_UNITS[found[2].lower()] if found[2] else _MIB)
