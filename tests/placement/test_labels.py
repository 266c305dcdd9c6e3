"""Label keys and names, letter by letter as Fluid writes them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid import placement
from datafluid.model.names import OPERATION_KINDS, OperationNames, is_dns1035_label, name_budget
from datafluid.placement.labels import RUNTIME_TYPES, labels
from datafluid.placement.workeraffinity import cache_affinity, is_exclusive, worker_affinity
from tests.cluster.double.nodelabels import labels_after_sync
from tests.shared import golden, needs_recordings

LABELS, NAMES, WORKERS = (golden(name) for name in ("labels.json", "names.json", "worker_affinity.json"))


def by_id(rows: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in rows]


@needs_recordings
@pytest.mark.parametrize("row", by_id(LABELS.get("rows", [])))
def test_keys_and_values_are_those_of_fluid(row: dict[str, Any]) -> None:
    """Every recorded table comes out the same, with and without a UID, short and long."""
    keys = labels(row["namespace"], row["name"], uid=row["uid"] or None, runtime_type=row["runtime_type"])
    got = {
        "common_label": keys.dataset,
        "fuse_label": keys.fuse,
        "pv_mount_pod_node_selector_key": keys.fuse,
        "runtime_label": keys.runtime,
        "capacity_labels": dict(keys.capacities),
        "dataset_num_label": keys.dataset_count,
        "exclusive_label_key": keys.exclusive,
        "exclusive_label_value": keys.exclusive_value,
        "dataset_id": keys.id,
        "pvc_labels": dict(keys.pvc),
    }
    assert {field: row[field] for field in got} == got
    assert sorted(row["keys_rejected_by_kubernetes"]) == sorted(keys.refused_by_kubernetes)


@needs_recordings
@pytest.mark.parametrize("run", by_id(LABELS.get("node_labels", [])))
def test_nodes_are_labelled_as_fluid_does_it(run: dict[str, Any]) -> None:
    """After a run of Fluid's sync every node has exactly the labels that were recorded."""
    given = run["input"]
    runtime = {"kind": "AlluxioRuntime", "spec": {"tieredstore": given["tieredstore"]}}
    after = labels_after_sync(
        given["nodes"], given["dataset"], runtime, runtime_type=given["runtime_type"], workers_on=given["workers_on"]
    )
    assert after == run["output"]["nodes"]


@needs_recordings
@pytest.mark.parametrize("run", by_id(WORKERS.get("vectors", [])))
def test_workers_are_placed_as_fluid_does_it(run: dict[str, Any]) -> None:
    """The affinity of the worker pods, and what the runtime's status repeats of it."""
    given, expected = run["input"], run["output"]
    affinity = worker_affinity(
        given["dataset"], runtime_type=given["runtime_type"], existing=given["existing_affinity"]
    )
    assert affinity == expected["affinity"]
    assert is_exclusive(given["dataset"]) == (expected["placement_mode_effective"] == "Exclusive")
    assert cache_affinity(affinity, given["worker_node_selector"]) == expected["runtime_status_cache_affinity"]


@given(st.integers(0, 3), st.booleans(), st.sampled_from(RUNTIME_TYPES))
def test_labels_that_were_put_on_a_node_are_taken_away_again(others: int, exclusive: bool, runtime_type: str) -> None:
    """A worker that comes and goes leaves a node as it was, however many other datasets it holds."""
    before = {"zone": "a"} | ({"fluid.io/dataset-num": str(others)} if others else {})
    placement = "Exclusive" if exclusive else "Shared"
    dataset = {"metadata": {"namespace": "team", "name": "flights"}, "spec": {"placement": placement}}
    there = labels_after_sync({"n": before}, dataset, None, runtime_type=runtime_type, workers_on=["n"])
    assert there["n"]["fluid.io/dataset-num"] == str(others + 1)
    gone = labels_after_sync(there, dataset, None, runtime_type=runtime_type, workers_on=[])
    assert gone == {"n": before}


