"""How volumes are added to a pod whose own volumes may have the same names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.workload.webhook.draft import PodDraft, name_of
from datafluid.workload.webhook.outcome import Denied, Swallowed

__all__ = ["FUSE_CONTAINER", "append_volumes"]

#: What the names of FUSE containers begin with.
FUSE_CONTAINER = "fluid-fuse"
_FALLBACK = "fluid"
_TRIES = 102


def append_volumes(draft: PodDraft, volumes: Iterable[Mapping[str, Any]], *, suffix: str = "") -> dict[str, str]:
    """Append volumes under names that are free.

    Returns:
        The new name of each volume that could not keep its own.

    Raises:
        Swallowed: no name is free.
        Denied: the webhook crashes at the name.
    """
    renamed: dict[str, str] = {}
    for volume in volumes:
        own = name_of(volume)
        taken = {name_of(each) for each in draft.volumes}
        name = own + suffix
        if name in taken:
            name = _free_name(name, taken)
        draft.spec["volumes"] = [*draft.volumes, {**volume, "name": name}]
        if name != own:
            renamed[own] = name
    return renamed


def _free_name(name: str, taken: set[str]) -> str:
    """``fluid-`` over the first characters, then with three more at random: here they count up."""
    candidate = _overwritten(name, _FALLBACK)
    for number in range(_TRIES):
        if candidate not in taken:
            return candidate
        candidate = _overwritten(name, f"{_FALLBACK}-{number:03d}")
    raise Swallowed(f"retry  the volume name {candidate} because duplicate name more than 100 times, then give up")


def _overwritten(name: str, start: str) -> str:
    """A name with another beginning. Of exactly the beginning's length it is one too short for Fluid's slice."""
    if len(name) == len(start):
        raise Denied(f"the webhook crashes while it looks for another name for the volume {name}")
    return start if len(name) < len(start) else f"{start}-{name[len(start) + 1 :]}"
