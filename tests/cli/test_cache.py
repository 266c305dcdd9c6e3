"""``datafluid cache …`` and ``datafluid export``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datafluid.client import Client
from tests.cli.conftest import Run
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset

FILES = {f"month={month}/part-0.parquet": bytes([month]) * 10_000 for month in (1, 2, 3)}


@pytest.fixture
def flights(bucket: Bucket, client: Client, run: Run) -> Bucket:
    """A dataset `flights` of three files, loaded."""
    for key, data in FILES.items():
        bucket.put(key, data)
    apply_bucket_dataset(client, bucket, "flights")
    run("load", "flights", "--wait")
    return bucket


def cached(run: Run) -> dict[str, int]:
    """How many files each dataset has in the cache."""
    now = json.loads(run("cache", "status", "-o", "json").stdout)
    return {each["dataset"]: each["files"] for each in now["datasets"]}


def test_an_empty_cache_has_a_status(run: Run) -> None:
    """No tier, no dataset, no error."""
    run("cache", "status")
    assert cached(run) == {}


def test_status_tells_tiers_datasets_and_counters(flights: Bucket, run: Run) -> None:
    """Tables for people, JSON and Prometheus text for programs."""
    run("cat", "default/flights/month=1/part-0.parquet")
    told = run("cache", "status").stdout
    assert "default/flights" in told
    assert "MEDIUM" in told
    assert cached(run) == {"default/flights": 3}
    text = run("cache", "status", "-o", "prometheus").stdout
    assert "# TYPE datafluid_tier_used_bytes gauge\n" in text
    assert 'datafluid_dataset_cached_files{dataset="default/flights"} 3\n' in text


def test_evicting_a_path_or_a_dataset(flights: Bucket, run: Run) -> None:
    """Only what is named goes; the next read fetches it again."""
    run("cache", "evict", "default/flights/month=1")
    assert cached(run) == {"default/flights": 2}
    assert "2 files removed" in run("cache", "evict", "flights").stdout
    assert cached(run) == {}
    assert run("cat", "default/flights/month=1/part-0.parquet").stdout_bytes == b"\x01" * 10_000


def test_pinned_files_stay_until_they_are_unpinned(flights: Bucket, run: Run) -> None:
    """evict says what it left."""
    assert "1 file pinned" in run("cache", "pin", "default/flights/month=1").stdout
    result = run("cache", "evict", "flights")
    assert "2 files removed" in result.stdout
    assert "1 file pinned" in result.stderr
    assert "2 more are not cached" in run("cache", "pin", "flights").stderr
    run("cache", "unpin", "flights")
    assert "1 file removed" in run("cache", "evict", "flights").stdout


def test_verify_finds_bit_rot_and_heals(flights: Bucket, run: Run, client: Client) -> None:
    """Exit code 1 once; the bytes are right afterwards."""
    run("cache", "verify")
    path = client.volume("default", "flights").local_path("month=2/part-0.parquet")
    assert path is not None
    Path(path).chmod(0o600)
    Path(path).write_bytes(b"\x02" * 9_999 + b"!")
    result = run("cache", "verify", "flights", code=1)
    assert path in result.stdout
    run("cache", "verify")
    assert run("cat", "default/flights/month=2/part-0.parquet").stdout_bytes == b"\x02" * 10_000


def test_clear_takes_everything_when_it_is_meant(flights: Bucket, run: Run) -> None:
    """Without a terminal it wants --yes."""
    assert "--yes" in run("cache", "clear", code=2).stderr
    assert cached(run) == {"default/flights": 3}
    run("cache", "clear", "--yes")
    assert cached(run) == {}


def test_an_export_has_the_real_names_and_pins(flights: Bucket, tmp_path: Path, run: Run) -> None:
    """Links that read as the data; nothing exported is evicted; removing unpins and leaves nothing."""
    out = tmp_path / "out"
    assert "3 files" in run("export", "default/flights", str(out)).stdout
    assert {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.parquet")} == FILES
    assert "0 files removed" in run("cache", "evict", "flights").stdout
    run("export", "flights", str(out))
    run("export", "flights", str(out), "--remove")
    assert not out.exists()
    assert "3 files removed" in run("cache", "evict", "flights").stdout


def test_an_export_follows_the_dataset(flights: Bucket, tmp_path: Path, run: Run) -> None:
    """A changed file is linked anew after the next load, and the old version is let go."""
    out = tmp_path / "out"
    run("export", "flights", str(out))
    flights.put("month=1/part-0.parquet", b"new" * 3_000)
    run("refresh", "default/flights")
    assert "1 of 3 files" in run("export", "flights", str(out), code=1).stderr
    run("load", "flights", "--wait")
    run("export", "flights", str(out))
    assert (out / "month=1/part-0.parquet").read_bytes() == b"new" * 3_000
    pins = json.loads(run("cache", "status", "-o", "json").stdout)["pins"]
    assert list(pins.values()) == [3]


def test_what_is_not_loaded_is_not_exported(flights: Bucket, tmp_path: Path, run: Run) -> None:
    """It says what to run, pins nothing and makes no directory."""
    run("cache", "evict", "default/flights/month=1")
    told = run("export", "flights", str(tmp_path / "out"), code=1).stderr
    assert "1 of 3 files of default/flights are not cached" in told
    assert "datafluid load default/flights --wait" in told
    assert not (tmp_path / "out").exists()
    assert json.loads(run("cache", "status", "-o", "json").stdout)["pins"] == {}


def test_a_directory_with_other_things_is_not_taken_over(flights: Bucket, tmp_path: Path, run: Run) -> None:
    """Conflict: exit code 1, and no pins."""
    (tmp_path / "notes.txt").write_text("mine")
    assert "not empty" in run("export", "flights", str(tmp_path), code=1).stderr
    assert json.loads(run("cache", "status", "-o", "json").stdout)["pins"] == {}


def test_pack_names_the_file_that_the_user_wrote(client: Client, tmp_path: Path, run: Run) -> None:
    """And not the one that it would have written first."""
    (tmp_path / "data").mkdir()
    apply_local_dataset(client, tmp_path / "data", "packed")
    archive = tmp_path / "nodir" / "t.tar"
    assert f"{archive.parent}." in (told := run("cache", "pack", "packed", str(archive), code=3).stderr)
    assert ".part" not in told
