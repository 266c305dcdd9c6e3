"""Lint for a cluster: what is looked at, and what is not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.context import Context
from datafluid.errors import Forbidden, Invalid
from datafluid.model.ref import Ref
from datafluid.testing import InMemoryPlane
from tests.diagnosis.world import World, obj
from tests.model.lint.case import SERVERFUL, bound, dataset, load, mounted, namespace, pod, runtime


class Asked(InMemoryPlane):
    """A cluster that counts what it is asked for, and refuses some of it."""

    def __init__(self, *objects: dict[str, Any], refuses: tuple[str, ...] = ()) -> None:
        super().__init__(lively=False)
        self.asked: Counter[str] = Counter()
        self.refuses = refuses
        for each in (namespace(), *objects):
            self.put(each)

    def list(self, kind: str, **options: Any) -> Any:
        """Counts, or refuses."""
        self.asked[kind] += 1
        if kind in self.refuses:
            raise Forbidden(f"{kind} is forbidden.", rule=f"list {kind}")
        return super().list(kind, **options)

    @property
    def client(self) -> Client:
        """Of a context whose namespace is ``team``."""
        return Client(self, Context(name="prod", plane="kubernetes", namespace="team"))


def codes(plane: Asked, *objects: Any) -> list[str]:
    return [finding.code for finding in plane.client.lint(list(objects))]


def test_objects_without_a_namespace_go_to_the_contexts() -> None:
    """So they are judged by what is there."""
    plane = Asked(bound(dataset()), runtime("JuiceFSRuntime"))
    assert codes(plane, runtime(namespace=None)) == ["DF203"]
    assert codes(plane, load(namespace=None)) == []


def test_a_load_asks_for_little() -> None:
    """Neither nodes nor pods nor quotas have a say in an operation."""
    plane = Asked(bound(dataset()), runtime(), *(obj(Ref("v1/Node", f"n{number}")) for number in range(3)))
    assert codes(plane, load()) == []
    assert not {"v1/Node", "v1/Pod", "v1/ResourceQuota", "v1/PersistentVolumeClaim"} & set(plane.asked)


def test_the_number_of_questions_does_not_grow_with_the_cluster() -> None:
    """A hundred pods and nodes and datasets of others: the same questions."""

    def questions(count: int) -> int:
        plane = Asked()
        for number in range(count):
            plane.put(obj(Ref("v1/Node", f"n{number}"), status={"allocatable": {"memory": "64Gi"}}))
            plane.put(obj(Ref("v1/Pod", f"p{number}", "other"), spec={"nodeName": "n0", "containers": []}))
            plane.put(bound(dataset(name=f"d{number}", namespace="other")))
        assert codes(plane, dataset(), runtime()) == []
        return plane.asked.total()

    assert questions(1) == questions(100)


def test_label_keys_are_compared_with_the_few_that_could_be_the_same() -> None:
    """Nobody lists the datasets of a whole cluster for it."""
    plane = Asked(bound(dataset(name="b-c", namespace="a")), namespace("a-b"))
    assert codes(plane, dataset(name="c", namespace="a-b"), runtime(name="c", namespace="a-b")) == ["DF120"]
    assert plane.asked["Dataset"] == 1


def test_a_reference_is_looked_up_where_it_leads() -> None:
    """In the namespace of the dataset that it names."""
    assert codes(Asked(), mounted("dataset://base/imagenet")) == ["DF512"]
    there = bound(dataset(name="imagenet", namespace="base"))
    assert codes(Asked(there), mounted("dataset://base/imagenet")) == []


def test_what_may_not_be_read_accuses_nobody() -> None:
    """Every kind refused: the same findings as without a cluster."""
    kinds = (
        "Dataset",
        "AlluxioRuntime",
        "DataLoad",
        "v1/PersistentVolumeClaim",
        "v1/Node",
        "v1/Pod",
        "v1/ResourceQuota",
    )
    plane = Asked(pod(), obj(Ref("v1/Node", "n0")), obj(Ref("v1/ResourceQuota", "q", "team")), refuses=kinds)
    assert codes(plane, dataset(), runtime(), load(), pod(labels=SERVERFUL)) == []


def test_apply_refuses_what_the_cluster_would() -> None:
    """And sends nothing."""
    plane = Asked(runtime("JuiceFSRuntime"))
    with pytest.raises(Invalid) as refused:
        plane.client.apply([dataset(), runtime()])
    assert [finding.code for finding in refused.value.findings] == ["DF203"]
    assert plane.client.datasets() == []


def test_text_that_is_no_yaml_is_told_without_a_cluster() -> None:
    """Nobody is asked anything."""
    plane = Asked()
    assert codes(plane, "a: [1\n") == ["DF001"]
    assert not plane.asked


def test_an_iterator_is_read_once() -> None:
    """Lint and the look around see the same objects."""
    plane = World().client
    assert [each.code for each in plane.lint(iter([dataset(name="1a"), runtime(name="1a")]))] == ["DF101", "DF101"]


def test_a_namespace_that_is_not_there_is_told_once() -> None:
    """However many objects go there."""
    plane = Asked()
    nowhere = [dataset(namespace="nosuch"), runtime("JuiceFSRuntime", namespace="nosuch")]
    assert codes(plane, *nowhere).count("DF502") == 1


def test_apply_on_a_cluster_warns_of_what_is_not_there() -> None:
    """A Secret that nobody has made yet: the mount fails later, and quietly."""
    secretive = dataset()
    secretive["spec"]["mounts"][0]["encryptOptions"] = [
        {"name": "access-key", "valueFrom": {"secretKeyRef": {"name": "nosuch", "key": "id"}}}
    ]
    applied = Asked().client.apply(secretive, dry_run=True)
    assert "DF511" in [finding.code for finding in applied.findings]
