"""A workload and its datasets together: held, released, refused, interrupted anywhere and completed."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest

from datafluid.errors import (
    CacheFull,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OperationFailed,
    Timeout,
    Unschedulable,
    Unsupported,
)
from datafluid.model.lint import lint
from datafluid.model.podlabels import SERVERFUL
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from datafluid.submission.client import Submitted
from datafluid.workload.release import CONDITION, SUBMITTED, ReleaseCondition
from tests.submission.stage import DATASET, FLIGHTS, JOB, JOB_REF, NAMESPACE, RUNTIME, Killed, Stage, client

HOSTNAME = "kubernetes.io/hostname"


def job(**changes: Any) -> Manifest:
    """The workload, changed."""
    made = copy.deepcopy(JOB)
    made["metadata"].update(changes.pop("metadata", {}))
    made["spec"].update(changes)
    return made


def test_everything_is_applied_held_and_let_go() -> None:
    """In this order, once each; the pins, the load and the annotations are there."""
    plane, steps = Stage(), []
    done = client(plane).submit(JOB, [DATASET, RUNTIME], load=0.5, tell=lambda step: steps.append(type(step).__name__))
    assert done.runs
    assert [each for each in steps if each != "Wait"] == ["Apply", "Create", "Patch", "Done"]
    pinned = plane.get(FLIGHTS)["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
    assert (pinned["key"], pinned["values"]) == (HOSTNAME, ["n0", "n1", "n2"])
    (load,) = plane.list("DataLoad")
    assert load["spec"]["dataset"] == {"name": "flights", "namespace": NAMESPACE}
    live = plane.get(JOB_REF)
    assert live["spec"]["suspend"] is False
    assert live["metadata"]["annotations"] == {SUBMITTED: "true"}


def test_it_is_held_until_all_is_there() -> None:
    """Bound, the claim, a node, the load: each is told as what is missing, and only then is it let go."""
    plane = Stage(lively=False)
    held = client(plane).submit(JOB, [DATASET, RUNTIME], load=0.5, detach=True)
    assert not held.runs
    waits = []
    for _ in range(3):
        waits.append(missing(plane))
        plane.get_on(FLIGHTS)
    waits.append(missing(plane))
    plane.cached("49.9%")
    waits.append(missing(plane))
    assert waits == [
        "team/flights waits for its runtime to be set up",
        "team/flights waits for its PersistentVolumeClaim",
        "team/flights is cached on 0 of 1 nodes",
        "team/flights waits for 50% cached",
        "team/flights waits for 50% cached, 49% so far",
    ]
    assert plane.get(JOB_REF)["spec"]["suspend"] is True
    plane.cached("50.0%")
    assert client(plane).resume("batch/v1/Job/train").runs
    assert plane.get(JOB_REF)["spec"]["suspend"] is False


def test_letting_go_is_told_once_however_often_it_is_tried() -> None:
    """A controller that writes in between makes it a conflict."""

    class Disturbed(Stage):
        tries = 0

        def patch(self, ref: Ref, changes: Manifest, **more: Any) -> Manifest:
            self.tries += ref == JOB_REF
            if self.tries == 1:
                raise Conflict("somebody was faster.", hint="Look again.")
            return super().patch(ref, changes, **more)

    plane, steps = Disturbed(), []
    assert client(plane).submit(JOB, [DATASET, RUNTIME], tell=lambda step: steps.append(type(step).__name__)).runs
    assert plane.tries == 2
    assert steps.count("Patch") == 1


def missing(plane: Stage) -> str:
    """What a client that resumes is told."""
    with pytest.raises(Timeout, match="is still held") as caught:
        client(plane).resume(JOB_REF, timeout=0)
    assert (
        f"`datafluid submit --resume {JOB_REF.kind}/{JOB_REF.name} -n {NAMESPACE} --context stage`" in caught.value.hint
    )
    return str(caught.value.last_seen)


def test_a_required_cache_waits_for_all_workers() -> None:
    """Two of them; a preferred one runs with the first."""
    label = {"fluid.io/dataset.flights.sched": "required"}
    required = job()
    required["spec"]["template"]["metadata"] = {"labels": label}
    plane = Stage(lively=False)
    client(plane).submit(required, [DATASET, RUNTIME], detach=True)
    plane.get_on(FLIGHTS)
    plane.get_on(FLIGHTS)
    plane.label(FLIGHTS, 1)
    assert missing(plane) == "team/flights is cached on 1 of 2 nodes"
    plane.label(FLIGHTS, 2)
    assert client(plane).resume(JOB_REF).runs


def kill_points() -> list[int]:
    """Before and after each change of a whole run."""
    plane = Stage()
    client(plane).submit(wrapped(), [DATASET, RUNTIME], load=True)
    return [sign * number for number in range(1, plane.changes + 1) for sign in (1, -1)]


class Wrapped:
    """What `datafluid.wrap` returns, as far as submitting looks at it."""

    manifest = JOB
    extras = ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "core-site"}, "data": {"a": "b"}},)


def wrapped() -> Wrapped:
    """A workload with an extra."""
    return Wrapped()


@pytest.mark.parametrize("point", kill_points())
def test_killed_anywhere_the_same_command_completes(point: int) -> None:
    """And ends in the same state as when nobody interferes; in between the workload never runs too early."""
    calm, plane = Stage(), Stage(killed_at=point)
    client(calm).submit(wrapped(), [DATASET, RUNTIME], load=True)
    with pytest.raises(Killed):
        client(plane).submit(wrapped(), [DATASET, RUNTIME], load=True)
    if point != -calm.changes:
        assert not is_running(plane)
    plane.killed_at = None
    assert client(plane).submit(wrapped(), [DATASET, RUNTIME], load=True).runs
    assert state(plane) == state(calm)
    assert client(plane).submit(wrapped(), [DATASET, RUNTIME], load=True).runs
    assert state(plane) == state(calm)


def is_running(plane: Stage) -> bool:
    """Whether the Job may make pods."""
    return any(not each["spec"].get("suspend") for each in plane.list("batch/v1/Job"))


def state(plane: Stage) -> dict[str, Any]:
    """All objects, without what is different each time."""
    found = {}
    kinds = ("Dataset", "AlluxioRuntime", "DataLoad", "batch/v1/Job", "v1/ConfigMap", "v1/Node")
    fleeting = ("uid", "resourceVersion", "generation", "creationTimestamp")
    for each in (each for kind in kinds for each in plane.list(kind)):
        metadata = {key: value for key, value in each["metadata"].items() if key not in fleeting}
        metadata["ownerReferences"] = [{**owner, "uid": ""} for owner in metadata.get("ownerReferences", ())]
        status = {key: value for key, value in (each.get("status") or {}).items() if key != "cacheStates"}
        found[str(Ref.of(each))] = {**each, "metadata": metadata, "status": status}
    return found


def test_extras_belong_to_the_workload() -> None:
    """With a second workload they belong to both, so the first one's end does not take them away."""
    plane = Stage()
    client(plane).submit(wrapped(), [DATASET, RUNTIME])
    second = Wrapped()
    second.manifest = job(metadata={"name": "second"})
    client(plane).submit(second, ["team/flights"])
    owners = plane.get(Ref("v1/ConfigMap", "core-site", NAMESPACE))["metadata"]["ownerReferences"]
    assert [each["name"] for each in owners] == ["train", "second"]


