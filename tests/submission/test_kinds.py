"""Every kind of workload is submitted: wrapped, planned, held or not, and let go."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.model.plain import look
from datafluid.model.ref import Ref
from datafluid.workload.holds import choose_hold, held
from tests.cluster.test_third_party import OTHERS, OWN
from tests.submission.stage import DATASET, NAMESPACE, RUNTIME, Stage, client

_GROUPS = {
    "spark": "sparkoperator.k8s.io/v1beta2",
    "training": "kubeflow.org/v1",
    "mpi": "kubeflow.org/v2beta1",
    "ray": "ray.io/v1",
    "jobset": "jobset.x-k8s.io/v1alpha2",
    "lws": "leaderworkerset.x-k8s.io/v1",
    "argo": "argoproj.io/v1alpha1",
    "volcano": "batch.volcano.sh/v1alpha1",
    "kserve": "serving.kserve.io/v1beta1",
}
_KINDS = [
    *((api, kind, spec) for api, kind, _, spec in OWN),
    *((_GROUPS[module], kind, spec) for module, kind, spec in OTHERS if module in _GROUPS),
]


@pytest.mark.parametrize(("api", "kind", "spec"), _KINDS, ids=[f"{kind}-{n}" for n, (_, kind, _) in enumerate(_KINDS)])
@pytest.mark.parametrize("locality", ["prefer", "require"])
def test_a_kind_is_submitted(api: str, kind: str, spec: dict[str, Any], locality: str) -> None:
    """Once it is let go it says of its hold what its user said, and the submission is noted on it."""
    plane = Stage()
    manifest = {"apiVersion": api, "kind": kind, "metadata": {"name": "w"}, "spec": spec}
    done = client(plane).submit(manifest, [DATASET, RUNTIME], uses=[f"flights,locality={locality}"])
    assert done.runs
    assert done.plan.nodes
    live = plane.get(Ref(f"{api}/{kind}" if "/" in api else f"v1/{kind}", "w", NAMESPACE))
    assert list(live["metadata"]["annotations"]) == ["datafluid.io/submitted"]
    hold = choose_hold(manifest)
    if hold.path:
        assert look(live, hold.path) != look(held(manifest, hold), hold.path)
