"""The PyTorch slice: a DataLoader with forked workers reads ``fluid://``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import datafluid
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

EXAMPLE = Path(__file__).parents[2] / "examples" / "torch_loader.py"
HAS_TORCH = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch: run `make setup-torch`")
@pytest.mark.parametrize("loaded", [True, False], ids=["warm", "cold"])
def test_forked_workers_read_right_bytes(bucket: Bucket, loaded: bool) -> None:
    """Two forked workers sum the right bytes, whether the files are cached or must be fetched."""
    for index in range(16):
        bucket.put(f"{index:02}.bin", bytes([index]) * 64)
    handle = apply_bucket_dataset(datafluid.connect(), bucket, "images")
    if loaded:
        handle.load().wait(timeout=60)

    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], env=os.environ.copy(), capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert f"sum: {sum(range(16)) * 64}" in done.stdout
