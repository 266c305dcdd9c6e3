"""A dataset's declaration from one context to another: behind ``datafluid copy``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from datafluid.errors import Forbidden, Invalid, NotFound, Unsupported
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.ref import Ref
from datafluid.plane.looking import served
from datafluid.plane.port import Cluster, Manifest

if TYPE_CHECKING:
    from datafluid.applied import Applied
    from datafluid.client import Client
    from datafluid.model.copying import CopyPlan

__all__ = ["copy_to", "planned_copy"]


def planned_copy(source: Client, ref: Ref, target: Client, *, namespace: str | None = None) -> CopyPlan:
    """What a copy of a dataset would apply at the target, and what must change there.

    Args:
        source: Where it is.
        ref: The dataset.
        target: Where it shall go.
        namespace: The namespace there; None keeps its own.

    Raises:
        NotFound: there is no such dataset.
        Invalid: it would be copied onto itself.
        Unavailable: one of the two does not answer.

    Example:
        >>> import datafluid
        >>> from datafluid.testing import InMemoryPlane
        >>> one, other = datafluid.Client(InMemoryPlane()), datafluid.connect("embedded")
        >>> mount = {"mountPoint": "local:///data", "name": "data"}
        >>> metadata = {"name": "flights", "namespace": "team"}
        >>> head = {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": metadata}
        >>> _ = one.plane.put({**head, "spec": {"mounts": [mount]}})
        >>> [change.message for change in planned_copy(one, Ref("Dataset", "flights", "team"), other).changes]
        ["'/data' must be a directory of this machine."]
    """
    from datafluid.model.copying import plan_copy
    from datafluid.model.lint.subject import Subject
    from datafluid.plane.surroundings import look_around

    objects = _declared(source, ref)
    place = namespace or ref.namespace or target.context.namespace
    _refuse_itself(objects[0], target, Ref("Dataset", ref.name, place))
    around = None
    if isinstance(target.plane, Cluster):
        moved = [Subject(data={**each, "metadata": {**each["metadata"], "namespace": place}}) for each in objects]
        around = look_around(target.plane, moved, namespace=place)
    return plan_copy(objects, namespace=place, target=around)


def copy_to(target: Client, plan: CopyPlan, *, anyway: bool = False, dry_run: bool = False) -> Applied:
    """Apply a planned copy.

    Args:
        target: Where it was planned for.
        plan: The plan.
        anyway: Although something must change first.
        dry_run: Check everything and change nothing.

    Raises:
        Invalid: something must change first, or lint refuses the manifests.
    """
    if plan.obstacles and not anyway:
        first = plan.obstacles[0]
        rest = f", and {len(plan.obstacles) - 1} more" if len(plan.obstacles) > 1 else ""
        raise Invalid(
            f"{first.kind} {first.path}: {first.message.rstrip('.')}{rest}.",
            hint="See to that first, or print the manifests, change them and apply them yourself.",
        )
    return target.apply(list(plan.manifests), dry_run=dry_run)


def _declared(source: Client, ref: Ref) -> list[Manifest]:
    """The dataset and its runtime. A runtime that Fluid made for a reference is left to Fluid."""
    dataset = source.plane.get(ref)
    runtimes = [
        each
        for each in served(source.plane, RUNTIMES, namespace=ref.namespace)
        if each["metadata"]["name"] == ref.name and not _made_by_fluid(each)
    ]
    return [dataset, *runtimes]


def _refuse_itself(dataset: Manifest, target: Client, copy: Ref) -> None:
    """Two contexts may be one cluster."""
    with suppress(NotFound, Forbidden, Unsupported):
        if target.plane.get(copy)["metadata"].get("uid") == dataset["metadata"].get("uid"):
            raise Invalid(f"{copy} would be copied onto itself.", hint="Name another context, or another namespace.")


def _made_by_fluid(runtime: Manifest) -> bool:
    owners = runtime["metadata"].get("ownerReferences") or ()
    return any(each.get("kind") == "Dataset" and each.get("controller") for each in owners)
