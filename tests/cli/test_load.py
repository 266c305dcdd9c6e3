"""``datafluid load`` and ``datafluid wait``, with a real server and real processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from datafluid.client import Client
from tests.cli.conftest import Run, Start
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, dataset_manifest
from tests.relay import Relay


@pytest.fixture
def flights(bucket: Bucket, client: Client) -> Bucket:
    """A bound dataset `flights` of four files, 40 kB."""
    for month in range(1, 5):
        bucket.put(f"month={month}/part-0.parquet", bytes([month]) * 10_000)
    apply_bucket_dataset(client, bucket, "flights")
    return bucket


@pytest.fixture
def slow(bucket: Bucket, client: Client) -> Iterator[Relay]:
    """A bound dataset `slow` of 24 MB whose store stops answering after 1 MB."""
    for number in range(6):
        bucket.put(f"part-{number}.bin", bytes([number]) * 4_000_000)
    relay = Relay(bucket.server.endpoint, 1_000_000)
    manifest = dataset_manifest("slow", bucket.url, options={**bucket.options, "endpoint": relay.endpoint})
    client.apply(manifest)
    client.dataset("slow").wait(timeout=60)
    yield relay
    relay.close()


def load_phases(run: Run) -> list[str]:
    found = json.loads(run("get", "load", "-o", "json").stdout)["items"]
    return [each["status"]["phase"] for each in found]


def test_a_watched_load_brings_every_byte_into_the_cache(flights: Bucket, run: Run) -> None:
    """Progress on stderr as plain lines, the result on stdout, and reads that ask the server nothing more."""
    result = run("load", "flights", "--wait")
    assert result.stdout.endswith("Complete: 4 files, 39.06KiB\n")
    assert "files" in result.stderr
    assert "\x1b" not in result.output
    asked = len(flights.gets())
    assert run("cat", "fluid://default/flights/month=2/part-0.parquet").stdout_bytes == bytes([2]) * 10_000
    assert len(flights.gets()) == asked


def test_a_path_that_is_not_utf8(flights: Bucket, run: Run) -> None:
    """No object can hold it: that is said, with what helps, and nothing is declared."""
    told = run("load", "flights", os.fsdecode(b"/caf\xe9"), code=2).stderr
    assert "is not UTF-8" in told
    assert "with its directory" in told
    assert run("get", "dataload", "-o", "name").stdout == ""


def test_only_the_paths_that_are_named_are_loaded(flights: Bucket, run: Run) -> None:
    """As arguments, or as the path of a URL."""
    run("load", "default/flights", "month=1", "/month=2/", "--wait")
    run("load", "fluid://default/flights/month=3", "--wait")
    assert {key.partition("/")[0] for key in flights.gets()} == {"month=1", "month=2", "month=3"}


def test_without_wait_the_load_is_named_and_goes_on_by_itself(flights: Bucket, run: Run) -> None:
    """The command returns at once and says how to watch."""
    result = run("load", "flights", "--name", "warm")
    assert result.stdout == "dataload.data.fluid.io/warm created\n"
    assert "datafluid wait dataload warm" in result.stderr
    assert "Complete" in run("wait", "dataload", "warm", "--timeout", "60").stdout


def test_metadata_only_loads_no_bytes(flights: Bucket, run: Run) -> None:
    """Listings, no GET of an object."""
    run("load", "flights", "--metadata", "--wait")
    assert flights.gets() == []


def test_a_schedule_is_declared_and_its_next_runs_are_told(flights: Bucket, run: Run) -> None:
    """In its own time zone; nothing is loaded now."""
    told = run("load", "flights", "--schedule", "0 3 * * *", "--time-zone", "Asia/Shanghai", "--name", "nightly").stderr
    assert told.count("03:00+08:00") == 3
    assert flights.gets() == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("flights", "--schedule", "not cron"), "not cron"),
        (("flights", "--time-zone", "UTC"), "time zone"),
        (("flights", "--schedule", "0 3 * * *", "--wait"), "exclude"),
        (("s3://flights",), "fluid://"),
    ],
)
def test_what_cannot_be_is_exit_code_2(args: tuple[str, ...], words: str, flights: Bucket, run: Run) -> None:
    """One sentence; no load is left behind."""
    assert words in run("load", *args, code=2).stderr
    assert load_phases(run) == []


def test_a_dataset_that_does_not_exist_is_exit_code_3(run: Run) -> None:
    """For load as for wait."""
    assert "default/nothing" in run("load", "nothing", code=3).stderr
    assert "default/nothing" in run("wait", "nothing", code=3).stderr


def test_waiting_for_a_fraction_ends_when_it_is_cached(flights: Bucket, run: Run) -> None:
    """Bound is enough without --cached."""
    assert "Bound" in run("wait", "flights").stdout
    run("load", "flights", "--wait")
    assert "100.0%" in run("wait", "default/flights", "--cached", "1.0", "--timeout", "60").stdout


def test_running_out_of_time_is_exit_code_4_with_what_was_seen_last(flights: Bucket, run: Run) -> None:
    """And a hint to where more is told."""
    told = run("wait", "flights", "--cached", "0.9", "--timeout", "0.1", code=4).stderr
    assert "Bound" in told
    assert "datafluid diagnose dataset flights" in told


def test_a_failed_load_is_exit_code_1_with_the_reason(flights: Bucket, run: Run) -> None:
    """A path that is not there."""
    told = run("load", "flights", "no/such/path", "--wait", code=1).stderr
    assert "failed" in told


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_watch_cancels_the_load(
    signum: signal.Signals, code: int, slow: Relay, start: Start, run: Run, client: Client
) -> None:
    """Ctrl-C: exit code 130, the load has ended, no process of it is left, and loading again completes."""
    process = start("load", "slow", "--wait")
    assert slow.blocked.wait(timeout=60)
    process.send_signal(signum)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "Traceback" not in told
    assert load_phases(run) == ["Failed"]
    assert_nothing_runs(client)
    slow.release()
    run("load", "slow", "--wait")
    assert run("cat", "default/slow/part-3.bin").stdout_bytes == bytes([3]) * 4_000_000


def test_interrupting_who_only_waits_leaves_the_load_alone(slow: Relay, start: Start, run: Run) -> None:
    """`wait` looks on; the load belongs to somebody else."""
    run("load", "slow", "--name", "warm")
    process = start("wait", "dataload", "warm")
    assert process.stderr is not None
    assert "warm" in process.stderr.readline()  # it is up and watches
    assert slow.blocked.wait(timeout=60)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert load_phases(run) == ["Executing"]
    slow.release()
    run("wait", "dataload", "warm", "--timeout", "60")


def test_a_timeout_of_a_watched_load_leaves_it_running(slow: Relay, run: Run) -> None:
    """--timeout is how long to watch."""
    run("load", "slow", "--name", "warm", "--wait", "--timeout", "0.5", code=4)
    assert load_phases(run) == ["Executing"]
    slow.release()
    run("wait", "dataload", "warm", "--timeout", "60")


def test_progress_of_a_real_load_on_a_terminal(slow: Relay, start: Start) -> None:
    """A bar on a pseudo-terminal, while stdout stays a pipe."""
    import os
    import pty

    leader, follower = pty.openpty()
    process = start("load", "slow", "--wait", stderr=follower)
    os.close(follower)
    assert slow.blocked.wait(timeout=60)
    slow.release()
    seen = b""
    while chunk := _read(leader):
        seen += chunk
    os.close(leader)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Complete: 6 files" in out
    assert "MB/s" in seen.decode() or "MiB/s" in seen.decode()


def _read(leader: int) -> bytes:
    import os

    try:
        return os.read(leader, 65536)
    except OSError:
        return b""


def assert_nothing_runs(client: Client) -> None:
    """No process of any load is alive: a cancelled one has a few seconds to notice."""
    end = time.monotonic() + 20
    plane: Any = client.plane

    def alive() -> bool:
        """A run is recorded as ended before its process has ended."""
        uids = [manifest["metadata"]["uid"] for manifest in plane.list("DataLoad")]
        runs = [(uid, each.scheduled) for uid in uids for each in plane.registry.runs(uid)]
        return any(plane.controller.surroundings.alive(*run) for run in runs)

    while client.run_due().running or alive():
        assert time.monotonic() < end, "a load is still running"
        time.sleep(0.05)
