"""Is everything fit: this machine, what was declared on it, and the stores behind it. ``datafluid doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from datafluid.context import Context, resolve_context
from datafluid.engine.health import Check, check_directory, check_disk, check_machine
from datafluid.engine.home import Home
from datafluid.errors import DatafluidError
from datafluid.model.names import OPERATION_KINDS

if TYPE_CHECKING:
    from datafluid.engine.binding import Binding, TierBinding
    from datafluid.engine.plane import EmbeddedPlane

__all__ = ["check_all"]


def check_all(context: str | None = None) -> list[Check]:
    """Check everything that can be checked without changing anything; never raises `DatafluidError`.

    Args:
        context: The context to check; None follows the usual precedence.
    """
    try:
        resolved = resolve_context(context)
        checks = check_machine(Home.locate(resolved.home).path)
        return [*checks, *(_cluster(resolved) if resolved.plane == "kubernetes" else _declared(resolved))]
    except DatafluidError as error:
        return [_failed("context", error)]


def _cluster(context: Context) -> Iterator[Check]:
    """Whether the cluster answers, knows Fluid, and lets us look."""
    from datafluid.client import connect
    from datafluid.model.kinds import KINDS
    from datafluid.plane.port import Cluster

    plane = connect(context.name).plane
    try:
        served = plane.kinds() if isinstance(plane, Cluster) else frozenset(KINDS)
    except DatafluidError as error:
        yield _failed("cluster", error)
        return
    yield Check(name="cluster", status="ok", message=f"{plane!r} answers; kinds: {len(served)}")
    missing = [kind for kind in KINDS if kind not in served]
    if "Dataset" in missing:
        hint = "Install Fluid there; `datafluid crds` prints its definitions."
        yield Check(name="fluid", status="fail", message="the cluster does not know Fluid's kinds.", hint=hint)
        return
    told = f"all but {', '.join(missing)}" if missing else "all of Fluid's kinds are served"
    yield Check(name="fluid", status="ok", message=told)
    try:
        found = plane.list("Dataset", namespace=context.namespace)
    except DatafluidError as error:
        yield _failed("datasets", error)
    else:
        yield Check(name="datasets", status="ok", message=f"in namespace {context.namespace}: {len(found)}")


def _declared(context: Context) -> Iterator[Check]:
    from datafluid.engine.plane import EmbeddedPlane

    if not Home.locate(context.home).registry.exists():
        yield Check(name="registry", status="ok", message="nothing was declared yet")
        return
    try:
        plane = EmbeddedPlane(Home.open(context.home))
        plane.registry.check()
        datasets = plane.list("Dataset")
        yield Check(name="registry", status="ok", message=f"sound; datasets: {len(datasets)}")
        yield _serving(plane)
    except DatafluidError as error:
        yield _failed("registry", error)
        return
    seen: set[str] = set()
    for dataset in datasets:
        namespace, name = dataset["metadata"]["namespace"], dataset["metadata"]["name"]
        try:
            binding = plane.registry.binding(namespace, name)
        except DatafluidError as error:
            yield _failed(f"dataset {namespace}/{name}", error)
            continue
        for tier in binding.tiers:
            if tier.path not in seen:
                seen.add(tier.path)
                yield from _tier(tier)
        yield _reachable(plane, binding)


def _serving(plane: EmbeddedPlane) -> Check:
    """Whether somebody runs schedules, if there are any."""
    crons = [
        operation["metadata"]["name"]
        for kind in OPERATION_KINDS
        for operation in plane.list(kind)
        if operation["spec"].get("policy") == "Cron"
    ]
    from datafluid.engine.serving import is_serving

    if is_serving(plane.home):
        return Check(name="serve", status="ok", message=f"`datafluid serve` is running; schedules: {len(crons)}")
    if crons:
        return Check(
            name="serve",
            status="warn",
            message=f"nobody runs the schedules of {', '.join(crons[:3])}{' …' if len(crons) > 3 else ''}.",
            hint="Start `datafluid serve`, or run `datafluid run-due` from cron or systemd.",
        )
    return Check(name="serve", status="ok", message="not running, and nothing has a schedule")


def _tier(tier: TierBinding) -> Iterator[Check]:
    name, path = f"tier {tier.path}", Path(tier.path)
    yield check_directory(name, path)
    yield check_disk(name, path)


def _reachable(plane: EmbeddedPlane, binding: Binding) -> Check:
    name = f"dataset {binding.namespace}/{binding.name}"
    error = plane.controller.surroundings.probe(binding).error
    if error:
        return Check(
            name=name,
            status="warn" if binding.serve_stale else "fail",
            message=error,
            hint="Complete cached files are still served."
            if binding.serve_stale
            else "Check endpoint, network and credentials.",
        )
    return Check(name=name, status="ok", message=f"every mount answers ({len(binding.mounts)})")


def _failed(name: str, error: DatafluidError) -> Check:
    return Check(name=name, status="fail", message=error.message, hint=error.hint)
