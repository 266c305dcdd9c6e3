"""``wrap``: a workload and the datasets it uses, to the workload as it must be applied, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import Path, as_list, as_map, as_text, look
from datafluid.workload import locality, posix
from datafluid.workload.across import add_references
from datafluid.workload.alluxio import add_client, add_directories, mend_dns
from datafluid.workload.attachment import Attachment
from datafluid.workload.consumers import attach, engine_of
from datafluid.workload.draft import Draft
from datafluid.workload.fusecare import tell_of_fuse
from datafluid.workload.hadoop import hadoop_properties
from datafluid.workload.injection import Mode, add_injection, add_prefetch, reaches_webhook
from datafluid.workload.kind import WorkloadKind
from datafluid.workload.kinds import workload_kind
from datafluid.workload.places import ContainerPlace, PodPlace
from datafluid.workload.report import Report
from datafluid.workload.resolve import Resolved, resolve_uses
from datafluid.workload.targets import prepared_places
from datafluid.workload.telling import check_names, tell_of_kind, tell_of_requirements, tell_of_unknown
from datafluid.workload.topology import Topology
from datafluid.workload.uses import DatasetUse

__all__ = ["Wrapped", "wrap"]

_NO_ENGINE = {
    "trino": "current Trino runs on Java releases that Alluxio's client does not",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A workload that is ready to be applied.

    Args:
        manifest: The workload: all that the user wrote, and what its datasets need.
        extras: Objects to apply before it: ConfigMaps, reference datasets.
        report: Each thing that was done, and each that could not be done and why.

    Example:
        >>> job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
        >>> job["spec"] = {"template": {"spec": {"containers": [{"name": "a"}]}}}
        >>> wrap(job, ["team/flights"]).extras[0]["spec"]["mounts"]
        [{'mountPoint': 'dataset://team/flights'}]
    """

    manifest: dict[str, Any]
    extras: tuple[dict[str, Any], ...] = ()
    report: Report = field(default_factory=Report)


def wrap(
    manifest: Mapping[str, Any],
    uses: Iterable[DatasetUse | str] | DatasetUse | str,
    *,
    topology: Topology | None = None,
    mode: Mode = "csi",
    priority_class: str | None = None,
    templates: Sequence[Path] = (),
    beside: Iterable[Mapping[str, Any]] = (),
) -> Wrapped:
    """Let a workload of any kind see datasets, and run where they are cached.

    Pure: nothing is read or changed but what is given. Wrapping what is wrapped changes nothing, the order of the
    uses means nothing, and nothing that the user wrote is lost or overruled: what is in the way is left, and told.

    Args:
        manifest: An object of any kind that makes pods, or the values of the Trino or Presto chart.
        uses: The datasets, or the one; text as `DatasetUse.parse` takes it. None at all: the pods leave the nodes
            with caches to others.
        topology: What is known of datasets, nodes and namespaces; without it the report says what was assumed.
        mode: ``csi`` needs no webhook; ``serverful`` asks Fluid's for the prefetcher; ``serverless`` and
            ``native-sidecar`` run FUSE in the pod.
        priority_class: The pods' priority class, when they have none. In a pod with a sidecar it is FUSE's too.
        templates: Where a kind that is not known has its pod templates; they are looked for when none is given.
        beside: What is applied with it anyway: no extra takes the place of one of these.

    Returns:
        The workload, what goes with it, and the report.

    Raises:
        Invalid: it is no mapping or makes no pods, its affinity is not one, two uses want the same place, or a use
            names a role or a container that is not there.

    Example:
        >>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "train", "namespace": "team"}}
        >>> pod["spec"] = {"containers": [{"name": "main", "image": "python:3.11"}]}
        >>> wrapped = wrap(pod, [DatasetUse("team/imagenet")])
        >>> wrapped.manifest["spec"]["containers"][0]["volumeMounts"][0]["mountPath"]
        '/mnt/fluid/team/imagenet'
        >>> wrap(wrapped.manifest, [DatasetUse("team/imagenet")]).manifest == wrapped.manifest
        True
    """
    if not isinstance(manifest, Mapping):
        raise Invalid(f"a {type(manifest).__name__} is no workload.", hint="Give a manifest as a dict.")
    topology = topology or Topology()
    several = [uses] if isinstance(uses, str | DatasetUse) else uses
    draft = Draft(manifest, beside)
    work = _Work(draft, topology, mode)
    work.read([DatasetUse.parse(use) if isinstance(use, str) else use for use in several], tuple(templates))
    for place in work.places:
        work.wrap_place(place, priority_class)
    work.attach_hadoop()
    work.finish()
    return Wrapped(
        manifest=draft.data, extras=tuple(draft.extras[key] for key in sorted(draft.extras)), report=draft.report
    )


