"""Where a place that describes pods keeps what a pod has: one description a shape, and paths to read and write by.

Most kinds hold pod templates as Kubernetes has them. A Spark operator's driver, the values of a helm chart, a
step of a workflow say the same things in fields of their own. In paths ``*`` is every key or item, ``..`` one
level up, ``/`` the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.plain import Path, look

__all__ = ["POD_TEMPLATE", "ContainerShape", "Shape", "expand", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerShape:
    """Where containers are, and what they keep where.

    Args:
        at: From the place to a list of containers, or to what is itself a container.
        mounts: From the container to its volume mounts.
        env: To its environment; None where there is none.
        env_from: To what its environment is read from; None where there is none.
        resources: To its requests and limits.
        name: What the container is called, when it does not say so itself.
        init: Whether it runs before the others.
        made: Whether it is there although the manifest does not say so: a driver, the container of a chart.
    """

    at: Path
    mounts: Path = ("volumeMounts",)
    env: Path | None = ("env",)
    env_from: Path | None = ("envFrom",)
    resources: Path = ("resources",)
    name: str | None = None
    init: bool = False
    made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a pod has, and the path to it from the place that describes the pod; None: it cannot be said there.

    Args:
        affinity: Where the pod's affinity is.
        inherited_affinity: Where an affinity stands that counts while the place has none of its own: the first there.
        priority: Where the priority class is.
        dns: Where the DNS policy is.
        spec: Where what is not listed here (tolerations, ``hostNetwork``, ``nodeName``, ...) is as a PodSpec has it.
        containers: Where its containers are.
    """

    labels: Path | None = ("metadata", "labels")
    annotations: Path | None = ("metadata", "annotations")
    affinity: Path | None = ("spec", "affinity")
    inherited_affinity: tuple[Path, ...] = ()
    node_selector: Path | None = ("spec", "nodeSelector")
    volumes: Path = ("spec", "volumes")
    priority: Path | None = ("spec", "priorityClassName")
    dns: Path | None = ("spec", "dnsPolicy")
    spec: Path | None = ("spec",)
    containers: tuple[ContainerShape, ...] = (
        ContainerShape(at=("spec", "containers")),
        ContainerShape(at=("spec", "initContainers"), init=True),
    )


#: A pod, or a template of pods.
POD_TEMPLATE = Shape()


def resolve(place: Path, relative: Path) -> Path:
    """A path from the top, given one from a place, or one that begins with ``/``.

    Example:
        >>> resolve(("spec", "driver"), ("..", "volumes"))
        ('spec', 'volumes')
    """
    if relative[:1] == ("/",):
        return relative[1:]
    ups = sum(step == ".." for step in relative)
    return (*place[: len(place) - ups], *relative[ups:])


def expand(data: Any, pattern: Path, at: Path = ()) -> Iterator[Path]:
    """The paths that are there and match a pattern with ``*``, in the manifest's order.

    Example:
        >>> list(expand({"replicas": {"Master": {}, "Worker": {}}}, ("replicas", "*")))
        [('replicas', 'Master'), ('replicas', 'Worker')]
    """
    if not pattern:
        yield at
        return
    step, rest = pattern[0], pattern[1:]
    if step == "*":
        below = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
        for key, value in below:
            yield from expand(value, rest, (*at, key))
    elif (value := look(data, (step,))) is not None:
        yield from expand(value, rest, (*at, step))
