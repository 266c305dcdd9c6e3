"""The facade: everything a program does with datasets, on whichever plane the context names.

client = datafluid.connect()
client.apply("imagenet.yaml")
ds = client.dataset("imagenet")
ds.load("/train").wait()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datafluid.applied import Applied, apply_order, checked
from datafluid.clusters.crons import make_effective
from datafluid.clusters.removal import wait_for_remains
from datafluid.context import Context, resolve_context
from datafluid.errors import Invalid, Unsupported
from datafluid.handles import DatasetHandle
from datafluid.loads import LoadHandle
from datafluid.model.ref import Ref
from datafluid.plane.port import Advances, Cluster, ControlPlane, Event, Manifest, WatchEvent

if TYPE_CHECKING:
    from threading import Event as Stop

    from datafluid.diagnosis import Diagnosis
    from datafluid.engine.plane import EmbeddedPlane
    from datafluid.engine.remote.volumes import RemoteVolumes
    from datafluid.engine.serve import Due
    from datafluid.engine.volume import Volume
    from datafluid.local.cache import CacheAdmin
    from datafluid.model.lint import Finding
    from datafluid.submission.client import Submitted
    from datafluid.submission.steps import Step
    from datafluid.workload import DatasetUse

__all__ = ["Applied", "Client", "connect"]


def connect(context: str | None = None) -> Client:
    """Connect to the plane that a context names.

    Nothing is contacted yet: the first call does that.

    Args:
        context: A context of the config file, or ``embedded``; None follows the usual precedence
            (``DATAFLUID_CONTEXT``, the config file's default, the cluster of the pod that this runs in, the
            embedded plane).

    Raises:
        NotFound: no context has that name.
        Invalid: the config file is wrong.
        Unsupported: at the first call on a cluster, when the official Kubernetes client is not installed.

    Example:
        >>> import datafluid
        >>> datafluid.connect("embedded").context.plane
        'embedded'
    """
    resolved = resolve_context(context)
    if resolved.plane == "kubernetes":
        from datafluid.plane.kubernetes import KubernetesPlane

        plane = KubernetesPlane(
            kubeconfig=resolved.kubeconfig, context=resolved.kube_context, in_cluster=resolved.in_cluster
        )
        return Client(plane, resolved)
    from datafluid.engine.home import Home
    from datafluid.engine.plane import EmbeddedPlane

    return Client(EmbeddedPlane(Home.open(resolved.home)), resolved)


class Client:
    """One plane, one default namespace.

    Args:
        plane: Where objects live; `connect` makes the right one.
        context: The namespace and mount root to use.

    Example:
        >>> client = connect("embedded")
        >>> client.dataset("team/flights").uri
        FluidURI(namespace='team', dataset='flights', path='')
    """

    def __init__(self, plane: ControlPlane, context: Context | None = None) -> None:
        self.plane = plane
        self.context = context or Context()
        self._remote: RemoteVolumes | None = None

    def __repr__(self) -> str:
        return f"Client(context={self.context.name!r}, namespace={self.context.namespace!r})"

    def apply(self, source: Any, *, dry_run: bool = False, adopt: bool = False, replace: bool = False) -> Applied:
        """Declare objects: create them, or change them to what the manifest says.

        Everything is linted first and nothing is applied when anything is wrong.

        Args:
            source: A path, YAML text, a model, a dict, or an iterable of those.
            dry_run: Check everything and change nothing.
            adopt: Take over fields that another manager owns.
            replace: Allow a finished operation to run again with another spec.

        Returns:
            What was applied, and what lint warns of; `Applied.wait` waits for all of it.

        Raises:
            Invalid: lint found errors; ``findings`` has all of them.
            Conflict: see `datafluid.plane.port.ControlPlane.apply`.
            Timeout: what is left of a deleted dataset of the same name does not go; the message says who holds it.
        """
        authored, findings = checked(self, source)
        manifests = [self._in_namespace(manifest) for manifest in authored]
        if not dry_run:
            wait_for_remains(self.plane, manifests)
        refs = []
        for manifest in sorted(manifests, key=apply_order):
            self.plane.apply(manifest, dry_run=dry_run, adopt=adopt, replace=replace)
            refs.append(Ref.of(manifest))
        if isinstance(self.plane, Advances) and not dry_run:
            for ref in refs:
                self.plane.advance(ref)
        if isinstance(self.plane, Cluster) and not dry_run:
            for manifest in manifests:
                if (manifest.get("spec") or {}).get("policy") == "Cron":
                    make_effective(self.plane, manifest)
        return Applied(self, tuple(refs), tuple(findings))

    def lint(self, source: Any) -> list[Finding]:
        """What is wrong, or will go wrong, with manifests on this plane; see `datafluid.lint`.

        On a cluster it is looked at what is there: kinds, neighbours, quotas, nodes. What may not be read is left out.

        Raises:
            Unavailable: the cluster does not answer.
        """
        from datafluid.clusters.lint import lint_for

        return lint_for(self, source)

    def diagnose(self, name: str, *, kind: str = "Dataset", namespace: str | None = None) -> Diagnosis:
        """Why a dataset is not what it should be: causes, likeliest first, with evidence and what to run next.

        Args:
            name: The dataset's name, or ``namespace/name``.
            kind: Another kind that belongs to a dataset: a runtime or an operation; then ``name`` is its own.
            namespace: The namespace; None takes the name's own, else the context's.

        Returns:
            The diagnosis. Nothing is changed; what may not be read is said to be unknown.

        Raises:
            NotFound: there is no such operation; a dataset that is not there is diagnosed.
            Unavailable: the plane does not answer.
        """
        from datafluid.diagnosis import collect, diagnose
        from datafluid.diagnosis.collect import dataset_of

        ref = self.ref(kind, name, namespace=namespace)
        return diagnose(collect(self.plane, dataset_of(self.plane, ref)))

    def dataset(self, name: str, *, namespace: str | None = None) -> DatasetHandle:
        """A handle to a dataset; it need not exist yet.

        Args:
            name: ``name``, ``namespace/name`` or a ``fluid://`` URL (its path is ignored).
            namespace: The namespace; None takes the name's own, else the context's.
        """
        return DatasetHandle(self, self._dataset_ref(name, namespace))

    def datasets(self, *, namespace: str | None = None) -> list[DatasetHandle]:
        """Handles to all datasets, of one namespace or of all."""
        found = self.plane.list("Dataset", namespace=namespace)
        return [DatasetHandle(self, Ref.of(manifest)) for manifest in found]

    def load(self, name: str, *, namespace: str | None = None) -> LoadHandle:
        """A handle to a DataLoad by its name."""
        return LoadHandle(self.plane, Ref("DataLoad", name, namespace or self.context.namespace))

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Manifest:
        """One object of any kind, as the plane holds it."""
        return self.plane.get(self.ref(kind, name, namespace=namespace))

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> list[Manifest]:
        """All objects of a kind."""
        return self.plane.list(self.ref(kind, "").kind, namespace=namespace, selector=selector)

    def delete(self, kind: str, name: str, *, namespace: str | None = None, cascade: bool = True) -> None:
        """Delete one object of any kind, and with ``cascade`` what it owns."""
        self.plane.delete(self.ref(kind, name, namespace=namespace), cascade=cascade)

    def events(self, kind: str, name: str, *, namespace: str | None = None) -> Sequence[Event]:
        """What happened to one object, oldest first."""
        return self.plane.events(self.ref(kind, name, namespace=namespace))

    def watch(
        self,
        kind: str = "Dataset",
        *,
        namespace: str | None = None,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[WatchEvent]:
        """Changes to the objects of a kind, or to the one of a name, as they come; what exists comes first."""
        return self.plane.watch(self.ref(kind, "").kind, namespace=namespace, name=name, timeout=timeout)

    def volume(self, namespace: str, name: str) -> Volume:
        """The bytes of a bound dataset; what ``fluid://`` reads from.

        Raises:
            NotFound: there is no such dataset.
            Unavailable: it is not Bound, or no way leads to it from here; the message says why.
        """
        from datafluid.engine.plane import EmbeddedPlane

        serve_stale = self.context.offline == "serve-stale"
        if isinstance(self.plane, EmbeddedPlane):
            return self.plane.volume(namespace, name, serve_stale=serve_stale)
        if self._remote is None:
            from datafluid.engine.home import Home
            from datafluid.engine.remote.volumes import RemoteVolumes

            self._remote = RemoteVolumes(self.plane, Home.open(self.context.home), serve_stale=serve_stale)
        return self._remote.volume(namespace, name)

    def run_due(self, *, wait: bool = False) -> Due:
        """Run what is due now on this machine: turns of schedules, loads that died, deletions.

        Args:
            wait: Stay until everything that runs has ended.

        Raises:
            Unsupported: the plane has controllers of its own.
        """
        from datafluid.engine.serve import run_due

        return run_due(self.embedded("runs its schedules itself"), wait=wait)

    def serve(self, stop: Stop, *, tell: Callable[[str], None]) -> None:
        """Run what is due on this machine until ``stop`` is set; stand by while another one does.

        Args:
            tell: Gets a line for each thing worth telling.

        Raises:
            Unsupported: the plane has controllers of its own.
        """
        from datafluid.engine.serve import Server

        Server(self.embedded("runs its schedules itself"), tell=tell).run(stop)

    @property
    def cache(self) -> CacheAdmin:
        """The cache on this machine: status, pins, evicting, verifying."""
        from datafluid.local.cache import CacheAdmin

        return CacheAdmin(self)

    def migrate(
        self,
        source: str | Mapping[str, Any],
        target: str | Mapping[str, Any],
        *,
        name: str | None = None,
        namespace: str | None = None,
    ) -> LoadHandle:
        """Copy bytes between datasets and external stores: declare a DataMigrate and start it.

        Args:
            source: A ``fluid://`` URL or ``namespace/dataset/path``; the URI of an external store
                (``s3://bucket/prefix``); or a mapping as ``spec.from`` has it, for stores that need secrets.
            target: Likewise.
            name: The DataMigrate's name; made up when not given.
            namespace: Where it is declared; None takes the context's.

        Raises:
            Invalid: neither is a dataset, or a URI is wrong.
        """
        from datafluid.local.migration import migrate_manifest

        home = namespace or self.context.namespace
        (ref,) = self.apply(migrate_manifest(source, target, name=name, namespace=home)).refs
        return LoadHandle(self.plane, ref)

    def submit(
        self,
        workload: Any,
        datasets: Iterable[Any] = (),
        *,
        uses: Iterable[DatasetUse | str] = (),
        load: bool | float | None = None,
        detach: bool = False,
        timeout: float | None = None,
        slack: int = 1,
        begin: Callable[[Submitted], None] = lambda submitted: None,
        tell: Callable[[Step], None] = lambda step: None,
    ) -> Submitted:
        """Submit a workload together with the datasets it reads: plan, apply, hold, and let go when the data is there.

        Nothing is applied when the workload fits nowhere or the server refuses something. Interrupted at any point, the
        same call goes on from there.

        Args:
            workload: One object that makes pods: a path, YAML text, a dict, or what `datafluid.wrap` returned.
            datasets: Datasets with their runtimes and operations, as `apply` takes them; or names of datasets that are
                there. It waits for all of them.
            uses: Wrap the workload for these first, see `datafluid.wrap`; it waits for them too.
            load: Warm them first: True waits until each DataLoad is complete, a fraction until so much is cached.
            detach: Return while the workload is held; `resume` lets it go.
            timeout: Seconds to wait; None waits for ever.
            slack: How many more nodes than workers a new cache may choose from, at least.
            begin: Told what is intended before anything is changed.
            tell: Told each step before it is taken.

        Returns:
            What became of it.

        Raises:
            Unschedulable: it fits nowhere; carries the reasons, counted.
            Invalid: the server refuses something, or the datasets can never be on one node.
            Unsupported: the plane runs no workloads, or a dataset cannot be loaded.
            Conflict: a workload of that name is there.
            Timeout: with what is missing; the workload stays held.
            OperationFailed: a load failed; the workload stays held.
        """
        from datafluid.submission.client import submit

        return submit(
            self,
            workload,
            datasets,
            uses=uses,
            load=load,
            detach=detach,
            timeout=timeout,
            slack=slack,
            begin=begin,
            tell=tell,
        )

    def resume(
        self,
        workload: str | Ref,
        *,
        now: bool = False,
        timeout: float | None = None,
        tell: Callable[[Step], None] = lambda step: None,
    ) -> Submitted:
        """Go on with a workload that somebody submitted: wait for its data and let it go.

        Args:
            workload: Which; as text ``batch/v1/Job/train``, in the context's namespace.
            now: Let it go now, whatever its data is like.
            timeout: Seconds to wait; None waits for ever.
            tell: Told each step before it is taken.

        Raises:
            NotFound: there is no such workload.
            Conflict: nobody submitted it.
            Timeout: with what is missing.
            OperationFailed: a load failed.
        """
        from datafluid.submission.client import resume, workload_ref

        ref = workload_ref(workload, self.context.namespace) if isinstance(workload, str) else workload
        return resume(self, ref, now=now, timeout=timeout, tell=tell)

    def ref(self, kind: str, name: str, *, namespace: str | None = None) -> Ref:
        """Name an object: the kind may be given as its plural or short name, in any case.

        A kind that is not Fluid's stands behind its apiVersion: ``v1/Pod``, ``apps/v1/StatefulSet``.

        Raises:
            Invalid: there is no such kind; suggests one.
        """
        from datafluid.model.kinds import find_kind

        if "/" in kind:
            return Ref(kind, name, namespace or self.context.namespace)
        found = find_kind(kind)
        if not found.namespaced:
            return Ref(found.kind, name)
        own, slash, bare = name.partition("/")
        if slash:
            return Ref(found.kind, bare, own)
        return Ref(found.kind, name, namespace or self.context.namespace)

    def embedded(self, otherwise: str, hint: str = "") -> EmbeddedPlane:
        """The plane, when it is this machine's; else Unsupported says what another one does ``otherwise``."""
        from datafluid.engine.plane import EmbeddedPlane

        if not isinstance(self.plane, EmbeddedPlane):
            raise Unsupported(f"the {self.plane.name} plane {otherwise}.", hint=hint)
        return self.plane

    def _dataset_ref(self, name: str, namespace: str | None) -> Ref:
        from datafluid.model.uri import FluidURI

        if name.startswith("fluid://") or "/" in name:
            uri = FluidURI.parse(name).in_namespace(namespace or self.context.namespace)
            if namespace and uri.namespace != namespace:
                raise Invalid(f"{name!r} is not in namespace {namespace!r}.", hint="Give one of the two.")
            return Ref("Dataset", uri.dataset, uri.namespace)
        return Ref("Dataset", name, namespace or self.context.namespace)

    def _in_namespace(self, manifest: Manifest) -> Manifest:
        from datafluid.model.kinds import find_kind

        if find_kind(manifest["kind"]).namespaced:
            manifest["metadata"].setdefault("namespace", self.context.namespace)
        return manifest
