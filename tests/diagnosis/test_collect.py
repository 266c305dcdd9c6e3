"""One look: bounded calls, what may not be read is unknown, and no secret survives it."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import datafluid
from datafluid.diagnosis import collect, diagnose
from datafluid.diagnosis.masking import mask, mask_text, masked_values
from datafluid.engine.home import Home
from datafluid.engine.plane import EmbeddedPlane
from datafluid.errors import Forbidden, Timeout, Unsupported
from datafluid.model.ref import Ref
from datafluid.plane.port import Event
from datafluid.testing import InMemoryPlane
from tests.datasets import dataset_manifest

from .world import APP, CLAIM, DATASET, NOW, RUNTIME, World, obj, operation, pod_of, user_pod

CANARY = "canary-9f3a7c21"


class Counting(InMemoryPlane):
    """Counts the calls that a cluster would answer."""

    def __init__(self) -> None:
        super().__init__(lively=False, clock=lambda: NOW)
        self.calls: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in ("get", "list", "events", "nodes", "kinds", "metadata"):
            return _counted(found, name, super().__getattribute__("calls"))
        return found


def _counted(method: Callable[..., Any], name: str, calls: Counter[str]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        calls[name] += 1
        return method(*args, **options)

    return call


class Refusing(InMemoryPlane):
    """A cluster that forbids some kinds."""

    def __init__(self, *kinds: str) -> None:
        super().__init__(lively=False, clock=lambda: NOW)
        self.kinds_refused = kinds

    def list(self, kind: str, **options: Any) -> Any:
        """Refuses, or lists."""
        if kind in self.kinds_refused:
            raise Forbidden(f"{kind} is forbidden.", rule=f"list {kind} in team")
        return super().list(kind, **options)


def _crowd(plane: InMemoryPlane, count: int) -> int:
    """The calls of one look in a cluster with this many pods and nodes."""
    for each in World().plane.list("Dataset") + World().plane.list("AlluxioRuntime"):
        plane.put(each)
    for number in range(count):
        plane.put(user_pod(f"app-{number}", node=f"n{number}"))
        plane.put(obj(Ref("v1/Node", f"n{number}")))
        worker = pod_of("worker")
        worker["metadata"]["name"] = f"demo-worker-{number}"
        plane.put(worker)
        plane.put(operation(name=f"warm-{number}"))
    counted = plane if isinstance(plane, Counting) else None
    assert counted is not None
    counted.calls.clear()
    collect(counted, DATASET)
    return counted.calls.total()


def test_the_calls_do_not_grow_with_pods_and_nodes() -> None:
    """The same number for one pod and for three hundred, and a small one."""
    few, many = _crowd(Counting(), 1), _crowd(Counting(), 300)
    assert few == many
    assert many <= 40


def test_what_may_not_be_read_is_unknown_and_accuses_nobody() -> None:
    """Forbidden kinds are named with the rule that is missing, and no rule takes them for absent."""
    plane = Refusing("AlluxioRuntime", "v1/Pod", "v1/Node", "v1/PersistentVolumeClaim")
    _fill(plane, World().unbind())
    diagnosis = diagnose(collect(plane, DATASET))
    assert set(diagnosis.picture.unknown) == set(plane.kinds_refused)
    assert not any(cause.certain for cause in diagnosis.causes), diagnosis.text()
    assert "AlluxioRuntime: list AlluxioRuntime in team" in diagnosis.text()
    assert "Unknown, because it may not be looked at" in diagnosis.html()


def test_one_who_may_not_list_datasets_may_see_this_one() -> None:
    """Then it is looked at by its name."""
    plane = Refusing("Dataset")
    _fill(plane, World().unbind().remove(RUNTIME))
    assert diagnose(collect(plane, DATASET)).causes[0].code == "no-runtime"


def test_pods_without_labels_are_known_by_who_made_them() -> None:
    """A CacheRuntime's pods carry what its class says; its workloads carry the dataset's id."""
    world, killed = World(), {"terminated": {"reason": "OOMKilled"}}
    bare = pod_of("worker", containerStatuses=[{"name": "cache", "lastState": killed, "state": {}}])
    bare["metadata"] |= {
        "name": "x-0",
        "labels": {},
        "ownerReferences": [{"kind": "StatefulSet", "name": "demo-worker"}],
    }
    world.put(bare)
    assert world.diagnose().causes[0].code == "worker-killed"
    bare["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "other-worker"}]
    assert World().put(bare).diagnose().healthy


def test_secrets_are_looked_for_and_never_read() -> None:
    """Only metadata of Secrets is asked for, and nothing of their values is in the picture."""
    picture = World().look()
    assert picture.secrets == {"team/keys"}
    assert "v1/Secret" not in picture.objects
    assert "Y2FuYXJ5" not in str(picture)


def _with_canaries() -> World:
    world = World()
    leaks: dict[str, Any] = {
        "mountPoint": f"s3://user:{CANARY}@bucket/data?sig={CANARY}",
        "name": "data",
        "options": {"aws.secretKey": CANARY, "anything": CANARY},
    }
    world.change(DATASET, spec={"mounts": [leaks], "sharedOptions": {"token": CANARY}})
    world.change(DATASET, metadata={"annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY}})
    world.change(RUNTIME, spec={"properties": {"fs.s3a.secret.key": CANARY}, "fuse": {"args": [f"--pw={CANARY}"]}})
    header = {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": f"Bearer {CANARY}"}]}}
    world.change(RUNTIME, spec={"fuse": {"livenessProbe": header, "env": {"X": CANARY}}})
    world.change(RUNTIME, spec={"worker": {"env": {"AWS_SECRET": CANARY}}})
    secrets = [{"name": "main", "env": [{"name": "PASSWORD", "value": CANARY}], "command": ["sh", "-c", CANARY]}]
    world.change(APP, spec={"containers": secrets}, metadata={"annotations": {"example.com/notes": CANARY}})
    world.operate("DataProcess", name="crunch", processor={"script": {"source": f"export PW={CANARY}"}})
    message = f"cannot mount s3://user:{CANARY}@bucket: secretKey={CANARY}, or {CANARY} is wrong"
    world.told(RUNTIME, "RuntimeMountUfsFailed", message)
    world.change(RUNTIME, status={"conditions": [{"type": "Failed", "message": message}]})
    world.unbind().told(DATASET, "ErrorProcessDataset", message)
    return world


def test_no_canary_reaches_text_html_json_or_archive() -> None:
    """Secrets put into every field that could hold one are in nothing that a diagnosis hands out."""
    diagnosis = _with_canaries().diagnose()
    assert [cause.code for cause in diagnosis.causes][:1] == ["mount-error"]
    shown = [
        diagnosis.text(),
        diagnosis.html(),
        json.dumps(diagnosis.as_dict()),
        repr(diagnosis),
        str(diagnosis.picture),
    ]
    with tarfile.open(fileobj=io.BytesIO(diagnosis.archive())) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        shown += [file.read().decode() for file in files.values() if file]
        assert all(member.mode == 0o600 for member in archive.getmembers())
    assert {"README.txt", "diagnosis.txt", "events.json", "objects/Dataset.json", "objects/v1.Pod.json"} <= set(files)
    assert not [each for each in shown if CANARY in each]


FIELDS = st.text() | st.sampled_from(
    ["options", "env", "args", "name", "value", "annotations", "mountPoint", "message"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner)))
def test_masking_takes_any_shape_and_is_idempotent(value: Any) -> None:
    """Masking a masked manifest changes nothing, and no shape makes it fail."""
    once = mask(value)
    assert mask(once) == once
    masked_values(value)


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6, max_size=30))
def test_a_password_in_a_url_is_never_shown(password: str) -> None:
    """Whatever it is made of."""
    masked = mask_text(f"cannot reach s3://u:{password}@h/x")
    assert masked == "cannot reach s3://***@h/x"


def test_an_operation_or_a_runtime_leads_to_its_dataset() -> None:
    """One may ask about what one has at hand."""
    client = World().operate("DataLoad").client
    for kind, name in (("dataload", "warm"), ("alluxio", "demo"), ("dataset", "team/demo")):
        assert client.diagnose(name, kind=kind).picture.ref == DATASET
    with pytest.raises(Unsupported):
        client.diagnose("nfs", kind="ThinRuntimeProfile")
    assert client.dataset("demo").diagnose().healthy


def test_a_claim_of_the_same_name_elsewhere_is_not_ours() -> None:
    """Objects of another namespace are never taken for the dataset's own."""
    world = World().unbind().remove(CLAIM)
    world.put(obj(Ref(CLAIM.kind, "demo", "other")))
    assert "claim-taken" not in [cause.code for cause in world.diagnose().causes]


