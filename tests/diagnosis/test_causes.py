"""Every cause is found where it is, first, with its evidence and a command; and nowhere else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import datafluid
from datafluid.diagnosis import CAUSES, Picture, collect, diagnose
from datafluid.model.lint.subject import Subject
from datafluid.model.ref import Ref
from tests.datasets import dataset_manifest

from .cases import CASES, Case
from .world import DATASET, NOW, RUNTIME, World, obj

#: Causes that have tests of their own: no cluster in memory is without Fluid, or badly named, or one machine.
ELSEWHERE = {"no-fluid", "bad-name", "not-bound-yet", "not-reached", "store-away", "not-served"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_the_likeliest_cause_comes_first(case: Case) -> None:
    """One thing is broken, and that is what is said first."""
    world = World()
    case.broken(world)
    diagnosis = world.diagnose()
    assert diagnosis.causes, "nothing was found"
    first = diagnosis.causes[0]
    told = "\n".join((first.summary, *first.evidence, first.command))
    assert first.code == case.code, diagnosis.text()
    assert all(each in told for each in case.seen), told
    assert first.summary[:1].isupper()
    assert first.evidence
    if first.command:
        assert shlex.split(first.command)[0] in ("kubectl", "datafluid")


def test_nothing_is_wrong_where_nothing_is() -> None:
    """A dataset in order has no causes at all."""
    diagnosis = World().diagnose()
    assert diagnosis.causes == (), diagnosis.text()
    assert diagnosis.healthy
    assert "Nothing wrong was found." in diagnosis.text()


def test_every_cause_has_a_case() -> None:
    """A rule without a case is not finished."""
    assert {each.code for each in CAUSES} == {case.code for case in CASES} | ELSEWHERE
    assert len({each.code for each in CAUSES}) == len(CAUSES)


def test_a_cluster_without_fluid() -> None:
    """Discovery says so before anything else is looked at."""
    picture = Picture(ref=DATASET, namespace="team", now=NOW, served=frozenset({"v1/Pod"}))
    assert diagnose(picture).causes[0].code == "no-fluid"


def test_a_name_that_no_service_could_have() -> None:
    """The API server takes it, the controller never does."""
    ref = Ref("Dataset", "1demo", "team")
    world = World().put(obj(ref, spec={"mounts": [{"mountPoint": "s3://bucket/data"}]}, status={"phase": "NotBound"}))
    world.told(ref, "ErrorCreateDataset", "a DNS-1035 label must consist of lower case characters", count=14)
    first = diagnose(collect(world.plane, ref)).causes[0]
    assert (first.code, first.command) == ("bad-name", "kubectl delete dataset 1demo -n team")
    assert "(14x)" in first.evidence[0]


def test_an_operation_waits_with_its_dataset() -> None:
    """It is told after what the dataset itself waits for."""
    world = World().unbind().remove(RUNTIME).operate("DataLoad")
    assert [cause.code for cause in world.diagnose().causes] == ["no-runtime", "not-bound-yet"]


def test_a_schedule_on_one_machine_needs_somebody_who_runs_it(tmp_path: Path) -> None:
    """The embedded plane has no daemon, and says so."""
    client = datafluid.connect()
    client.apply(dataset_manifest("files", f"local://{tmp_path}"))
    client.dataset("files").wait(timeout=60)
    client.dataset("files").load(schedule="0 3 * * *", name="nightly")
    (cause,) = client.dataset("files").diagnose().causes
    assert (cause.code, cause.command) == ("not-served", "datafluid serve")


def test_a_store_that_went_away_is_told_with_since_when() -> None:
    """Complete cached files may still be served; the condition has since when."""
    away = {"type": "UnderStoreAway", "status": "True", "message": "s3://bucket does not answer"}
    world = World().change(DATASET, status={"conditions": [{**away, "lastTransitionTime": "2027-01-15T07:30:00Z"}]})
    (cause,) = world.diagnose().causes
    assert (cause.code, cause.evidence[1]) == ("store-away", "since 2027-01-15T07:30:00Z")


WORDS = st.sampled_from(
    ["demo", "team", "app", "Pending", "Failed", "Executing", "true", "fluid", "OOMKilled", "8Gi", "x"]
)
FIELDS = st.sampled_from(
    "name namespace labels annotations finalizers deletionTimestamp phase conditions reason message type status spec "
    "containerStatuses state waiting terminated lastState volumes persistentVolumeClaim claimName nodeName policy "
    "runAfter kind dataset replicas cacheStates cacheHitRatio mounts mountPoint suspend metadata".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=25,
)


ORDERLY = World().operate("DataLoad").operate("DataBackup", name="save").look()
PLACES = [(kind, number) for kind, found in sorted(ORDERLY.objects.items()) for number in range(len(found))]


@given(
    st.dictionaries(
        st.sampled_from(PLACES), st.tuples(st.sampled_from(["metadata", "spec", "status"]), JSON), max_size=4
    )
)
def test_nothing_makes_diagnosis_fail(spoilt: dict[tuple[str, int], tuple[str, Any]]) -> None:
    """Objects that are wrong through and through, in a world that is in order otherwise, raise nothing."""
    objects = {kind: list(found) for kind, found in ORDERLY.objects.items()}
    for (kind, number), (where, value) in spoilt.items():
        objects[kind][number] = Subject(data=_spoilt(objects[kind][number].data, where, value))
    diagnosis = diagnose(replace(ORDERLY, objects={kind: tuple(found) for kind, found in objects.items()}))
    assert all(line.isprintable() for line in diagnosis.text().split("\n"))
    assert all(cause.summary and cause.evidence for cause in diagnosis.causes)
    json.dumps(diagnosis.as_dict())
    assert diagnosis.html()


def _spoilt(manifest: Mapping[str, Any], where: str, value: Any) -> dict[str, Any]:
    """The manifest with one of its parts overlaid by anything; it keeps its name."""
    part = {**(manifest.get(where) or {}), **(value if isinstance(value, dict) else {})} if value else value
    if where == "metadata":
        part = {**(part if isinstance(part, dict) else {}), "name": manifest["metadata"]["name"]}
    return {**manifest, where: part}


def _ended(phase: str, at: str, *paths: str, **spec: Any) -> dict[str, Any]:
    kind = "Complete" if phase == "Complete" else "Failed"
    told = {"type": kind, "status": "True", "lastTransitionTime": f"2027-01-15T{at}:00Z"}
    targets = {"target": [{"path": path} for path in paths]} if paths else {}
    return {"status": {"phase": phase, "conditions": [told]}, **targets, **spec}


@pytest.mark.parametrize(
    ("later", "made_good"),
    [
        (_ended("Complete", "07:50", "/a/b"), True),
        (_ended("Complete", "07:50", "/x", "/a"), True),
        (_ended("Complete", "07:50"), True),
        (_ended("Complete", "07:30", "/a/b"), False),
        (_ended("Complete", "07:50", "/a/bc"), False),
        (_ended("Complete", "07:50", "/a/b", options={"loadMetadataOnly": "true"}), False),
        (_ended("Failed", "07:50", "/a/b"), False),
    ],
    ids=["the same", "more", "all", "before it", "something else", "in another way", "in vain"],
)
def test_what_failed_is_no_matter_when_it_was_done_since(later: dict[str, Any], made_good: bool) -> None:
    """Else a dataset that is as it should be would be wrong for as long as the old object is kept."""
    world = World().operate("DataLoad", name="first", **_ended("Failed", "07:40", "/a/b"))
    assert "failed" in [cause.code for cause in world.diagnose().causes]
    world.operate("DataLoad", name="again", **later)
    first = [cause for cause in world.diagnose().causes if "first" in cause.summary]
    assert (not first) == made_good