def test_what_is_held_is_not_planned_anew() -> None:
    """The cluster may have filled meanwhile: the same command waits for the data all the same."""
    plane = Stage(lively=False)
    client(plane).submit(JOB, [DATASET, RUNTIME], detach=True)
    for node in plane.list("v1/Node"):
        plane.patch(Ref.of(node), {"spec": {"unschedulable": True}})
    plane.moving = True
    assert client(plane).submit(JOB, [DATASET, RUNTIME]).runs


def test_no_fit_applies_nothing() -> None:
    """The reasons come counted."""
    plane = Stage()
    big = job()
    big["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "64"}}
    with pytest.raises(Unschedulable) as caught:
        client(plane).submit(big, [DATASET, RUNTIME])
    assert caught.value.reasons == {"too little cpu": 3}
    assert plane.changes == 0


def test_a_dataset_that_is_there_keeps_its_pins() -> None:
    """Those of an earlier submission, and it is not tied anew though the plan would now be another."""
    plane = Stage()
    client(plane).submit(JOB, [DATASET, RUNTIME])
    before = plane.get(FLIGHTS)["spec"]["nodeAffinity"]
    plane.delete(Ref("v1/Node", "n2"))
    client(plane).submit(job(metadata={"name": "again"}), [DATASET, RUNTIME])
    assert plane.get(FLIGHTS)["spec"]["nodeAffinity"] == before


def test_a_failed_load_is_told_and_loaded_again_by_the_same_command() -> None:
    """The workload stays held meanwhile."""
    plane = Stage(lively=False)
    client(plane).submit(JOB, [DATASET, RUNTIME], load=True, detach=True)
    plane.get_on(FLIGHTS)
    (load,) = plane.list("DataLoad")
    plane.set_status(Ref.of(load), {"phase": "Failed", "conditions": [], "duration": "1s"})
    with pytest.raises(OperationFailed):
        client(plane).resume(JOB_REF)
    assert not is_running(plane)
    plane.moving = True
    assert client(plane).submit(JOB, [DATASET, RUNTIME], load=True).runs


def test_what_can_never_be_cached_is_not_waited_for() -> None:
    """A cache that is too small."""
    plane = Stage(lively=False)
    client(plane).submit(JOB, [DATASET, RUNTIME], load=1.0, detach=True)
    plane.get_on(FLIGHTS)
    plane.get_on(FLIGHTS)
    status = plane.get(FLIGHTS)["status"]
    plane.set_status(FLIGHTS, {**status, "ufsTotal": "2.00GiB", "cacheStates": {"cacheCapacity": "1.00GiB"}})
    with pytest.raises(CacheFull, match="100% can never be cached"):
        client(plane).resume(JOB_REF)


def test_a_workload_that_nobody_submitted_is_left_alone() -> None:
    """Of that name: a conflict, before anything is applied; resuming it as well."""
    plane = Stage()
    plane.create({**JOB, "metadata": {"name": "train", "namespace": NAMESPACE}})
    with pytest.raises(Conflict, match="is there already"):
        client(plane).submit(JOB, [DATASET, RUNTIME])
    assert plane.list("Dataset") == []
    with pytest.raises(Conflict, match="was not submitted"):
        client(plane).resume(JOB_REF)


def test_a_workload_that_is_deleted_meanwhile_is_not_created_again() -> None:
    """Whoever deletes it means it."""
    plane = Stage(lively=False)
    waiting = threading.Event()
    errors: list[BaseException] = []

    def submit() -> None:
        try:
            client(plane).submit(JOB, [DATASET, RUNTIME], tell=lambda step: step_seen(step, waiting))
        except NotFound as error:
            errors.append(error)

    thread = threading.Thread(target=submit)
    thread.start()
    assert waiting.wait(20)
    plane.delete(JOB_REF)
    plane.get_on(FLIGHTS)
    thread.join(20)
    assert "is not there any more" in str(errors[0])
    assert plane.list("batch/v1/Job") == []


def step_seen(step: Any, waiting: threading.Event) -> None:
    """Set the event at the first wait."""
    if type(step).__name__ == "Wait":
        waiting.set()


def test_two_clients_let_it_go_once() -> None:
    """The release carries the version that was seen; who comes second looks again and finds it done."""
    plane = Stage(lively=False)
    client(plane).submit(JOB, [DATASET, RUNTIME], detach=True)
    for _ in range(3):
        plane.get_on(FLIGHTS)
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(client(plane).resume(JOB_REF).runs)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [True] * 4


def test_load_is_refused_where_it_cannot_be_waited_for() -> None:
    """Runtimes without a DataLoad, and those that do not tell how much is cached: nothing is applied."""
    plane = Stage()
    juice = {**RUNTIME, "kind": "JuiceFSRuntime"}
    with pytest.raises(Unsupported, match="does not tell how much is cached"):
        client(plane).submit(JOB, [DATASET, juice], load=0.5)
    efc = {**RUNTIME, "kind": "EFCRuntime"}
    with pytest.raises(Unsupported, match="cannot be loaded"):
        client(plane).submit(JOB, [DATASET, efc], load=True)
    with pytest.raises(Invalid, match="no fraction"):
        client(plane).submit(JOB, [DATASET, RUNTIME], load=1.5)
    assert plane.changes == 0


def test_a_load_among_the_files_is_the_load() -> None:
    """No second one is made."""
    plane = Stage()
    own = {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "DataLoad",
        "metadata": {"name": "mine"},
        "spec": {"dataset": {"name": "flights", "namespace": NAMESPACE}, "target": [{"path": "/2013"}]},
    }
    client(plane).submit(JOB, [DATASET, RUNTIME, own], load=True)
    assert [each["metadata"]["name"] for each in plane.list("DataLoad")] == ["mine"]


def test_what_cannot_be_held_is_created_when_its_data_is_there() -> None:
    """Under Kueue, say; then it cannot be left alone."""
    queued = job(metadata={"labels": {"kueue.x-k8s.io/queue-name": "team"}})
    plane = Stage(lively=False)
    with pytest.raises(Invalid, match="cannot be left alone"):
        client(plane).submit(queued, [DATASET, RUNTIME], detach=True)
    with pytest.raises(Timeout, match="still waits") as caught:
        client(plane).submit(queued, [DATASET, RUNTIME], timeout=0)
    assert "same command" in caught.value.hint  # there is nothing to resume
    assert plane.list("batch/v1/Job") == []
    plane.moving = True
    assert client(plane).submit(queued, [DATASET, RUNTIME]).runs
    assert "suspend" not in plane.get(JOB_REF)["spec"]


def test_what_is_held_is_let_go_the_way_it_was_held() -> None:
    """Also where another way, or none, would be chosen today: Kueue's label came after the hold."""
    plane = Stage(lively=False)
    client(plane).submit(JOB, [DATASET, RUNTIME], detach=True)
    plane.moving = True
    queued = job(metadata={"labels": {"kueue.x-k8s.io/queue-name": "team"}})
    assert client(plane).submit(queued, [DATASET, RUNTIME]).runs
    assert plane.get(JOB_REF)["spec"]["suspend"] is False


def test_an_autoscaled_deployment_is_refused() -> None:
    """Its autoscaler would undo the hold."""
    plane = Stage()
    deployment = {**JOB, "apiVersion": "apps/v1", "kind": "Deployment"}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "train"}
    plane.create(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "h", "namespace": NAMESPACE},
            "spec": {"scaleTargetRef": target},
        }
    )
    with pytest.raises(Invalid, match="an autoscaler sets its replicas"):
        client(plane).submit(deployment, [DATASET, RUNTIME])
    assert plane.list("Dataset") == []


