"""What the embedded plane does with whole manifests, as a user applies them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client, connect
from datafluid.errors import Conflict, OperationFailed, ReadOnly, Timeout, Unsupported
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset, dataset_manifest, runtime_manifest

_API = "data.fluid.io/v1alpha1"


@pytest.fixture
def client() -> Client:
    """A client of this test's home."""
    return connect()


@pytest.fixture
def files(bucket: Bucket) -> Bucket:
    """A bucket with two directories."""
    for key in ("train/a.bin", "train/b.bin", "test/c.bin"):
        bucket.put(key, key.encode() * 100)
    return bucket


def operation(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """A data operation."""
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def load(name: str, **spec: Any) -> dict[str, Any]:
    """A DataLoad of the dataset `data`."""
    return operation("DataLoad", name, dataset={"name": "data", "namespace": "default"}, **spec)


def test_a_reference_dataset_shares_the_cache(client: Client, files: Bucket) -> None:
    """`dataset://` reads the physical dataset's cached files, read-only; the physical one cannot be deleted before."""
    apply_bucket_dataset(client, files, "data").load().wait(timeout=60)
    client.apply(dataset_manifest("view", "dataset://default/data/train"))
    client.dataset("view").wait(timeout=60)
    before = len(files.gets())
    fs = FluidFileSystem()
    assert fs.ls("default/view", detail=False) == ["default/view/a.bin", "default/view/b.bin"]
    assert fs.cat("default/view/a.bin") == b"train/a.bin" * 100
    assert fs.local_path("default/view/a.bin") == fs.local_path("default/data/train/a.bin")
    assert len(files.gets()) == before
    with pytest.raises(ReadOnly):
        fs.pipe("default/view/new", b"")
    with pytest.raises(Conflict, match="default/view"):
        client.delete("dataset", "data")
    client.delete("dataset", "view")
    client.delete("dataset", "data")


def test_targets_load_what_they_name(client: Client, files: Bucket) -> None:
    """Only what lies below a target is fetched."""
    apply_bucket_dataset(client, files, "data")
    client.apply(load("warm", target=[{"path": "/train", "replicas": 1}]))
    client.load("warm").wait(timeout=60)
    assert sorted(files.gets()) == ["train/a.bin", "train/b.bin"]


def test_a_load_of_metadata_fetches_no_bytes(client: Client, files: Bucket) -> None:
    """Listings are fresh afterwards, and no file was asked for."""
    apply_bucket_dataset(client, files, "data")
    files.put("train/new.bin", b"new")
    client.dataset("data").load(metadata=True).wait(timeout=60)
    assert files.gets() == []
    assert "default/data/train/new.bin" in FluidFileSystem().find("default/data")


def test_run_after_waits_for_its_predecessor(client: Client, files: Bucket) -> None:
    """The second load starts when the first is Complete, and not at all when it failed."""
    apply_bucket_dataset(client, files, "data")
    after = {"kind": "DataLoad", "name": "first"}
    client.apply(load("second", target=[{"path": "/test"}], runAfter=after))
    assert client.load("second").status.phase in ("Pending", "")
    client.apply(load("first", target=[{"path": "/train"}]))
    client.load("first").wait(timeout=60)
    client.load("second").wait(timeout=60)
    assert sorted(files.gets()) == ["test/c.bin", "train/a.bin", "train/b.bin"]


@pytest.mark.parametrize(
    "manifest",
    [
        operation("DataBackup", "save", dataset="data", backupPath="local:///tmp/backup"),
        operation(
            "DataProcess",
            "work",
            dataset={"name": "data", "namespace": "default", "mountPath": "/data"},
            processor={"script": {"image": "busybox", "imageTag": "1", "source": "true"}},
        ),
    ],
    ids=["DataBackup", "DataProcess"],
)
def test_what_one_machine_cannot_do_fails_as_in_fluid(client: Client, files: Bucket, manifest: dict[str, Any]) -> None:
    """Failed, with an event and a clear message; never silently pending."""
    apply_bucket_dataset(client, files, "data")
    (ref,) = client.apply(manifest).refs
    status = client.get(ref.kind, ref.name)["status"]
    assert status["phase"] == "Failed"
    assert any(
        event.type == "Warning" and "not support" in event.message for event in client.events(ref.kind, ref.name)
    )


def test_a_dataset_without_a_runtime_says_what_it_gets(client: Client, files: Bucket) -> None:
    """A default cache, in a condition or an event, with its size and place."""
    dataset = apply_bucket_dataset(client, files, "data")
    assert any("No runtime says how much may be cached" in event.message for event in dataset.events())


def test_what_one_machine_cannot_mean_is_reported(client: Client, files: Bucket, tmp_path: Path) -> None:
    """Replicas of a runtime are accepted, and the dataset says that there is one copy."""
    (tmp_path / "cache").mkdir()
    runtime = runtime_manifest("data", tmp_path / "cache")
    runtime["spec"]["replicas"] = 3
    client.apply(dataset_manifest("data", files.url, options=files.options))
    client.apply(runtime)
    client.dataset("data").wait(timeout=60)
    told = repr(client.get("dataset", "data")["status"]) + repr(client.get("alluxioruntime", "data")["status"])
    assert "this machine holds one copy" in told


def test_a_finished_load_is_not_run_again_unless_told(client: Client, files: Bucket) -> None:
    """Applying the same is nothing; another spec needs `replace`."""
    apply_bucket_dataset(client, files, "data")
    client.apply(load("warm"))
    client.load("warm").wait(timeout=60)
    before = len(files.gets())
    client.apply(load("warm"))
    client.load("warm").wait(timeout=60)
    assert len(files.gets()) == before
    with pytest.raises(Conflict):
        client.apply(load("warm", target=[{"path": "/train"}]))
    client.apply(load("warm", target=[{"path": "/train"}]), replace=True)
    client.load("warm").wait(timeout=60)


def test_a_load_of_a_path_that_is_not_there_fails(client: Client, tmp_path: Path) -> None:
    """With the path in the message."""
    (tmp_path / "data").mkdir()
    apply_local_dataset(client, tmp_path / "data", "data")
    with pytest.raises(OperationFailed, match="nothing"):
        client.dataset("data").load("/nothing").wait(timeout=60)


def test_a_mount_that_can_never_be_reached_ends_a_wait_at_once(client: Client) -> None:
    """No time makes this machine speak another protocol."""
    client.apply(dataset_manifest("never", "ftpz://x/y"))
    with pytest.raises(Unsupported, match="nothing here speaks ftpz://"):
        client.dataset("never").wait(timeout=600)


def test_a_mount_that_is_no_url_says_which_it_could_be(client: Client) -> None:
    client.apply(dataset_manifest("path", "/abs/path"))
    with pytest.raises(Unsupported, match=r"/abs/path is no URL\. Write local:///abs/path"):
        client.dataset("path").wait(timeout=600)


def test_a_mended_mount_is_waited_for_again(client: Client, files: Bucket) -> None:
    client.apply(dataset_manifest("data", "ftpz://x/y"))
    with pytest.raises(Unsupported):
        client.dataset("data").wait(timeout=600)
    assert apply_bucket_dataset(client, files, "data").wait(timeout=60).phase == "Bound"


def test_why_a_dataset_is_not_bound_is_told_as_soon_as_it_is_known(
    client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that is not there may come yet: the wait goes on and says what it lacks."""
    client.apply(dataset_manifest("data", f"local://{tmp_path}/nowhere"))
    told: list[str] = []
    with pytest.raises(Timeout):
        client.dataset("data").wait(timeout=0.3, progress=lambda status: told.append(status.reason))
    assert "nowhere does not exist" in told[0]
    with pytest.raises(Timeout):
        client.dataset("data").wait(timeout=0.1, progress=True)
    assert "nowhere does not exist" in capsys.readouterr().err.splitlines()[0]


def test_what_is_cached_goes_with_its_dataset(client: Client, bucket: Bucket, tmp_path: Path) -> None:
    """And what others have cached, or an export holds, stays; a dataset of the same name begins anew."""
    for number in range(4):
        bucket.put(f"{number}.bin", bytes([number]) * 100_000)
    for name in ("data", "other"):
        apply_bucket_dataset(client, bucket, name)
        client.apply(runtime_manifest(name, tmp_path / "tier"))
        client.dataset(name).wait(timeout=60)
        client.dataset(name).load().wait(timeout=60)

    def there() -> list[str]:
        return [str(each) for each in (tmp_path / "tier").rglob("*.bin")]

    assert len(there()) == 8
    held = FluidFileSystem(skip_instance_cache=True).open("default/data/3.bin")
    client.dataset("data").delete()
    assert len(there()) == 4
    assert held.read() == bytes([3]) * 100_000
    assert [(each.dataset, each.files) for each in client.cache.status().datasets] == [("default/other", 4)]
    tiers = client.cache.status().tiers
    assert [each.dataset for each in tiers if each.path == str(tmp_path / "tier")] == ["default/other"]
    apply_bucket_dataset(client, bucket, "data")
    assert client.dataset("data").status.cached == 0
    client.dataset("other").export(tmp_path / "links")
    client.dataset("other").delete()
    assert (tmp_path / "links" / "1.bin").read_bytes() == bytes([1]) * 100_000


def test_a_load_of_what_can_never_be_mounted_ends_at_once(client: Client) -> None:
    """Waiting changes nothing: the reason is the mount's."""
    client.apply(dataset_manifest("data", "nope://x/y"))
    with pytest.raises(OperationFailed, match=r"does not get on: Dataset default/data: .*nope://"):
        client.dataset("data").load().wait(timeout=60)


def test_a_load_of_what_is_not_there_yet_says_so_and_goes_on(client: Client, tmp_path: Path) -> None:
    """Its directory may still come."""
    client.apply(dataset_manifest("data", f"local://{tmp_path}/later"))
    warm, told = client.dataset("data").load(), []
    with pytest.raises(Timeout, match="later does not exist"):
        warm.wait(timeout=2, progress=lambda status: told.append(status.reason))
    assert "later does not exist" in told[-1]
    (tmp_path / "later").mkdir()
    assert warm.wait(timeout=60).phase == "Complete"