class _Work:
    """One run of `wrap`."""

    def __init__(self, draft: Draft, topology: Topology, mode: Mode) -> None:
        self.draft = draft
        self.topology = topology
        self.mode: Mode = mode
        self.kind: WorkloadKind | None = workload_kind(draft.data)
        namespace = as_text(look(draft.data, ("metadata", "namespace")))
        self.namespace = namespace or None
        self.home = namespace or topology.namespace
        self.places: list[PodPlace] = []
        self.used: tuple[Resolved, ...] = ()
        self.reached: set[DatasetUse] = set()
        self.readers: list[tuple[PodPlace, ContainerPlace]] = []
        self.requires = False

    def read(self, uses: list[DatasetUse], templates: tuple[Path, ...]) -> None:
        """Find the pods, and what the uses mean for them."""
        self.places = prepared_places(self.draft, self.kind, self.topology, self.home, templates)
        if not self.places:
            raise Invalid(
                f"{self.draft.data.get('kind', 'this')!s} has no pods to wrap.",
                hint="Give an object that makes pods, or the path of its pod template: templates=[…].",
            )
        self.engine = engine_of(self.kind, self._images())
        self.used = resolve_uses(uses, self.topology, self.home, without_engine=_NO_ENGINE.get(self.engine))
        check_names(self.draft, self.places, self.used)
        tell_of_unknown(self.draft, self.used)

    def wrap_place(self, place: PodPlace, priority_class: str | None) -> None:
        """Wrap the pods of one place."""
        draft = self.draft
        asked = [each for each in self.used if not each.use.roles or place.role in each.use.roles]
        used = posix.add_mounts(draft, place, asked)
        self.reached |= {each.use for each in used}
        if used:
            add_injection(draft, place, used, self.mode, self.topology)
        wanted = self._wishes(place, used)
        self.requires = self.requires or any(wish.required for wish in wanted)
        for each in used:
            if each.engine == "alluxio":
                add_directories(draft, place, posix.containers_of(draft, place, each), each, self.topology)
        self._tell_containers(place, asked)
        self._place(place, used, wanted)
        add_prefetch(draft, place, used)
        if priority_class is not None:
            self._set_priority(place, priority_class)

    def attach_hadoop(self) -> None:
        """Bring Hadoop's configuration to those who read it."""
        used = self._reached()
        if not any(each.use.api == "hcfs" for each in used):
            return
        attachment = Attachment(
            properties=hadoop_properties(self.draft, used, self.topology),
            name=self._name(),
            namespace=self.namespace,
            readers=self.readers,
        )
        attach(self.draft, self.kind, self.engine, attachment)

    def finish(self) -> None:
        """What concerns the whole workload."""
        add_references(self.draft, self._reached(), self.topology, self.namespace)
        tell_of_fuse(self.draft, self._reached())
        tell_of_kind(self.draft, self.kind)
        if self.requires:
            tell_of_requirements(self.draft, autoscaled=self.topology.autoscaled)

    def _reached(self) -> list[Resolved]:
        """The uses that some pod can make of its dataset."""
        return [each for each in self.used if each.use in self.reached]

    def _images(self) -> list[str]:
        found = [
            look(self.draft.data, each.path) for place in self.places for each in place.containers(self.draft.data)
        ]
        return [as_text(as_map(each).get("image")) for each in found]

    def _name(self) -> str:
        metadata = as_map(self.draft.data.get("metadata"))
        named = as_text(metadata.get("name")) or as_text(metadata.get("generateName")).rstrip("-")
        chart = as_text(self.draft.data.get("fullnameOverride")) or as_text(self.draft.data.get("nameOverride"))
        return named or chart or (self.engine if self.engine != "any" else "workload")

    def _wishes(self, place: PodPlace, used: list[Resolved]) -> list[locality.Wish]:
        requested = locality.requested_claims(self.draft, place)
        mounted = self._mounted_claims(place)
        for claim in sorted(requested - mounted):
            self.draft.tell("not done", f"a label requires {claim}, which the pods do not mount.", path=place.path)
        known = {each.claim for each in used}
        others = [DatasetUse(f"{self.home}/{claim}") for claim in sorted((requested & mounted) - known)]
        return locality.wishes(
            [*used, *resolve_uses(others, self.topology, self.home)],
            requested & mounted,
            steering=place.role if place.template.steers else None,
            serverless=self.mode in ("serverless", "native-sidecar"),
        )

    def _mounted_claims(self, place: PodPlace) -> frozenset[str]:
        volumes = as_list(self.draft.look(place.at(place.template.shape.volumes)))
        claims = (look(volume, ("persistentVolumeClaim", "claimName")) for volume in volumes)
        return frozenset(claim for claim in claims if isinstance(claim, str))

    def _place(self, place: PodPlace, used: list[Resolved], wanted: list[locality.Wish]) -> None:
        if wanted:
            locality.add_locality(
                self.draft, place, wanted, self.topology, in_webhook=reaches_webhook(self.draft, place)
            )
        elif not self.used and not any(self.topology.facts(self.home, each) for each in self._mounted_claims(place)):
            locality.keep_off_caches(self.draft, place)

    def _tell_containers(self, place: PodPlace, used: list[Resolved]) -> None:
        """Environment, engine clients and Hadoop's readers, container by container."""
        chosen = [(each, {c.path for c in posix.containers_of(self.draft, place, each)}) for each in used]
        barred = [(each, {c.path for c in posix.obstructed(self.draft, place, each)}) for each in used]
        for container in place.containers(self.draft.data):
            own = [each for each, paths in chosen if container.path in paths]
            hidden = [each for each, paths in barred if container.path in paths]
            posix.add_environment(self.draft, container, [each for each in own if each.needs_mount], hidden)
            if engines := [each for each in own if each.engine == "alluxio"]:
                add_client(self.draft, container, engines)
            if any(each.engine is not None for each in own):
                mend_dns(self.draft, place)
            if any(each.use.api == "hcfs" for each in own):
                self.readers.append((place, container))

    def _set_priority(self, place: PodPlace, priority_class: str) -> None:
        path = place.template.shape.priority
        if path is None:
            self.draft.tell("not done", f"the priority class {priority_class} cannot be said here.", path=place.path)
        else:
            self.draft.put(place.at(path), priority_class, "the pods' priority.")