def test_a_service_that_runs_is_followed_and_then_changed() -> None:
    """Its caches go to the nodes of its pods; it is not stopped meanwhile."""
    plane = Stage()
    template = copy.deepcopy(JOB["spec"]["template"])
    template["metadata"] = {"labels": {"app": "trino"}}
    trino: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "trino", "namespace": NAMESPACE},
        "spec": {"replicas": 3, "template": template},
    }
    plane.create(trino)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": NAMESPACE, "labels": {"app": "trino"}},
    }
    plane.create({**pod, "spec": {"nodeName": "n1", "containers": []}})
    changed = copy.deepcopy(trino)
    changed["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    one = {**RUNTIME, "spec": {**RUNTIME["spec"], "replicas": 1}}
    done = client(plane).submit(changed, [DATASET, one], slack=0)
    assert done.plan.pins["team/flights"].hostnames == ("n1",)
    live = plane.get(Ref("apps/v1/Deployment", "trino", NAMESPACE))
    assert live["spec"]["replicas"] == 3
    assert live["spec"]["template"]["spec"]["containers"][0]["env"]


def test_the_embedded_plane_runs_no_workloads() -> None:
    """It says what to do."""
    import datafluid

    with pytest.raises(Unsupported, match="runs no workloads"):
        datafluid.connect("embedded").submit(JOB, [DATASET])


def test_one_workload_with_a_name_at_a_time() -> None:
    """Two of them, none, or one that cannot be found again."""
    plane = Stage()
    with pytest.raises(Invalid, match="given: Job train, Job other"):
        client(plane).submit([JOB, job(metadata={"name": "other"})], [DATASET])
    with pytest.raises(Invalid, match="given: none"):
        client(plane).submit([DATASET], [RUNTIME])
    nameless = {**JOB, "metadata": {"generateName": "train-"}}
    with pytest.raises(Invalid, match="without a name"):
        client(plane).submit(nameless, [DATASET])


def test_the_annotation_is_not_believed_blindly() -> None:
    """Nonsense in it is an error that says what to do."""
    with pytest.raises(Invalid, match="not one that datafluid wrote"):
        ReleaseCondition.parse('{"datasets": 1}')
    plane = Stage(lively=False)
    client(plane).submit(JOB, [DATASET, RUNTIME], detach=True)
    plane.patch(JOB_REF, {"metadata": {"annotations": {CONDITION: "x"}}})
    with pytest.raises(Invalid):
        client(plane).resume(JOB_REF)


def plain_job() -> Manifest:
    """A Job that knows nothing of datasets."""
    bare = job()
    del bare["spec"]["template"]["spec"]["volumes"]
    return bare


def warned(done: Submitted) -> list[tuple[str, str]]:
    """What lint warned of: code and object."""
    return [(each.code, each.object) for each in done.findings if each.severity == "warning"]


def test_what_lint_warns_of_is_returned_and_told_before_anything_is_changed() -> None:
    """Of the datasets and of the workload, which are looked at together."""
    plane, told = Stage(), []
    work = job()
    work["spec"]["template"]["metadata"] = {"labels": {"fluid.io/dataset.flights.sched": "yes"}}
    runtime = copy.deepcopy(RUNTIME)
    runtime["spec"]["master"] = {"replicas": 2}

    def begin(submitted: Submitted) -> None:
        told.extend(warned(submitted))
        assert plane.changes == 0

    done = client(plane).submit(work, [DATASET, runtime], begin=begin)
    assert {("DF221", "AlluxioRuntime flights"), ("DF401", "Job train")} <= set(warned(done))
    assert told == warned(done)


def test_what_goes_with_it_takes_the_place_of_nothing_that_is_yours() -> None:
    """A ConfigMap of the name that wrap would give its own stays, and that is told."""
    yours = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "train-fluid-hadoop"}, "data": {"a": "b"}}
    plane = Stage()
    done = client(plane).submit(plain_job(), [DATASET, RUNTIME, yours], uses=["flights,api=hcfs"])
    assert plane.get(Ref("v1/ConfigMap", "train-fluid-hadoop", NAMESPACE))["data"] == {"a": "b"}
    assert any("Your ConfigMap team/train-fluid-hadoop is there already" in note for note in done.notes)


