"""From a Dataset's mounts to what the read path opens."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datafluid.engine.binding import Binding, MountBinding, SecretOption
from datafluid.model.relations import reference_target
from datafluid.plane.port import Manifest

__all__ = ["Freshness", "bind_mounts", "freshness", "origin_of", "writable"]

_REFRESH = "datafluid.io/refresh"
_OFFLINE = "datafluid.io/offline"
_DURATION = re.compile(r"(\d+)(s|m|h|)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_WRITABLE = ("ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_DEFAULT_REFRESH = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old a listing may be (None: any age), whether stale files are served, and what was not understood."""

    refresh: float | None = _DEFAULT_REFRESH
    serve_stale: bool = False
    problems: tuple[str, ...] = ()


def freshness(dataset: Mapping[str, Any]) -> Freshness:
    """Read the annotations ``datafluid.io/refresh`` and ``datafluid.io/offline``.

    Example:
        >>> freshness({"metadata": {"annotations": {"datafluid.io/refresh": "5m"}}}).refresh
        300.0
    """
    annotations = dataset["metadata"].get("annotations") or {}
    refresh, problems = _refresh(annotations.get(_REFRESH))
    offline = annotations.get(_OFFLINE, "fail")
    if offline not in ("fail", "serve-stale"):
        problems += (f"annotation {_OFFLINE}: {offline!r} is neither fail nor serve-stale; fail is used",)
    return Freshness(refresh=refresh, serve_stale=offline == "serve-stale", problems=problems)


def writable(dataset: Mapping[str, Any]) -> bool:
    """Whether the accessModes allow writes; Fluid's default, ReadOnlyMany, does not."""
    return any(mode in _WRITABLE for mode in dataset["spec"].get("accessModes") or ())


def bind_mounts(dataset: Mapping[str, Any], physical: Mapping[tuple[str, str], Binding]) -> tuple[MountBinding, ...]:
    """Where each mount appears and what it needs to be opened.

    Args:
        physical: The bindings of the datasets that are referred to; each of `physical_refs` must be there.
    """
    mounts = dataset["spec"].get("mounts") or ()
    bound: list[MountBinding] = []
    for mount in mounts:
        target = reference_target(mount["mountPoint"])
        if target is None:
            bound.append(_own(dataset, mount))
            continue
        below = _place(mount) if len(mounts) > 1 else ""
        bound += _referred(physical[target[0], target[1]].mounts, target[2], below, bool(mount.get("readOnly")))
    return tuple(bound)


def origin_of(dataset: Mapping[str, Any], place: str, mounts: Iterable[Mapping[str, Any]]) -> str:
    """Identity of the bytes at a place of a dataset. Another store is another origin: its bytes are never mixed up.

    Args:
        place: Below the dataset, or how it is reached.
        mounts: The mounts whose bytes are there. URLs and endpoints count; credentials and tuning do not.

    Example:
        >>> data = {"metadata": {"uid": "u1"}, "spec": {}}
        >>> old, new = ({"mountPoint": f"s3://bucket/{name}"} for name in ("old", "new"))
        >>> origin_of(data, "train", [old]) == origin_of(data, "train", [new])
        False
    """
    sources = []
    for mount in mounts:
        options = {**(dataset["spec"].get("sharedOptions") or {}), **(mount.get("options") or {})}
        endpoints = sorted((key, str(value)) for key, value in options.items() if "endpoint" in key.lower())
        sources.append((mount["mountPoint"].rstrip("/"), endpoints))
    digest = hashlib.blake2b(json.dumps(sources).encode(), digest_size=6).hexdigest()
    return f"{dataset['metadata']['uid']}/{place}#{digest}"


def _own(dataset: Mapping[str, Any], mount: Mapping[str, Any]) -> MountBinding:
    metadata, spec = dataset["metadata"], dataset["spec"]
    path = _place(mount)
    options = {**(spec.get("sharedOptions") or {}), **(mount.get("options") or {})}
    secrets = {
        each.option: each
        for each in _secrets([*(spec.get("sharedEncryptOptions") or ()), *(mount.get("encryptOptions") or ())])
    }
    return MountBinding(
        path=path,
        url=mount["mountPoint"],
        origin=origin_of(dataset, path, [mount]),
        namespace=metadata["namespace"],
        options=tuple((key, str(value)) for key, value in options.items() if key not in secrets),
        secrets=tuple(secrets.values()),
        read_only=bool(mount.get("readOnly")),
    )


def _place(mount: Mapping[str, Any]) -> str:
    """Below the dataset: ``path``, else ``name``; Fluid's default for ``path`` is ``/<name>``."""
    path = mount.get("path") or mount.get("name") or ""
    return "/".join(part for part in path.split("/") if part)


def _secrets(options: Iterable[Manifest]) -> Iterable[SecretOption]:
    for option in options:
        wanted = (option.get("valueFrom") or {}).get("secretKeyRef") or {}
        yield SecretOption(option=option["name"], secret=wanted.get("name", ""), key=wanted.get("key", ""))


def _referred(mounts: Sequence[MountBinding], sub: str, below: str, read_only: bool) -> Iterable[MountBinding]:
    """The physical dataset's mounts as they look from its directory ``sub``."""
    for mount in mounts:
        inside = _below(sub, mount.path)
        outside = _below(mount.path, sub)
        if inside is not None:  # the reference starts at or inside this mount
            path, prefix = below, _join(mount.prefix, inside)
        elif outside is not None:  # this mount is somewhere below the reference
            path, prefix = _join(below, outside), mount.prefix
        else:
            continue
        yield replace(mount, path=path, prefix=prefix, read_only=mount.read_only or read_only)


def _below(path: str, root: str) -> str | None:
    """What leads from ``root`` to ``path``; None when it is not below."""
    if not root or path == root:
        return path if not root else ""
    return path[len(root) + 1 :] if path.startswith(f"{root}/") else None


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _refresh(text: str | None) -> tuple[float | None, tuple[str, ...]]:
    if text is None:
        return _DEFAULT_REFRESH, ()
    if text == "never":
        return None, ()
    if text == "open":
        return 0.0, ()
    if match := _DURATION.fullmatch(text):
        return float(int(match[1]) * _SECONDS[match[2]]), ()
    return _DEFAULT_REFRESH, (f"annotation {_REFRESH}: {text!r} is not never, open or a duration; 60s is used",)