def test_one_machine_says_what_it_knows(tmp_path: Path) -> None:
    """The embedded plane is diagnosed by its own conditions and events."""
    client = datafluid.connect()
    client.apply(dataset_manifest("gone", f"local://{tmp_path / 'nowhere'}"))
    diagnosis = client.dataset("gone").diagnose()
    assert [cause.code for cause in diagnosis.causes] == ["not-reached"]
    assert "nowhere" in diagnosis.text()
    (tmp_path / "here").mkdir()
    client.apply(dataset_manifest("good", f"local://{tmp_path / 'here'}"))
    client.dataset("good").wait(timeout=60)
    assert client.dataset("good").diagnose().healthy
    assert client.diagnose("goood").causes[0].evidence == ("the namespace has 'good'",)


def test_names_from_outside_cannot_steer_a_terminal_or_a_page() -> None:
    """Escape sequences and markup in names and messages are shown, not obeyed."""
    world = World().unbind().told(RUNTIME, "RuntimeMountUfsFailed", "\x1b[2J<script>alert(1)</script>")
    diagnosis = world.diagnose()
    assert "\x1b" not in diagnosis.text()
    assert "<script>" not in diagnosis.html()


def test_a_wait_that_ends_too_late_says_why() -> None:
    """The error has the likeliest cause, what was seen, and the command that tells more."""
    client = World().unbind().remove(RUNTIME).client
    with pytest.raises(Timeout) as late:
        client.dataset("demo").wait(timeout=0.05)
    assert "No runtime is called 'demo' in namespace 'team'. (phase NotBound; no runtime" in late.value.message
    assert "`datafluid diagnose dataset demo -n team` tells more." in str(late.value)