def test_what_lint_refuses_in_the_workload_is_not_begun() -> None:
    """A pod that Fluid's webhook would keep pending for ever; without the webhook's label it is nobody's."""
    reference = {**DATASET, "spec": {"mounts": [{"mountPoint": "dataset://other/flights"}]}}
    work = job()
    labels = {"fluid.io/dataset.flights.sched": "required"}
    work["spec"]["template"]["metadata"] = {"labels": {**labels, SERVERFUL: "true"}}
    plane = Stage()
    with pytest.raises(Invalid, match="Pending for ever"):
        client(plane).submit(work, [reference])
    assert plane.changes == 0
    del work["spec"]["template"]["metadata"]["labels"][SERVERFUL]
    assert client(plane).submit(work, [reference]).runs


def test_uses_wrap_the_workload_first() -> None:
    """The new dataset is mounted and required; the planner does not ask for labels that no node has yet."""
    plane = Stage()
    done = client(plane).submit(plain_job(), [DATASET, RUNTIME], uses=["flights:/data,locality=require"])
    spec = plane.get(JOB_REF)["spec"]["template"]["spec"]
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/data"
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["key"] == "fluid.io/s-team-flights"
    assert done.plan.nodes == ("n0", "n1", "n2")
    assert len(done.plan.pins["team/flights"].hostnames) == 3


