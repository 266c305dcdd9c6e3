"""``kill -9`` of a load after any number of bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from datafluid.client import connect
from tests.conftest import Bucket
from tests.datasets import dataset_manifest
from tests.engine.test_load_faults import wait_until_gone, worker_pid
from tests.relay import Relay

_MIB = 1 << 20
_EXTENT = 4 * _MIB
_STREAMS = 8
_READER = """
import hashlib, sys, fsspec
fs = fsspec.filesystem("fluid")
for path in sys.argv[1:]:
    print(hashlib.sha256(fs.cat(path)).hexdigest())
"""


def test_any_moment_is_a_good_one_to_die(bucket: Bucket, home: Path, seed: int, long: bool) -> None:
    """A fresh reader sees the source's bytes; the load goes on, and fetches little more than what was missing."""
    import hashlib

    source = random.Random(seed)
    sizes = {"large.bin": 24 * _MIB + 5, **{f"small/{number}.bin": 90_000 + number for number in range(12)}}
    content = {key: source.randbytes(size) for key, size in sizes.items()}
    for key, data in content.items():
        bucket.put(key, data)
    expected = [hashlib.sha256(data).hexdigest() for data in content.values()]
    for turn in range(1_000 if long else 5):
        name = f"data-{turn}"
        relay = Relay(bucket.server.endpoint, limit=source.randrange(20_000, sum(sizes.values())))
        try:
            client = connect()
            client.apply(dataset_manifest(name, bucket.url, options={**bucket.options, "endpoint": relay.endpoint}))
            client.dataset(name).wait(timeout=60)
            load = client.dataset(name).load()
            assert relay.blocked.wait(timeout=60)
            pid = worker_pid(home)
            os.kill(pid, signal.SIGKILL)
            wait_until_gone(pid)
            before = relay.passed
            relay.release()
            if turn % 2:
                assert load.wait(timeout=60).phase == "Complete"  # resumed by whoever waits
                assert relay.passed - before <= sum(sizes.values()) - before + _STREAMS * _EXTENT + _MIB
            paths = [f"default/{name}/{key}" for key in sizes]
            read = subprocess.run(
                [sys.executable, "-c", _READER, *paths], capture_output=True, text=True, timeout=60, check=True
            )
            assert read.stdout.split() == expected, f"turn {turn}"
            assert load.wait(timeout=60).phase == "Complete"
            client.cache.clear()
        finally:
            relay.close()
