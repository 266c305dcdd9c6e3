"""``fluid://`` of a cluster's datasets, read from outside: engine, then direct, behind the cache of this machine."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

import datafluid
from datafluid.engine.remote.ways import GATEWAY
from datafluid.engine.understore.alluxio_store import AlluxioStore
from datafluid.engine.understore.port import Fetch
from datafluid.errors import NotFound, Unavailable
from datafluid.model.ref import Ref
from datafluid.testing import InMemoryPlane
from fluid_fsspec import routes
from tests.conftest import Bucket
from tests.engines.alluxio import Alluxio
from tests.engines.declaring import declare
from tests.engines.libhdfs import hadoop_environment

DATA = bytes(range(256)) * 4096


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> InMemoryPlane:
    """A cluster of which only the objects are there; ``fluid://`` of this process reads its datasets."""
    plane = InMemoryPlane(lively=False)
    client = datafluid.Client(plane)
    monkeypatch.setattr(routes, "client_of", lambda context: client)
    return plane


@pytest.mark.slow
def test_alluxio_through_its_gateway_and_then_from_the_cache(plane: InMemoryPlane, alluxio: Alluxio) -> None:
    """The first read comes from the engine, the second from a file of this machine; both say so."""
    (alluxio.root / "a").mkdir()
    (alluxio.root / "a" / "x.bin").write_bytes(DATA)
    declare(plane, "demo", "AlluxioRuntime", {"mountPoint": "s3://bucket/a", "name": "a"})
    plane.set_status(Ref("AlluxioRuntime", "demo", "team"), {"apiGateway": {"endpoint": alluxio.gateway}})
    fs = fsspec.filesystem("fluid", skip_instance_cache=True)

    assert "team/demo/a" in fs.ls("fluid://team/demo/", detail=False)
    before = fs.explain("fluid://team/demo/a/x.bin")
    assert (before.route, before.cached) == ("engine", 0.0)
    assert alluxio.gateway in before.why
    assert [route for route, _ in before.skipped] == ["mount", "cache"]
    with fs.open("fluid://team/demo/a/x.bin") as file:
        file.seek(1000)
        assert file.read(10) == DATA[1000:1010]
        assert file.read() == DATA[1010:]

    assert fs.explain("fluid://team/demo/a/x.bin").route == "cache"
    local = fs.local_path("fluid://team/demo/a/x.bin")
    assert local is not None
    with open(local, "rb") as file:
        assert file.read() == DATA


@pytest.mark.slow
def test_block_locations_name_the_workers(plane: InMemoryPlane, alluxio: Alluxio) -> None:
    """Of what is not cached on this machine, Alluxio tells which workers have it, and in which tier."""
    (alluxio.root / "b").mkdir()
    (alluxio.root / "b" / "x.bin").write_bytes(DATA)
    declare(plane, "blocks", "AlluxioRuntime", {"mountPoint": "s3://bucket/b", "name": "b"})
    plane.set_status(Ref("AlluxioRuntime", "blocks", "team"), {"apiGateway": {"endpoint": alluxio.gateway}})
    fs = fsspec.filesystem("fluid", skip_instance_cache=True)
    (cold,) = fs.block_locations("fluid://team/blocks/b/x.bin")
    assert (cold.cached, cold.hosts) == (False, ())
    store = AlluxioStore(f"http://{alluxio.gateway}")
    info = store.stat("b/x.bin")
    store.read(Fetch(info=info, start=0, length=info.size))  # some pod of the cluster reads it
    (warm,) = fs.block_locations("fluid://team/blocks/b/x.bin", 100, 50)
    assert (warm.offset, warm.length, warm.hosts, warm.tier) == (100, 50, ("127.0.0.1",), "MEM")


def test_a_juicefs_gateway_is_an_engine_too(
    plane: InMemoryPlane, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It speaks S3; the credentials are those of this process, not the cluster's Secrets."""
    bucket.put("train/1.bin", DATA)
    gateway = f"{bucket.server.endpoint}/{bucket.name}"
    declare(plane, "jfs", "JuiceFSRuntime", {"mountPoint": "juicefs:///", "name": "jfs"}, **{GATEWAY: gateway})
    fs = fsspec.filesystem("fluid", skip_instance_cache=True)
    assert fs.explain("fluid://team/jfs/train/1.bin").route == "engine"
    assert fs.cat_file("fluid://team/jfs/train/1.bin") == DATA


def test_direct_where_no_engine_answers(plane: InMemoryPlane, bucket: Bucket) -> None:
    """The reasons why not the others are told; a Secret that only the cluster has is not asked for."""
    bucket.put("1.bin", DATA)
    secret = {"name": "fs.s3a.secret.key", "valueFrom": {"secretKeyRef": {"name": "only-there", "key": "k"}}}
    mount = {"mountPoint": bucket.url, "name": "d", "options": bucket.options, "encryptOptions": [secret]}
    declare(plane, "direct", "AlluxioRuntime", mount)
    plane.set_status(Ref("AlluxioRuntime", "direct", "team"), {"apiGateway": {"endpoint": "127.0.0.1:1"}})
    fs = fsspec.filesystem("fluid", skip_instance_cache=True)
    told = fs.explain("fluid://team/direct/d/1.bin")
    assert told.route == "direct"
    reasons = dict(told.skipped)
    assert list(reasons) == ["mount", "cache", "engine", "hcfs"]
    assert "127.0.0.1:1" in reasons["engine"]
    assert fs.cat_file("fluid://team/direct/d/1.bin") == DATA


def test_no_way_at_all_is_told_with_every_reason(plane: InMemoryPlane) -> None:
    """One line each."""
    declare(plane, "far", "ThinRuntime", {"mountPoint": "pvc://claim/x", "name": "far"})
    with pytest.raises(Unavailable, match=r"engine: .*hcfs: .*direct: pvc://claim/x is a volume claim"):
        fsspec.filesystem("fluid", skip_instance_cache=True).ls("fluid://team/far/")


def test_what_is_not_bound_is_not_read(plane: InMemoryPlane) -> None:
    """Nor what does not exist."""
    declare(plane, "slow", "ThinRuntime", {"mountPoint": "s3://bucket/x", "name": "slow"})
    plane.set_status(Ref("Dataset", "slow", "team"), {"phase": "NotBound", "conditions": []})
    fs = fsspec.filesystem("fluid", skip_instance_cache=True)
    with pytest.raises(Unavailable, match="NotBound"):
        fs.ls("fluid://team/slow/")
    with pytest.raises(NotFound):
        fs.ls("fluid://team/none/")


@pytest.mark.slow
def test_hcfs_through_libhdfs(alluxio: Alluxio) -> None:
    """Hadoop's own client reads from Alluxio, ranges and all, where the gateway is not there."""
    (alluxio.root / "c").mkdir()
    (alluxio.root / "c" / "x.bin").write_bytes(DATA)
    command = [sys.executable, "-m", "tests.engines.read_by_hcfs", alluxio.uri]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=hadoop_environment(), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["route"] == "hcfs"
    assert "apiGateway" in told["skipped"]["engine"]
    assert told["names"] == ["team/demo/c/x.bin"]
    assert told["range"] == DATA[1000:1010].hex()
    assert told["digest"] == hashlib.sha256(DATA).hexdigest()
    assert "does not exist" in told["missing"]