def test_a_dataset_of_another_namespace_comes_with_a_reference() -> None:
    """It is applied, waited for, and goes with the workload; the physical one stays."""
    plane = Stage()
    other = {**DATASET, "metadata": {"name": "flights", "namespace": "other"}}
    runtime = {**RUNTIME, "metadata": {"name": "flights", "namespace": "other"}}
    client(plane).apply([other, runtime])
    physical = Ref("Dataset", "flights", "other")
    while plane.get_on(physical):
        pass
    assert client(plane).submit(plain_job(), uses=["other/flights"]).runs
    (reference,) = plane.list("Dataset", namespace=NAMESPACE)
    assert reference["spec"]["mounts"] == [{"mountPoint": "dataset://other/flights"}]
    assert [each["name"] for each in reference["metadata"]["ownerReferences"]] == ["train"]
    assert "ownerReferences" not in plane.get(physical)["metadata"]
    second = plain_job()
    second["metadata"]["name"] = "second"
    assert client(plane).submit(second, uses=["other/flights"]).runs
    (reference,) = plane.list("Dataset", namespace=NAMESPACE)
    assert [each["name"] for each in reference["metadata"]["ownerReferences"]] == ["train", "second"]
    assert [found for found in lint([reference]) if found.code == "DF020"] == []  # what we write is a setting of ours


