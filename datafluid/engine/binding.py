"""What the read path must know of a bound dataset, and nothing more.

The reconciler computes a `Binding` from the Dataset, its runtime and its mounts when the dataset becomes
Bound, and stores it in the registry as JSON. Reads start from it: they need neither the models nor the
reconciler.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Binding", "MountBinding", "SecretOption", "TierBinding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOption:
    """An option whose value is looked up when the under-store is opened, never before."""

    option: str
    secret: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MountBinding:
    """One mount of a dataset.

    Args:
        path: Where it appears below the dataset: ``""`` for the root, else ``"name"`` or ``"a/b"``.
        url: The mount point, sub path of a reference dataset included; never holds credentials.
        origin: Identity of the bytes in the cache, ``<dataset uid>/<mount path>#<digest of the store's address>``; a
            reference dataset has its physical dataset's, so both share one copy.
        prefix: What a reference dataset's sub path adds before the key below ``origin``; ``""`` or ``"a/b"``.
        namespace: Where the secrets of this mount are looked up.
        options: Plain options, in order.
        secrets: Options that come from secrets.
        read_only: The mount's own ``readOnly``.
    """

    path: str
    url: str
    origin: str
    prefix: str = ""
    namespace: str
    options: tuple[tuple[str, str], ...] = ()
    secrets: tuple[SecretOption, ...] = ()
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TierBinding:
    """One directory of the tiered store.

    Args:
        medium: ``MEM``, ``SSD`` or ``HDD``.
        path: An absolute directory; only ``<path>/.datafluid-<id>/`` is ever written.
        quota: Bytes this tier may hold.
        high: Fraction of the quota at which eviction starts.
        low: Fraction of the quota at which eviction stops.
        account: Whose quota it is: the dataset's uid; "" for the default cache, which all datasets share.
    """

    medium: str
    path: str
    quota: int
    high: float = 0.95
    low: float = 0.7
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A bound dataset, resolved.

    Args:
        uid: The dataset's own uid.
        writable: accessModes allow writes.
        refresh: How old a listing may be, in seconds; None: any age (``never``); 0: looked up at every open.
        serve_stale: Keep serving complete cached files while the under-store is away.
    """

    namespace: str
    name: str
    uid: str
    mounts: tuple[MountBinding, ...]
    tiers: tuple[TierBinding, ...]
    writable: bool = False
    refresh: float | None = 60.0
    serve_stale: bool = False

    def to_json(self) -> str:
        """The stored form; `from_json` reads it back to an equal value."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Binding:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        data["mounts"] = tuple(_mount(mount) for mount in data["mounts"])
        data["tiers"] = tuple(TierBinding(**tier) for tier in data["tiers"])
        return cls(**data)


def _mount(data: dict[str, Any]) -> MountBinding:
    data["options"] = tuple((key, value) for key, value in data["options"])
    data["secrets"] = tuple(SecretOption(**secret) for secret in data["secrets"])
    return MountBinding(**data)
