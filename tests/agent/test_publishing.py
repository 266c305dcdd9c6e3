"""Writing the node's ConfigMap: once, again when something moved, and through an outage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from datafluid.agent import deployment, publish
from datafluid.errors import Conflict, DatafluidError, Forbidden, NotFound, Timeout, Unavailable
from datafluid.model.node_report import AGENT_NAMESPACE, NodeReport
from datafluid.model.ref import Ref
from datafluid.testing import InMemoryPlane
from tests.agent.test_report import DISK, REPORT

MAP = Ref("v1/ConfigMap", "datafluid-node-n0", AGENT_NAMESPACE)


class Turns(Event):
    """A stop that is set after so many looks, and never waits."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.left = turns

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        return self.left <= 0


class Flaky(InMemoryPlane):
    """A server whose first answers to writes are these errors."""

    def __init__(self, *errors: DatafluidError) -> None:
        super().__init__()
        self.errors = list(errors)

    def patch(self, ref: Ref, changes: Any, *, subresource: str | None = None) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return super().patch(ref, changes, subresource=subresource)

    def create(self, resource: Any, *, dry_run: bool = False) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return super().create(resource, dry_run=dry_run)


def free(*figures: int) -> Iterator[NodeReport]:
    """Reports with so much free."""
    return (replace(REPORT, disks=(replace(DISK, free=figure),)) for figure in figures)


def written(plane: InMemoryPlane) -> int:
    """How often the ConfigMap was written."""
    return int(plane.get(MAP)["metadata"]["resourceVersion"])


def run(plane: InMemoryPlane, reports: Iterable[NodeReport]) -> None:
    """One look a report."""
    queue = list(reports)
    publish(plane, iter(queue).__next__, stop=Turns(len(queue)))


def test_small_changes_are_not_written() -> None:
    """Creeping counts against what was written, not against the look before."""
    plane = InMemoryPlane()
    run(plane, free(500, 480, 460, 440))
    assert written(plane) == 2
    assert NodeReport.of_config_map(plane.get(MAP)).disks[0].free == 440


def test_an_agent_that_starts_anew_takes_its_map_over() -> None:
    """The map of an earlier agent is changed, not refused."""
    plane = InMemoryPlane()
    run(plane, free(500))
    run(plane, free(100))
    assert NodeReport.of_config_map(plane.get(MAP)).disks[0].free == 100


PASSING = [
    [Unavailable("the server is away.")],
    [Timeout("it took too long.")],
    [Forbidden("not yet.")],
    [Conflict("another one was faster.")],
    [NotFound("there is no ConfigMap."), NotFound("there is no such namespace.")],
]


@pytest.mark.parametrize("errors", PASSING, ids=lambda errors: type(errors[0]).__name__)
def test_what_passes_is_survived_and_told(errors: list[DatafluidError], caplog: pytest.LogCaptureFixture) -> None:
    """What could not be written is written at the next look, though nothing has moved since."""
    plane = Flaky()
    run(plane, free(500))
    plane.errors = list(errors)
    run(plane, free(100, 100))
    assert NodeReport.of_config_map(plane.get(MAP)).disks[0].free == 100
    assert errors[-1].message in caplog.text


def test_an_outage_is_survived_however_long_it_is() -> None:
    """Nobody has refused anything."""
    plane = Flaky(*[Unavailable("the server is away.")] * 50)
    run(plane, free(*[500] * 51))
    assert written(plane)


def test_a_refusal_is_believed_at_last() -> None:
    """Who may not write at all is not asked for ever; what was written in between counts the tries anew."""
    with pytest.raises(Forbidden):
        run(Flaky(*[Forbidden("never.")] * 50), free(*[500] * 50))
    plane = Flaky(*[Forbidden("not yet.")] * 4)
    run(plane, free(*[500] * 5))
    plane.errors = [Forbidden("not yet.")] * 4
    run(plane, free(*[100] * 5))
    assert NodeReport.of_config_map(plane.get(MAP)).disks[0].free == 100


def test_files_stay_on_the_node() -> None:
    """There may be millions; a ConfigMap takes one mebibyte."""
    from datafluid.model.node_report import FilePages

    manifest = replace(REPORT, files=(FilePages(name="x", size=1, resident=0),)).config_map()
    assert NodeReport.of_config_map(manifest).files == ()


def pod(**settings: Any) -> Any:
    """The pod of the DaemonSet."""
    (daemon_set,) = (each for each in deployment(image="example", **settings) if each["kind"] == "DaemonSet")
    return daemon_set["spec"]["template"]["spec"]


def test_the_daemon_set_can_change_nothing_on_its_node() -> None:
    """Every mount read-only, no capability, not root; root, and two capabilities to read with, for pages only."""
    for settings, user, added in (({}, 65534, None), ({"pages": True}, 0, ["DAC_READ_SEARCH", "FOWNER"])):
        spec = pod(**settings)
        (container,) = spec["containers"]
        assert all(mount["readOnly"] for mount in container["volumeMounts"])
        assert spec["securityContext"]["runAsUser"] == user
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"].get("add") == added
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]


def test_the_role_can_write_config_maps_and_read_nothing() -> None:
    """In its own namespace; the admission policy says which one."""
    (role,) = (each for each in deployment(image="example") if each["kind"] == "Role")
    assert role["metadata"]["namespace"] == AGENT_NAMESPACE
    assert role["rules"] == [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}]