def test_a_reference_is_cached_where_its_physical_dataset_is() -> None:
    """Pods beside the physical cache are near it; nodes never carry a reference's own label."""
    states = {"cacheHitRatio": "80.0%", "localHitRatio": "10.0%"}
    world = World().remove(RUNTIME)
    world.change(DATASET, spec={"mounts": [{"mountPoint": "dataset://base/imagenet", "name": "data"}]})
    world.change(DATASET, status={"cacheStates": states})
    world.put(obj(Ref("Dataset", "imagenet", "base"), spec={"mounts": []}, status={"phase": "Bound"}))
    node = Ref("v1/Node", "n1")
    world.change(node, metadata={"labels": {"fluid.io/s-team-demo": None, "fluid.io/s-base-imagenet": "true"}})
    assert "low-hits-placement" not in [cause.code for cause in world.diagnose().causes]
    world.put(user_pod("far", node="n2"))
    assert "low-hits-placement" in [cause.code for cause in world.diagnose().causes]


class Vanishing(EmbeddedPlane):
    """A machine on which everything is deleted right after it was listed."""

    def events(self, ref: Ref) -> list[Event]:
        """Of nothing."""
        self.delete(ref)
        return super().events(ref)


def test_what_goes_while_it_is_looked_at_has_no_events(home: Path) -> None:
    plane = Vanishing(Home.open(home))
    ref = Ref.of(plane.apply(dataset_manifest("demo", "s3://bucket/x")))
    assert collect(plane, ref).happenings == ()


def _fill(plane: InMemoryPlane, world: World) -> None:
    """All objects of a world but its events."""
    for kind in world.plane.kinds() - {"v1/Event"}:
        for manifest in world.plane.list(kind):
            plane.put(manifest)
