"""The 14 kinds of ``data.fluid.io/v1alpha1``: one table, read without loading any model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.model.base import Resource

__all__ = ["API_VERSION", "GROUP", "KINDS", "RUNTIMES_BY_TYPE", "VERSION", "Column", "Kind", "find_kind"]

GROUP = "data.fluid.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column, as kubectl shows it. Priority 10 and more is for ``-o wide``."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is known of a kind without its model.

    Args:
        kind: ``Dataset``.
        plural: ``datasets``.
        module: Where its model is.
        short_names: As kubectl takes them.
        namespaced: False for cluster-scoped kinds.
        in_category: Whether ``kubectl get fluid`` lists it.
        has_status: Whether it has the status subresource.
        scalable: Whether it has the scale subresource, and with ``selectable`` a selector for autoscalers.
        runtime_type: Fluid's name of the engine, for runtimes.
        operations: The data operations that Fluid supports on this runtime.
    """

    kind: str
    plural: str
    module: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    in_category: bool = True
    has_status: bool = True
    scalable: bool = False
    selectable: bool = False
    columns: tuple[Column, ...] = ()
    runtime_type: str | None = None
    operations: frozenset[str] = frozenset()

    @property
    def singular(self) -> str:
        """``dataset``."""
        return self.kind.lower()

    @property
    def is_runtime(self) -> bool:
        """Whether it is a runtime of a dataset."""
        return self.runtime_type is not None

    @property
    def model(self) -> type[Resource]:
        """The model class; loads pydantic."""
        found: type[Resource] = getattr(import_module(f"datafluid.model.{self.module}"), self.kind)
        return found


_AGE = Column("Age", ".metadata.creationTimestamp", "date")
_PHASE = Column("Phase", ".status.phase")
_DURATION = Column("Duration", ".status.duration")
_DATASET = Column("Dataset", ".spec.dataset.name")
_GATEWAY = Column("API Gateway", ".status.apiGateway.endpoint", priority=10)


def _component(name: str, field: str) -> tuple[Column, ...]:
    return (
        Column(f"Ready {name}s", f".status.{field}NumberReady", "integer", 10),
        Column(f"Desired {name}s", f".status.desired{name}NumberScheduled", "integer", 10),
        Column(f"{name} Phase", f".status.{field}Phase"),
    )


_WORKER_AND_FUSE = (*_component("Worker", "worker"), *_component("Fuse", "fuse"))
_ALL_COMPONENTS = (*_component("Master", "master"), *_WORKER_AND_FUSE)

