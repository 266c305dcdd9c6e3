"""Which ways lead to a dataset on a cluster, and why the others do not: a pure matter of its objects."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.engine.remote.ways import GATEWAY, Dataset, Way, ways


def dataset(
    *mounts: dict[str, Any], kind: str = "alluxio", name: str = "demo", hcfs: str = "", **annotations: str
) -> dict[str, Any]:
    """A bound Dataset as a cluster has it."""
    status: dict[str, Any] = {"phase": "Bound", "runtimes": [{"name": name, "namespace": "team", "type": kind}]}
    if hcfs:
        status["hcfs"] = {"endpoint": hcfs}
    return {
        "metadata": {"name": name, "namespace": "team", "uid": f"uid-{name}", "annotations": annotations},
        "spec": {"mounts": list(mounts) or [{"mountPoint": "s3://bucket/a", "name": "a"}]},
        "status": status,
    }


def by_route(manifest: dict[str, Any], runtime: dict[str, Any] | None = None, **options: Any) -> dict[str, Way]:
    """The ways by what they are called."""
    known = Dataset(manifest=manifest, runtime=runtime, physical=options.pop("physical", {}))
    return {way.route: way for way in ways(known, libhdfs=options.pop("libhdfs", False))}


def test_alluxio_is_reached_at_the_endpoint_that_its_status_names() -> None:
    """The whole dataset is one mount there; without a gateway the reason says which field starts one."""
    found = by_route(dataset(), {"status": {"apiGateway": {"endpoint": "demo-master-0.team:30005"}}})["engine"]
    assert [(mount.path, mount.url) for mount in found.mounts] == [("", "alluxio+http://demo-master-0.team:30005/")]
    for runtime in ({"status": {}}, {}):
        lacking = by_route(dataset(), runtime)["engine"]
        assert not lacking.mounts
        assert "spec.apiGateway.enabled" in lacking.why
    assert "cannot be read" in by_route(dataset(), None)["engine"].why


def test_juicefs_is_reached_through_the_gateway_that_an_annotation_names() -> None:
    """Fluid starts none, so nothing in the status could."""
    gateway = {GATEWAY: "http://gateway.team:9000/myjfs"}
    (mount,) = by_route(dataset(kind="juicefs", **gateway))["engine"].mounts
    assert (mount.url, dict(mount.options)["endpoint"]) == ("s3://myjfs", "http://gateway.team:9000")
    assert GATEWAY in by_route(dataset(kind="juicefs"))["engine"].why
    for wrong in ("gateway:9000/x", "http://gateway:9000", "ftp://gateway/x"):
        assert "http://host:port/bucket" in by_route(dataset(kind="juicefs", **{GATEWAY: wrong}))["engine"].why


@pytest.mark.parametrize(("kind", "told"), [("thin", "a ThinRuntime has no interface"), ("none", "it has no runtime")])
def test_other_runtimes_have_no_interface(kind: str, told: str) -> None:
    """And the reason says so."""
    assert told in by_route(dataset(kind=kind))["engine"].why


def test_hcfs_needs_an_endpoint_with_a_scheme_and_libhdfs() -> None:
    """Jindo publishes one without a scheme, others none."""
    endpoint = "alluxio://demo-master-0.team:20003"
    (mount,) = by_route(dataset(hcfs=endpoint), libhdfs=True)["hcfs"].mounts
    assert mount.url == f"hcfs+{endpoint}/"
    assert "libhdfs" in by_route(dataset(hcfs=endpoint))["hcfs"].why
    for without in ("demo-jindofs-master-0.team:8101", "N/A", ""):
        assert "hcfs.endpoint" in by_route(dataset(kind="jindo", hcfs=without), libhdfs=True)["hcfs"].why


def test_direct_is_the_under_store_unless_only_the_cluster_has_it() -> None:
    """Directories of nodes and claims lead nowhere from here; mounts appear where they appear in the volume."""
    found = by_route(
        dataset({"mountPoint": "s3://b/x", "name": "x"}, {"mountPoint": "gs://c", "name": "c", "path": "/d"})
    )
    assert {mount.path: mount.url for mount in found["direct"].mounts} == {"x": "s3://b/x", "d": "gs://c"}
    for point in ("local:///data", "pvc://claim/sub"):
        way = by_route(dataset({"mountPoint": "s3://b/x", "name": "x"}, {"mountPoint": point, "name": "y"}))["direct"]
        assert not way.mounts
        assert point in way.why


def test_a_reference_goes_the_ways_of_its_physical_dataset() -> None:
    """Seen from the directory that is referred to; what stands in the physical one's way stands in this one's."""
    physical = Dataset(
        manifest=dataset({"mountPoint": "s3://b", "name": "b"}, name="real"),
        runtime={"status": {"apiGateway": {"endpoint": "real-master-0.team:30005"}}},
        physical={},
    )
    reference = dataset({"mountPoint": "dataset://team/real/b/train", "name": "ref"}, kind="thin", name="ref")
    found = by_route(reference, physical={("team", "real"): physical})
    (engine,) = found["engine"].mounts
    assert (engine.path, engine.prefix) == ("", "b/train")
    assert engine.origin.startswith("uid-real/engine#")
    (direct,) = found["direct"].mounts
    assert (direct.path, direct.url, direct.prefix) == ("", "s3://b", "train")
    assert not found["hcfs"].mounts
