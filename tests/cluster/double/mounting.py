"""A change of mounts on Alluxio, looked at at a sync only: Updating, mounted or not, Bound again either way."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.engine.reconcile.values import condition, rfc3339, status_of, with_condition
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.engine_steps import CALCULATING
from tests.cluster.double.traits import Identity
from tests.cluster.double.world import Patch, Remember, Step, World, do

_COUNTED_AFTER = 120.0  # the second sync after a change has the figures


def steps(world: World, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """``status.mounts`` is the only proof: the phase and the conditions say the same when nothing was mounted."""
    status = status_of(dataset)
    wanted = dataset["spec"].get("mounts", [])
    if status.get("mounts") == wanted or world.remembered(Ref.of(dataset), "tried") > world.now - 1.0:
        return
    if status["phase"] == "Bound":
        updating = condition("Updating", True, "DatasetUpdating", "The ddc runtime is updating.")
        with_condition(status, updating, world.now)
        yield do(Patch(Ref.of(dataset), {"status": status | {"phase": "Updating"}}), then=0.05)
    if dataset["metadata"]["name"] in world.engine.late_mounts:
        tried = Remember(Ref.of(dataset), "tried", world.now)
        yield do(tried, *_bound(world, dataset, status, "The ddc runtime is ready.", ready=True).writes)
    for figure in ("ufsTotal", "fileNum"):
        if status.get(figure) != CALCULATING:
            mark = Remember(Ref.of(dataset), "counted", world.now + _COUNTED_AFTER)
            yield do(Patch(Ref.of(dataset), {"status": {figure: CALCULATING}}), mark)
    yield Step(
        (
            Patch(Ref.of(runtime), {"status": {"mountTime": rfc3339(world.now)}}),
            *_bound(
                world, dataset, status | {"mounts": wanted}, "The ddc runtime has updated completely.", ready=False
            ).writes,
        ),
        again=0.01,
    )


def _bound(world: World, dataset: Manifest, status: Manifest, message: str, *, ready: bool) -> Step:
    with_condition(status, condition("Ready", ready, "DatasetReady", message), world.now)
    return do(Patch(Identity.of(dataset).ref, {"status": status | {"phase": "Bound"}}))