_ALL = (
    Kind(
        kind="Dataset",
        plural="datasets",
        module="dataset",
        short_names=("dataset",),
        columns=(
            Column("Ufs Total Size", ".status.ufsTotal"),
            Column("Cached", ".status.cacheStates.cached"),
            Column("Cache Capacity", ".status.cacheStates.cacheCapacity"),
            Column("Cached Percentage", ".status.cacheStates.cachedPercentage"),
            _PHASE,
            Column("HCFS URL", ".status.hcfs.endpoint", priority=10),
            Column("TOTAL FILES", ".status.fileNum", priority=11),
            Column("CACHE HIT RATIO", ".status.cacheStates.cacheHitRatio", priority=10),
            _AGE,
        ),
    ),
    Kind(
        kind="AlluxioRuntime",
        plural="alluxioruntimes",
        module="runtimes.alluxio",
        short_names=("alluxio",),
        scalable=True,
        selectable=True,
        columns=(*_ALL_COMPONENTS, _GATEWAY, _AGE),
        runtime_type="alluxio",
        operations=frozenset({"DataLoad", "DataBackup", "DataProcess"}),
    ),
    Kind(
        kind="JuiceFSRuntime",
        plural="juicefsruntimes",
        module="runtimes.juicefs",
        short_names=("juicefs",),
        scalable=True,
        selectable=True,
        columns=(*_WORKER_AND_FUSE, _AGE),
        runtime_type="juicefs",
        operations=frozenset({"DataLoad", "DataMigrate", "DataProcess"}),
    ),
    Kind(
        kind="JindoRuntime",
        plural="jindoruntimes",
        module="runtimes.jindo",
        short_names=("jindo",),
        scalable=True,
        columns=(*_ALL_COMPONENTS, _AGE),
        runtime_type="jindo",
        operations=frozenset({"DataLoad", "DataProcess"}),
    ),
    Kind(
        kind="EFCRuntime",
        plural="efcruntimes",
        module="runtimes.efc",
        short_names=("efc",),
        scalable=True,
        columns=(*_ALL_COMPONENTS, _AGE),
        runtime_type="efc",
        operations=frozenset({"DataProcess"}),
    ),
    Kind(
        kind="VineyardRuntime",
        plural="vineyardruntimes",
        module="runtimes.vineyard",
        short_names=("v6d",),
        scalable=True,
        selectable=True,
        columns=(*_ALL_COMPONENTS, _GATEWAY, _AGE),
        runtime_type="vineyard",
    ),
    Kind(
        kind="ThinRuntime",
        plural="thinruntimes",
        module="runtimes.thin",
        in_category=False,
        runtime_type="thin",
        operations=frozenset({"DataProcess"}),
    ),
    Kind(
        kind="ThinRuntimeProfile",
        plural="thinruntimeprofiles",
        module="runtimes.thin",
        namespaced=False,
        in_category=False,
    ),
    Kind(
        kind="CacheRuntime",
        plural="cacheruntimes",
        module="runtimes.cache",
        columns=(_AGE, Column("Status", ".status.phase")),
        runtime_type="cache",
        operations=frozenset({"DataLoad", "DataProcess"}),
    ),
    Kind(
        kind="CacheRuntimeClass",
        plural="cacheruntimeclasses",
        module="runtimes.cache",
        namespaced=False,
        has_status=False,
    ),
    Kind(
        kind="DataLoad",
        plural="dataloads",
        module="operations",
        short_names=("load",),
        columns=(_DATASET, _PHASE, _AGE, _DURATION),
    ),
    Kind(
        kind="DataMigrate",
        plural="datamigrates",
        module="operations",
        short_names=("migrate",),
        columns=(_PHASE, _AGE, _DURATION),
    ),
    Kind(
        kind="DataBackup",
        plural="databackups",
        module="operations",
        short_names=("backup",),
        columns=(
            Column("Dataset", ".spec.dataset"),
            _PHASE,
            Column("Path", ".status.infos.BackupLocationPath"),
            Column("NodeName", ".status.infos.BackupLocationNodeName"),
            _DURATION,
            _AGE,
        ),
    ),
    Kind(
        kind="DataProcess",
        plural="dataprocesses",
        module="operations",
        in_category=False,
        columns=(_DATASET, _PHASE, _AGE, _DURATION),
    ),
)

#: Every kind by its name.
KINDS: dict[str, Kind] = {kind.kind: kind for kind in _ALL}

#: The runtimes by Fluid's name of their engine: ``alluxio``, ``juicefs``, ...
RUNTIMES_BY_TYPE: dict[str, Kind] = {kind.runtime_type: kind for kind in _ALL if kind.runtime_type is not None}

_SPELLINGS = {spelling.lower(): kind for kind in _ALL for spelling in (kind.kind, kind.plural, *kind.short_names)}


def find_kind(name: str) -> Kind:
    """A kind by its name, plural or short name, in any case.

    Raises:
        Invalid: there is none; suggests the nearest.

    Example:
        >>> find_kind("dataloads").kind, find_kind("ALLUXIO").kind
        ('DataLoad', 'AlluxioRuntime')
    """
    found = _SPELLINGS.get(name.lower())
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), _SPELLINGS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(KINDS)}."
        raise Invalid(f"there is no kind {name!r}.", hint=hint)
    return found
