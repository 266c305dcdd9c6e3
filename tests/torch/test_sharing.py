"""`datafluid.torch`: every sample once, over ranks, workers and ways to start them, warm or cold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import datafluid
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset
from tests.engines.packages import packages
from tests.torch.test_loader import HAS_TORCH

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch: run `make setup-torch`"),
]
PROGRAM = Path(__file__).parent / "read_shares.py"
FILES = 23


def run(*arguments: str, **environment: str) -> list[dict[str, list[int]]]:
    """What the program read: a line of JSON a rank."""
    command = [sys.executable, str(PROGRAM), *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def images(bucket: Bucket) -> datafluid.DatasetHandle:
    """Files whose only bytes say which they are."""
    for index in range(FILES):
        bucket.put(f"train/{index:03}.bin", bytes([index]) * 10)
    return apply_bucket_dataset(datafluid.connect(), bucket, "images")


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_every_sample_once(images: datafluid.DatasetHandle, start: str, warm: bool) -> None:
    """Two ranks with two workers each, map-style and iterable, in two epochs; the parent has read cold before."""
    if warm:
        images.load("/train").wait(timeout=60)
    ranks = run("fluid://default/images/train", start, "2")
    assert len(ranks) == 2
    for what in ("map 0", "map 1", "stream 0", "stream 1"):
        shares = [rank[what] for rank in ranks]
        assert sorted(sample for share in shares for sample in share) == list(range(FILES))
        assert abs(len(shares[0]) - len(shares[1])) <= 1
    assert ranks[0]["map 0"] != ranks[0]["map 1"], "another epoch has another order"


def test_ranks_that_know_of_each_other_read_what_is_near(images: datafluid.DatasetHandle) -> None:
    """With torch.distributed one rank decides for all: each file once, though each asked its own cache."""
    images.load("/train/000.bin", "/train/007.bin").wait(timeout=60)
    older = packages("numpy==1.26.4", alone=True)  # Debian's PyTorch sends objects between ranks with no later one
    ranks = run("fluid://default/images/train", "distributed", "2", PYTHONPATH=str(older))
    assert sorted(sample for rank in ranks for sample in rank["map 0"]) == list(range(FILES))


def test_no_file_and_no_such_rank(images: datafluid.DatasetHandle) -> None:
    """Errors before anything is read."""
    done = subprocess.run([sys.executable, str(PROGRAM), "wrong"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "no file is below fluid://default/images/empty-" in done.stdout
    assert "RANK is 'first'" in done.stdout
    assert "there is no rank 2 of 2" in done.stdout