_label = st.from_regex(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
_uid = st.uuids(version=4).map(str)
_type = st.sampled_from(RUNTIME_TYPES)


@given(_label, _label, _uid, _type)
def test_with_a_uid_every_key_fits(namespace: str, name: str, uid: str, runtime_type: str) -> None:
    """Given the UID, no key is refused and no value is too long, however long the names are."""
    keys = labels(namespace, name, uid=uid, runtime_type=runtime_type)
    assert keys.refused_by_kubernetes == ()
    assert len(keys.id) < 63
    assert len(keys.exclusive_value) < 63


@given(_label, _label, _uid, _type)
def test_the_uid_changes_only_keys_that_are_too_long(namespace: str, name: str, uid: str, runtime_type: str) -> None:
    """A key has either its plain form, or the UID in the place of the names as the whole had 63 or more."""
    plain = labels(namespace, name, runtime_type=runtime_type)
    given_uid = labels(namespace, name, uid=uid, runtime_type=runtime_type)
    for before, after in zip(plain, given_uid, strict=True):
        assert after == (before if len(before) < 63 else before.replace(f"{namespace}-{name}", uid))


@given(_label, _label, st.uuids(version=4), st.uuids(version=4), _type)
def test_another_uid_renames_nothing_but_itself(
    namespace: str, name: str, one: uuid.UUID, other: uuid.UUID, runtime_type: str
) -> None:
    """Replacing the UID in the keys gives the keys of the dataset with the other UID."""
    first = labels(namespace, name, uid=str(one), runtime_type=runtime_type)
    second = labels(namespace, name, uid=str(other), runtime_type=runtime_type)
    assert [key.replace(str(one), str(other)) for key in first] == list(second)


@given(_label, _label)
def test_a_dash_can_move_between_namespace_and_name(left: str, right: str) -> None:
    """Moving the border between namespace and name changes no key: such datasets collide."""
    middle = "x"
    assert list(labels(f"{left}-{middle}", right)) == list(labels(left, f"{middle}-{right}"))
    assert labels(f"{left}-{middle}", right) != labels(left, f"{middle}-{right}") or len(left + right) > 58


@given(_label, _label, _uid)
def test_keys_of_one_dataset_are_distinct(namespace: str, name: str, uid: str) -> None:
    """No two keys of a dataset are the same, over all runtime types."""
    tables = [labels(namespace, name, uid=uid, runtime_type=kind) for kind in RUNTIME_TYPES]
    typed = [key for table in tables for key in table if key not in (table.dataset, table.fuse)]
    assert len(set(typed)) == len(typed)


def test_without_a_runtime_type_only_the_common_keys_are_known() -> None:
    """The keys that hold the type are None and are left out of the iteration."""
    keys = labels("default", "imagenet")
    assert (keys.runtime, keys.capacities) == (None, {})
    assert list(keys) == ["fluid.io/s-default-imagenet", "fluid.io/f-default-imagenet"]


def test_the_package_offers_the_function_and_not_its_module() -> None:
    """``datafluid.placement.labels(…)`` is the public name, although a module is called so too."""
    assert placement.labels is labels


@needs_recordings
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['kind']}-{row['name'][:20]}") for row in NAMES.get("operations", [])]
)
def test_operations_create_what_fluid_creates(row: dict[str, Any]) -> None:
    """Releases, jobs and pods have Fluid's names, and names are judged by Kubernetes' own rule."""
    names = OperationNames.of(row["kind"], row["name"])
    assert (names.release, names.job, names.pod) == (row["helm_release"], row.get("job"), row.get("pod"))
    assert is_dns1035_label(row["name"]) == row["name_is_dns1035_label"]


@pytest.mark.parametrize(
    ("kind", "once", "cron"), [("DataLoad", 46, 41), ("DataMigrate", 45, 36), ("DataProcess", 43, 38)]
)
def test_name_budgets(kind: str, once: int, cron: int) -> None:
    """The budgets are those measured on a cluster."""
    assert (name_budget(kind), name_budget(kind, cron=True)) == (once, cron)


@pytest.mark.parametrize("kind", OPERATION_KINDS)
@pytest.mark.parametrize("cron", [False, True])
def test_a_name_of_the_budget_is_the_longest_that_fits(kind: str, cron: bool) -> None:
    """One character more breaks the limit of helm, of Jobs or of CronJobs; at the budget all hold."""

    def fits(length: int) -> bool:
        names = OperationNames.of(kind, "x" * length)
        return len(names.release) <= 53 and len(names.job or "") <= (52 if cron else 63)

    assert fits(name_budget(kind, cron=cron))
    assert not fits(name_budget(kind, cron=cron) + 1)