def test_the_values_of_a_chart_are_not_applied() -> None:
    """Their datasets are, and are waited for; helm does the rest."""
    plane = Stage()
    values = {"image": {"repository": "trinodb/trino"}, "server": {"workers": 2}, "worker": {}, "coordinator": {}}
    done = client(plane).submit(values, [DATASET, RUNTIME])
    assert done.runs
    assert done.ref is None
    assert done.resume_command == ""
    assert any("helm upgrade" in note for note in done.notes)
    assert plane.get(FLIGHTS)["status"]["phase"] == "Bound"


def test_a_daemon_set_comes_after_its_data() -> None:
    """It cannot be held; its pods go to every node that fits."""
    plane = Stage(lively=False)
    daemons = {**JOB, "apiVersion": "apps/v1", "kind": "DaemonSet"}
    with pytest.raises(Timeout):
        client(plane).submit(daemons, [DATASET, RUNTIME], timeout=0)
    assert plane.list("apps/v1/DaemonSet") == []
    plane.moving = True
    assert client(plane).submit(daemons, [DATASET, RUNTIME]).plan.room == {"pod": (3, 3)}


class Narrow(Stage):
    """A plane that shows neither nodes, claims, autoscalers nor agents."""

    def list(self, kind: str, **settings: Any) -> Any:
        if kind in ("v1/Node", "v1/Pod", "v1/ConfigMap", "autoscaling/v2/HorizontalPodAutoscaler"):
            raise Forbidden(f"may not list {kind}.")
        return super().list(kind, **settings)

    def get(self, ref: Ref) -> Manifest:
        if ref.kind == "v1/PersistentVolumeClaim":
            raise Forbidden("may not see claims.")
        return super().get(ref)

    def get_on(self, ref: Ref) -> bool:
        there = [each for each in super().list("Dataset") if Ref.of(each) == ref]
        if not there or there[0].get("status"):
            return False
        runtimes = [{"name": ref.name, "namespace": ref.namespace, "type": "alluxio"}]
        mounts = there[0]["spec"]["mounts"]
        self.set_status(ref, {"phase": "Bound", "conditions": [], "mounts": mounts, "runtimes": runtimes})
        return True


def test_who_may_see_little_submits_without_a_plan() -> None:
    """It is told that nothing was planned, and what cannot be seen is not waited for."""
    plane = Narrow()
    service = {**JOB, "apiVersion": "apps/v1", "kind": "Deployment"}
    done = client(plane).submit(service, [DATASET, RUNTIME], uses=["flights"])
    assert done.runs
    assert done.plan.pins == {}
    assert any(note.startswith("Nothing was planned, so caches go where Fluid puts them") for note in done.notes)


@pytest.mark.parametrize(
    "text", ['{"datasets":[{"namespace":"t","name":7}],"before":null,"extras":[]}', "[]", "{}", "1"]
)
def test_a_condition_of_the_wrong_types_is_refused(text: str) -> None:
    """Nobody is let go, or kept, by an annotation that makes no sense."""
    with pytest.raises(Invalid):
        ReleaseCondition.parse(text)
