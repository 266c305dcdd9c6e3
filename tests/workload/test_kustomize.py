"""A wrap as a patch: applied to the user's file it gives the wrapped workload."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from datafluid.errors import Unsupported
from datafluid.workload import DatasetUse, Topology, wrap
from datafluid.workload.kustomize import EXTRAS_FILE, json_patch, kustomization
from tests.workload.manifests import templated, topologies, uses


def applied(data: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902, as far as additions go."""
    data = copy.deepcopy(data)
    for operation in operations:
        *above, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        parent = data
        for step in above:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        if isinstance(parent, list) and last == "-":
            parent.append(operation["value"])
        elif isinstance(parent, list):
            parent[int(last)] = operation["value"]
        else:
            parent[last] = operation["value"]
    return data


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(templated, uses, topologies)
def test_the_patch_gives_the_wrapped_workload(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology
) -> None:
    """Through YAML, whatever was there before."""
    apart = [use for use in wanted if not (use.sub_path or use.containers or use.roles)]
    wrapped = wrap(manifest, apart, topology=topology)
    made = kustomization("w.yaml", [(manifest, wrapped)])
    for patch in made["patches"]:
        assert applied(manifest, yaml.safe_load(patch["patch"])) == wrapped.manifest
    if not made["patches"]:
        assert wrapped.manifest == manifest
    assert made["resources"] == ["w.yaml", EXTRAS_FILE][: 1 + bool(wrapped.extras)]


def test_the_patch_names_its_target() -> None:
    """Group, version, kind, name."""
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}
    job["spec"] = {"template": {"spec": {"containers": [{"name": "a"}]}}}
    (patch,) = kustomization("j.yaml", [(job, wrap(job, ["a"]))])["patches"]
    assert patch["target"] == {"group": "batch", "version": "v1", "kind": "Job", "name": "j"}


def test_chart_values_are_no_resource() -> None:
    """Helm reads them, not kustomize."""
    values = {"image": {"repository": "trinodb/trino"}}
    with pytest.raises(Unsupported, match="chart"):
        kustomization("values.yaml", [(values, wrap(values, ["team/a"]))])


def test_what_has_no_name_is_no_resource() -> None:
    """Kustomize refuses it, so a patch of it would be of no use."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}, "spec": {"containers": [{}]}}
    with pytest.raises(Unsupported, match="without a name"):
        kustomization("pod.yaml", [(pod, wrap(pod, ["team/a"]))])


def test_keys_with_slashes_are_escaped() -> None:
    """Labels have them."""
    assert json_patch({"l": {}}, {"l": {"a/b~c": "x"}})[0]["path"] == "/l/a~1b~0c"
