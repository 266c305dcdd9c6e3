"""Submitting pods that Fluid's webhook sees: it refuses them while the dataset is not there, and never gets to."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.model.podlabels import SERVERFUL
from datafluid.model.ref import Ref
from datafluid.placement import NodeAffinity
from datafluid.plane.port import Manifest
from tests.cluster.controlplane import Cluster
from tests.cluster.farm import Farm
from tests.cluster.processes import eventually
from tests.cluster.test_submit import Killed, Mortal, client, field, flights, job, of_kind
from tests.cluster.webhook import Webhook, serve_webhook

__all__ = ["client", "field"]  # fixtures

_LONG = 90.0  # seconds that nothing here takes on any machine
_IN_USE = "fluid.io/datasets-in-use"
_KINDS = ("Job", "Deployment", "StatefulSet", "Pod")


@pytest.fixture
def webhook(cluster: Cluster, field: Farm, tmp_path: Path) -> Iterator[Webhook]:
    """Fluid's webhook for the pods of the farm."""
    with serve_webhook(cluster, field.namespace, tmp_path) as served:
        yield served


def workload(field: Farm, kind: str) -> Manifest:
    """A workload whose pods mount the dataset, and which the webhook sees."""
    manifest = copy.deepcopy(job(field) if kind == "Job" else of_kind(field, kind)[0])
    template = manifest if kind == "Pod" else manifest["spec"]["template"]
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels |= {SERVERFUL: "true", "fluid.io/dataset.flights.sched": "required"}
    template["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "flights"}}]
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return manifest


def pods(client: Client) -> list[Manifest]:
    """The pods that the webhook sees."""
    found = client.plane.list("v1/Pod", namespace=client.context.namespace)
    return [each for each in found if each["metadata"].get("labels", {}).get(SERVERFUL) == "true"]


def is_injected(pod: Manifest) -> bool:
    """Whether the webhook did all of its work on it."""
    label = f"fluid.io/s-{pod['metadata']['namespace']}-flights"
    asks = NodeAffinity.of(pod["spec"])
    return pod["metadata"].get("annotations", {}).get(_IN_USE) == "flights" and any(
        each.key == label for term in asks.required or () for each in term.expressions
    )


@pytest.mark.parametrize("kind", _KINDS)
def test_no_pod_is_ever_refused(client: Client, field: Farm, webhook: Webhook, kind: str) -> None:
    """From a dataset that is not declared yet to pods that were injected, without one denial on the way."""
    assert client.submit(workload(field, kind), flights(field), timeout=_LONG).runs
    eventually(lambda: bool(pods(client)), seconds=60)
    assert all(is_injected(each) for each in pods(client))
    assert [call.answer.message for call in webhook.calls if not call.answer.allowed] == []


def test_without_submit_the_pods_are_refused(client: Client, field: Farm, webhook: Webhook) -> None:
    """The control: a Job that is simply created asks again and again, and gets no pod."""
    client.plane.create(workload(field, "Job"))  # type: ignore[attr-defined]

    def told() -> list[str]:
        return [each.message for each in client.plane.events(Ref("batch/v1/Job", "train", field.namespace))]

    eventually(lambda: any("failed to get the following PVCs [flights]" in each for each in told()), seconds=60)
    assert pods(client) == []


@pytest.mark.parametrize("kind", ["Job", "Pod"])
@pytest.mark.parametrize("point", [sign * number for number in range(1, 5) for sign in (1, -1)])
def test_killed_at_any_change_no_pod_is_refused(
    client: Client, field: Farm, cluster: Cluster, webhook: Webhook, kind: str, point: int
) -> None:
    """The same command completes, and what it leaves in between makes no pods that could be refused."""
    mortal = Mortal(kubeconfig=str(cluster.kubeconfig))
    mortal.killed_at = point

    def submit(by: Client) -> Any:
        return by.submit(workload(field, kind), flights(field), timeout=_LONG)

    try:
        submit(Client(mortal, client.context))
    except Killed:
        pass
    else:
        assert mortal.changes < abs(point), "it was to be killed"
    assert submit(client).runs
    eventually(lambda: bool(pods(client)), seconds=60)
    assert all(is_injected(each) for each in pods(client))
    assert [call.answer.message for call in webhook.calls if not call.answer.allowed] == []
