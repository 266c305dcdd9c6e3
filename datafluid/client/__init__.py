"""The facade: everything a program does with datasets, on whichever plane the context names.

client = datafluid.connect()
client.apply("imagenet.yaml")
ds = client.dataset("imagenet")
ds.load("/train").wait()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datafluid.applied import Applied, apply_order, checked
from datafluid.client.machine import Machine
from datafluid.client.objects import Objects
from datafluid.client.workloads import Workloads
from datafluid.clusters.crons import make_effective
from datafluid.clusters.removal import wait_for_remains
from datafluid.context import resolve_context
from datafluid.errors import Invalid
from datafluid.handles import DatasetHandle
from datafluid.loads import LoadHandle
from datafluid.model.ref import Ref
from datafluid.plane.port import Advances, Cluster, Manifest

if TYPE_CHECKING:
    from datafluid.diagnosis import Diagnosis
    from datafluid.local.cache import CacheAdmin
    from datafluid.model.lint import Finding

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


class Client(Objects, Machine, Workloads):
    """One plane, one default namespace.

    Args:
        plane: Where objects live; `connect` makes the right one.
        context: The namespace and mount root to use.

    Example:
        >>> client = connect("embedded")
        >>> client.dataset("team/flights").uri
        FluidURI(namespace='team', dataset='flights', path='')
    """

    def apply(self, source: Any, *, dry_run: bool = False, adopt: bool = False, replace: bool = False) -> Applied:
        """Declare objects: create them, or change them to what the manifest says.

        Everything is linted first and nothing is applied when anything is wrong.

        Args:
            source: A path, YAML text, a model, a dict, or an iterable of those.
            dry_run: Check everything and change nothing.
            adopt: Take over fields that another manager owns.
            replace: Let an operation that has ended run again, and one that has begun be another.

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

        Raises:
            Invalid: it names no dataset.
        """
        return DatasetHandle(self, self._dataset_ref(name, namespace))

    def datasets(self, *, namespace: str | None = None) -> list[DatasetHandle]:
        """Handles to all datasets, of one namespace or of all."""
        found = self.plane.list("Dataset", namespace=namespace)
        return [DatasetHandle(self, Ref.of(manifest)) for manifest in found]

    def load(self, name: str, *, namespace: str | None = None) -> LoadHandle:
        """A handle to a DataLoad by its name."""
        return LoadHandle(self.plane, Ref("DataLoad", name, namespace or self.context.namespace))

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

    def _dataset_ref(self, name: str, namespace: str | None) -> Ref:
        from datafluid.model.uri import FluidURI

        ref = Ref("Dataset", name, namespace or self.context.namespace)
        if name.startswith("fluid://") or "/" in name:
            uri = FluidURI.parse(name).in_namespace(namespace or self.context.namespace)
            if namespace and uri.namespace != namespace:
                raise Invalid(f"{name!r} is not in namespace {namespace!r}.", hint="Give one of the two.")
            ref = Ref("Dataset", uri.dataset, uri.namespace)
        if not ref.name:
            raise Invalid(f"{name!r} names no dataset.", hint="Write NAMESPACE/DATASET, or DATASET.")
        return ref

    def _in_namespace(self, manifest: Manifest) -> Manifest:
        from datafluid.model.kinds import find_kind

        if find_kind(manifest["kind"]).namespaced:
            manifest["metadata"].setdefault("namespace", self.context.namespace)
        return manifest
