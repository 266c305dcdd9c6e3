"""The datasets of a cluster as volumes of this machine: its own cache first, then the first way that answers."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock

from datafluid.engine.binding import Binding, MountBinding, SecretOption, TierBinding
from datafluid.engine.home import Home
from datafluid.engine.machine import ThisMachine
from datafluid.engine.mounted import Route, Source
from datafluid.engine.reconcile.mounts import freshness
from datafluid.engine.reconcile.tiers import bind_tiers
from datafluid.engine.remote.ways import Dataset, Way, runtimes_of, ways
from datafluid.engine.secrets import resolve_secret
from datafluid.engine.volume import Volume
from datafluid.errors import Forbidden, NotFound, Unavailable
from datafluid.model.ref import Ref
from datafluid.model.relations import physical_refs
from datafluid.plane.port import ControlPlane, Manifest

__all__ = ["RemoteVolumes"]

_LOOK_AGAIN = 60.0  # seconds for which a way that answered is gone without asking the cluster


class RemoteVolumes:
    """Volumes of a plane that has no bytes of its own.

    Args:
        plane: Where the datasets are declared.
        home: The home directory whose cache keeps what was read.
        serve_stale: Keep serving complete cached files while no way answers.
    """

    def __init__(self, plane: ControlPlane, home: Home, *, serve_stale: bool = False) -> None:
        self._plane = plane
        self._home = home
        self._serve_stale = serve_stale
        self._known: dict[tuple[str, str], tuple[Volume, float]] = {}
        self._looking: dict[tuple[int, str, str], Lock] = {}  # by process too: a fork may copy one that is held

    def volume(self, namespace: str, name: str) -> Volume:
        """The bytes of a Bound dataset, by the first way that answers.

        Raises:
            NotFound: there is no such dataset.
            Unavailable: it is not Bound, or no way leads to it; the message says why.
        """
        key = (namespace, name)
        if (fresh := self._fresh(key)) is not None:
            return fresh
        with self._looking.setdefault((os.getpid(), *key), Lock()):
            return self._fresh(key) or self._look_again(key)

    def _fresh(self, key: tuple[str, str]) -> Volume | None:
        volume, until = self._known.get(key, (None, 0.0))
        return volume if time.monotonic() < until else None

    def _look_again(self, key: tuple[str, str]) -> Volume:
        namespace, name = key
        before, _ = self._known.get(key, (None, 0.0))
        try:
            volume = self._opened(Ref("Dataset", name, namespace), before)
        except Unavailable:
            if before is None or not self._serve_stale:
                raise
            volume = before
        self._known[key] = (volume, time.monotonic() + _LOOK_AGAIN)
        if before is not None and before is not volume:
            before.close()
        return volume

    def _opened(self, ref: Ref, before: Volume | None) -> Volume:
        dataset = self._read(ref)
        phase = (dataset.manifest.get("status") or {}).get("phase")
        if phase != "Bound":
            raise Unavailable(
                f"{ref} is {phase or 'not bound yet'}.",
                hint=f"`datafluid describe dataset {ref.name} -n {ref.namespace}` tells why.",
            )
        source, binding = self._way_to(ref, dataset)
        if before is not None and (before.binding, before.source) == (binding, source):
            return before
        return Volume(self._home, binding, source=source)

    def _way_to(self, ref: Ref, dataset: Dataset) -> tuple[Source, Binding]:
        machine = ThisMachine(self._home)
        fresh = freshness(dataset.manifest)
        skipped: list[tuple[Route, str]] = []
        for way in ways(dataset, libhdfs=_has_libhdfs()):
            if way.mounts:
                binding = Binding(
                    namespace=ref.namespace or "",
                    name=ref.name,
                    uid=dataset.manifest["metadata"]["uid"],
                    mounts=tuple(map(self._with_secrets_of_here, way.mounts)),
                    tiers=self._tiers,
                    refresh=fresh.refresh,
                    serve_stale=fresh.serve_stale or self._serve_stale,
                )
                problem = machine.probe(binding).error
                if not problem:
                    return Source(route=way.route, why=way.why, skipped=tuple(skipped)), binding
                way = Way(route=way.route, why=problem)
            skipped.append((way.route, way.why))
        told = "; ".join(f"{route}: {why}" for route, why in skipped)
        raise Unavailable(f"no way leads from here to {ref}. {told}", hint="Mount it, or make one of them work.")

    @cached_property
    def _tiers(self) -> tuple[TierBinding, ...]:
        """The cache of this machine, measured once: a quota that followed the free space would be another each time."""
        return bind_tiers(None, ThisMachine(self._home).machine(())).bindings

    def _read(self, ref: Ref, above: frozenset[Ref] = frozenset()) -> Dataset:
        manifest = self._plane.get(ref)
        above |= {ref}
        physical = {}
        for namespace, name in physical_refs(manifest):
            below = Ref("Dataset", name, namespace)
            if below in above:
                raise Unavailable(f"{ref} refers to {below}, which refers to it.", hint="Mount a physical dataset.")
            physical[namespace, name] = self._read(below, above)
        return Dataset(manifest=manifest, runtime=self._runtime(manifest), physical=physical)

    def _runtime(self, manifest: Manifest) -> Manifest | None:
        for ref in runtimes_of(manifest):
            try:
                return self._plane.get(ref)
            except (NotFound, Forbidden):
                return None
        return None

    def _with_secrets_of_here(self, mount: MountBinding) -> MountBinding:
        """Secrets of the cluster are not read. Those that this machine has are used; else its own identity is: the
        service account of a pod, the profile of a user.
        """
        here = all(self._has(mount.namespace, each) for each in mount.secrets)
        return mount if here else replace(mount, secrets=())

    def _has(self, namespace: str, wanted: SecretOption) -> bool:
        try:
            resolve_secret(self._home, namespace, wanted)
        except NotFound:
            return False
        return True


def _has_libhdfs() -> bool:
    """Whether PyArrow would find Hadoop's native client: where it looks itself."""
    places = [os.environ.get("ARROW_LIBHDFS_DIR"), *_below(os.environ.get("HADOOP_HOME"))]
    return any(place and (Path(place) / "libhdfs.so").exists() for place in places)


def _below(hadoop: str | None) -> list[str]:
    return [f"{hadoop}/lib/native"] if hadoop else []
