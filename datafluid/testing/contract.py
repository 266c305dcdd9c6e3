"""What every plane must do: subclass `PlaneContract`, provide the fixture ``plane``, and run it with pytest.

    class TestMyPlane(PlaneContract):
        @pytest.fixture
        def plane(self):
            return MyPlane()

It needs pytest, which datafluid itself does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from datafluid.errors import Conflict, Invalid, NotFound, Unsupported
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane, Manifest, WatchEvent

__all__ = ["NAMESPACE", "PlaneContract", "dataset", "runtime"]

NAMESPACE = "contract"


def dataset(name: str = "demo", *, url: str = "local:///usr/share", **metadata: Any) -> Manifest:
    """A Dataset with one mount."""
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": {"mounts": [{"mountPoint": url, "name": name}]},
    }


def runtime(name: str = "demo", **spec: Any) -> Manifest:
    """An AlluxioRuntime with one level."""
    level = {"mediumtype": "MEM", "path": "/dev/shm", "quota": "1Gi"}
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "AlluxioRuntime",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": 1, "tieredstore": {"levels": [level]}, **spec},
    }


class PlaneContract:
    """The tests. Each plane has a namespace ``contract`` to work in, empty at the start of each test."""

    #: Seconds that a watch may take to tell what has happened.
    patience = 10.0

    @pytest.fixture
    def plane(self) -> Iterator[ControlPlane]:
        """The plane under test; subclasses override it."""
        raise NotImplementedError

    def test_apply_creates_and_get_returns_what_was_authored(self, plane: ControlPlane) -> None:
        """Spec, labels and annotations come back; uid, version and creation time are there."""
        applied = plane.apply(dataset(labels={"team": "a"}, annotations={"note": "b"}))
        found = plane.get(Ref("Dataset", "demo", NAMESPACE))
        assert found["spec"]["mounts"][0]["mountPoint"] == "local:///usr/share"
        assert found["metadata"]["labels"]["team"] == "a"
        assert found["metadata"]["annotations"]["note"] == "b"
        assert found["metadata"]["uid"] == applied["metadata"]["uid"]
        assert found["metadata"]["resourceVersion"]
        assert found["metadata"]["creationTimestamp"].endswith("Z")

    def test_applying_the_same_again_changes_nothing(self, plane: ControlPlane) -> None:
        """Neither the version nor the generation moves."""
        first = plane.apply(dataset())
        assert plane.apply(dataset())["metadata"] == first["metadata"]

    def test_applying_another_spec_moves_the_generation(self, plane: ControlPlane) -> None:
        """The object stays the same one."""
        first = plane.apply(dataset())
        second = plane.apply(dataset(url="local:///usr/lib"))
        assert second["metadata"]["uid"] == first["metadata"]["uid"]
        assert second["metadata"]["generation"] == first["metadata"]["generation"] + 1
        assert second["spec"]["mounts"][0]["mountPoint"] == "local:///usr/lib"

    def test_what_apply_names_no_more_is_taken_away(self, plane: ControlPlane) -> None:
        """Like server-side apply with one manager."""
        plane.apply(dataset(labels={"team": "a", "stage": "x"}))
        found = plane.apply(dataset(labels={"team": "a"}))
        assert "stage" not in found["metadata"]["labels"]

    def test_dry_run_changes_nothing(self, plane: ControlPlane) -> None:
        """It returns what would be, and nothing is."""
        assert plane.apply(dataset(), dry_run=True)["metadata"]["name"] == "demo"
        with pytest.raises(NotFound):
            plane.get(Ref("Dataset", "demo", NAMESPACE))

    def test_a_wrong_manifest_is_invalid_with_findings(self, plane: ControlPlane) -> None:
        """A typo in a field name is refused and named, also in a dry run."""
        wrong = dataset()
        wrong["spec"]["mount"] = wrong["spec"].pop("mounts")
        for dry_run in (True, False):
            with pytest.raises(Invalid) as caught:
                plane.apply(wrong, dry_run=dry_run)
            assert caught.value.findings

    def test_what_is_not_there_is_not_found(self, plane: ControlPlane) -> None:
        """Every method that names an object says so, with an error that is a FileNotFoundError too."""
        nothing = Ref("Dataset", "nothing", NAMESPACE)
        asks: tuple[Callable[[], object], ...] = (
            lambda: plane.get(nothing),
            lambda: plane.events(nothing),
            lambda: plane.delete(nothing),
        )
        for ask in asks:
            with pytest.raises(FileNotFoundError):
                ask()

    def test_list_is_sorted_and_selects(self, plane: ControlPlane) -> None:
        """By name, by namespace, by label."""
        plane.apply(dataset("b", labels={"team": "x"}))
        plane.apply(dataset("a"))
        names = [each["metadata"]["name"] for each in plane.list("Dataset", namespace=NAMESPACE)]
        assert names == ["a", "b"]
        (selected,) = plane.list("Dataset", namespace=NAMESPACE, selector={"team": "x"})
        assert selected["metadata"]["name"] == "b"
        assert plane.list("Dataset", namespace="elsewhere") == []

    def test_watch_starts_with_what_exists(self, plane: ControlPlane) -> None:
        """Without a version every object comes as ADDED."""
        plane.apply(dataset())
        event = next(plane.watch("Dataset", namespace=NAMESPACE, timeout=self.patience))
        assert (event.type, event.object["metadata"]["name"]) == ("ADDED", "demo")

    def test_watch_goes_on_from_a_version(self, plane: ControlPlane) -> None:
        """Only what came later, in order: a new object, a change, a deletion with the last state."""
        version = plane.apply(dataset())["metadata"]["resourceVersion"]
        plane.apply(dataset("other"))
        plane.delete(Ref("Dataset", "demo", NAMESPACE))
        seen = _last_of_each(plane.watch("Dataset", namespace=NAMESPACE, since=version, timeout=self.patience), 2)
        assert seen == {"other": "ADDED", "demo": "DELETED"}

    def test_watch_can_be_of_one_object(self, plane: ControlPlane) -> None:
        """Others of the kind are not told of, neither at the start nor later."""
        for name in ("other", "demo"):
            plane.apply(dataset(name))
        started: list[str] = []
        for event in plane.watch("Dataset", namespace=NAMESPACE, name="demo", timeout=self.patience):
            if event.type == "BOOKMARK":
                continue
            started.append(event.object["metadata"]["name"])
            if len(started) == 1:
                plane.delete(Ref("Dataset", "other", NAMESPACE))
                plane.delete(Ref("Dataset", "demo", NAMESPACE))
            else:
                break
        assert started == ["demo", "demo"]

    def test_watch_ends_in_time(self, plane: ControlPlane) -> None:
        """With nothing to tell it ends by itself."""
        assert list(plane.watch("Dataset", namespace=NAMESPACE, timeout=0.1)) == []

    def test_a_quiet_watch_says_so_and_goes_on(self, plane: ControlPlane) -> None:
        """Each time with the version to go on from; what changes after it is told, and silence begins anew."""
        plane.apply(dataset())
        told: list[str] = []
        for event in plane.watch("Dataset", namespace=NAMESPACE, timeout=self.patience, quiet=(0.1, 0.2)):
            told += [event.type] if event.type != "BOOKMARK" else []
            assert event.version
            if told[-2:] == ["QUIET", "QUIET"]:
                plane.delete(Ref("Dataset", "demo", NAMESPACE))
            if told[-2:] == ["DELETED", "QUIET"]:
                break
        assert told[:3] == ["ADDED", "QUIET", "QUIET"]
        assert told[-2:] == ["DELETED", "QUIET"]

    def test_only_who_asks_is_told_of_silence(self, plane: ControlPlane) -> None:
        """Others hear of changes only."""
        plane.apply(dataset())
        told = [event.type for event in plane.watch("Dataset", namespace=NAMESPACE, timeout=0.5)]
        assert told[0] == "ADDED"
        assert "QUIET" not in told

    def test_deleting_takes_along_what_belongs_to_it(self, plane: ControlPlane) -> None:
        """A dataset's runtime goes with it."""
        plane.apply(dataset())
        plane.apply(runtime())
        plane.delete(Ref("Dataset", "demo", NAMESPACE))
        assert plane.list("AlluxioRuntime", namespace=NAMESPACE) == []

    def test_a_dataset_that_others_mount_is_kept(self, plane: ControlPlane) -> None:
        """Conflict, naming who uses it."""
        plane.apply(dataset())
        plane.apply(dataset("ref", url=f"dataset://{NAMESPACE}/demo"))
        with pytest.raises(Conflict, match=f"{NAMESPACE}/ref"):
            plane.delete(Ref("Dataset", "demo", NAMESPACE))
        assert plane.get(Ref("Dataset", "demo", NAMESPACE))

    def test_scale_sets_replicas_of_a_runtime_only(self, plane: ControlPlane) -> None:
        """A dataset has no scale subresource."""
        plane.apply(runtime())
        assert plane.scale(Ref("AlluxioRuntime", "demo", NAMESPACE), replicas=2)["spec"]["replicas"] == 2
        with pytest.raises(Unsupported):
            plane.scale(Ref("Dataset", "demo", NAMESPACE), replicas=2)

    def test_events_are_about_the_object(self, plane: ControlPlane) -> None:
        """Oldest first; a new object has none, or only such as say why."""
        plane.apply(dataset())
        told = plane.events(Ref("Dataset", "demo", NAMESPACE))
        assert told == sorted(told, key=lambda event: event.last_seen)
        assert all(event.reason for event in told)

    def test_there_is_a_node(self, plane: ControlPlane) -> None:
        """A plane runs somewhere."""
        assert all(node.name for node in plane.nodes())
        assert plane.nodes()


def _last_of_each(events: Iterator[WatchEvent], count: int) -> Mapping[str, str]:
    """The last event of each object, once so many objects were told of."""
    seen: dict[str, str] = {}
    for event in events:
        if event.type != "BOOKMARK":
            seen[event.object["metadata"]["name"]] = event.type
        if len(seen) == count:
            break
    return seen
