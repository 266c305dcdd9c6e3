"""What distinguishes the three runtimes that the double plays, as far as objects show it."""

from __future__ import annotations

from dataclasses import dataclass

from datafluid.model.names import dataset_id, label_key
from datafluid.model.quantity import parse_quantity
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

REFERENCE = "dataset://"
DATASET_FINALIZER = "fluid-dataset-controller-finalizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One kind of runtime.

    Args:
        type: As ``status.runtimes`` has it.
        chart: The name and version of its helm chart.
        mount_type: As the PersistentVolume has it; None: the profile's file system type.
        retry: Seconds until a controller that is not woken looks again whether a component is ready.
        woken: Whether its controller hears of its StatefulSets and DaemonSets.
        operations: What its engine can do.
    """

    kind: str
    type: str
    chart: str
    mount_type: str | None
    retry: float
    woken: bool
    operations: frozenset[str]

    @property
    def finalizer(self) -> str:
        """What holds a runtime until its engine is shut down."""
        return f"{self.type}-runtime-controller-finalizer"

    @property
    def fuse_directory(self) -> str:
        """The last part of the FUSE path on the host."""
        return f"{self.type}-fuse"


THIN = Trait(
    kind="ThinRuntime",
    type="thin",
    chart="thin-0.1.5",
    mount_type=None,
    retry=20.0,
    woken=True,
    operations=frozenset({"DataProcess"}),
)
JUICEFS = Trait(
    kind="JuiceFSRuntime",
    type="juicefs",
    chart="juicefs-0.2.16",
    mount_type="JuiceFS",
    retry=20.0,
    woken=True,
    operations=frozenset({"DataLoad", "DataMigrate", "DataProcess"}),
)
ALLUXIO = Trait(
    kind="AlluxioRuntime",
    type="alluxio",
    chart="alluxio-0.9.14",
    mount_type="fuse.alluxio-fuse",
    retry=20.0,
    woken=False,
    operations=frozenset({"DataLoad", "DataBackup", "DataProcess"}),
)
TRAITS = {trait.kind: trait for trait in (THIN, JUICEFS, ALLUXIO)}
BY_TYPE = {trait.type: trait for trait in TRAITS.values()}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a dataset is: the parts that all its names and labels are made of."""

    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, dataset: Manifest) -> Identity:
        """That of a Dataset, or of a runtime of the same name."""
        metadata = dataset["metadata"]
        return cls(metadata["namespace"], metadata["name"], metadata["uid"])

    @property
    def ref(self) -> Ref:
        """The Dataset."""
        return Ref("Dataset", self.name, self.namespace)

    @property
    def id(self) -> str:
        """The value of ``fluid.io/dataset-id``."""
        return dataset_id(self.namespace, self.name, uid=self.uid)

    @property
    def volume(self) -> Ref:
        """Its PersistentVolume."""
        return Ref("v1/PersistentVolume", f"{self.namespace}-{self.name}")

    @property
    def claim(self) -> Ref:
        """Its PersistentVolumeClaim."""
        return Ref("v1/PersistentVolumeClaim", self.name, self.namespace)

    def key(self, kind: str) -> str:
        """A label key of it; see `datafluid.model.names.label_key`."""
        return label_key(kind, self.namespace, self.name, uid=self.uid)


def physical_of(dataset: Manifest) -> tuple[Ref, str] | None:
    """The dataset that this one refers to, and the path inside it; None when it has mounts of its own."""
    mounts = dataset["spec"].get("mounts") or [{}]
    point = mounts[0].get("mountPoint", "")
    if not point.startswith(REFERENCE):
        return None
    namespace, _, rest = point.removeprefix(REFERENCE).partition("/")
    name, _, path = rest.partition("/")
    return Ref("Dataset", name, namespace), path


def capacity(runtime: Manifest) -> int:
    """Bytes that one worker may cache."""
    return sum(by_medium(runtime).values())


def by_medium(runtime: Manifest) -> dict[str, int]:
    """Bytes of one worker by ``m`` (memory) and ``d`` (disk)."""
    sizes: dict[str, int] = {}
    for level in (runtime["spec"].get("tieredstore") or {}).get("levels") or ():
        quotas = str(level.get("quotaList") or level.get("quota") or "0").split(",")
        letter = "m" if level["mediumtype"] == "MEM" else "d"
        sizes[letter] = sizes.get(letter, 0) + sum(parse_quantity(quota.strip()) for quota in quotas)
    return sizes


def replicas_of(runtime: Manifest, component: str = "") -> int:
    """How many workers, or masters, it asks for."""
    spec = runtime["spec"].get(component, {}) if component else runtime["spec"]
    found: int = spec.get("replicas", 1)
    return found


def no_quota(runtime: Manifest) -> str:
    """What the controller says of a cache level without a size; "" when all have one."""
    levels = (runtime["spec"].get("tieredstore") or {}).get("levels") or ()
    bad = any(not level.get("quota") and not level.get("quotaList") for level in levels)
    return "either quota or quotaList must be set" if bad else ""
