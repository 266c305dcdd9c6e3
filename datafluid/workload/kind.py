"""What can be said of a workload kind: where its pods are described, which container counts, how it is held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from datafluid.model.plain import Path
from datafluid.workload.shapes import POD_TEMPLATE, Shape

__all__ = ["Hold", "TemplateAt", "WorkloadKind"]

Way = Literal["suspend", "replicas", "gate", "wait", "ordered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """How an object is created without running yet.

    Args:
        way: ``suspend``: a field that stops it; ``replicas``: none of them; ``gate``: a scheduling gate on the pod;
            ``wait``: it cannot be held, so its creation waits; ``ordered``: a service, created after its datasets.
        path: The field; empty for ``wait`` and ``ordered``.
        value: What the field says while it is held.
        proviso: When it works, one sentence; empty when it always does.
    """

    way: Way
    path: Path = ()
    value: Any = True
    proviso: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateAt:
    """Where a kind describes pods.

    Args:
        path: To the place, from the top of the manifest.
        role: What the pods are; None takes the key or the name of what ``*`` matched.
        shape: How the place is laid out.
        count: From the place to how many pods there are.
        times: From the place to how many times that many there are, once when nothing is said.
        default_count: How many when nothing is said; None: as many as there are nodes, or not known; 0: none of its
            own, it is a patch of others.
        made: Whether the pods exist although the manifest does not describe them: Spark's executors.
        container: The container that they have although the template need not list it.
        steers: Whether they steer others that read: a driver, a coordinator, a launcher.
    """

    path: Path
    role: str | None = "pod"
    shape: Shape = POD_TEMPLATE
    count: Path | None = None
    times: Path | None = None
    default_count: int | None = 1
    made: bool = False
    container: str = ""
    steers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadKind:
    """One kind of workload.

    Args:
        kind: Its name.
        groups: The API groups that have it; the empty one is the core group.
        templates: Where it describes pods.
        hold: How it is held.
        container: What its main container is called; empty: the first one.
        service: Whether it runs for ever, so that a change of its pods is a rollout.
        notes: What one has to know, one sentence each.
    """

    kind: str
    groups: tuple[str, ...] = field(default=("",))
    templates: tuple[TemplateAt, ...] = (TemplateAt(path=("spec", "template")),)
    hold: Hold
    container: str = ""
    service: bool = False
    notes: tuple[str, ...] = ()
