"""`datafluid.tensorflow`: a real tf.data pipeline reads ``fluid://``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import datafluid
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset
from tests.engines.packages import packages

EXAMPLE = Path(__file__).parents[2] / "examples" / "tensorflow_files.py"
PROGRAM = """
import sys
import fsspec
import tensorflow as tf
from datafluid.tensorflow import files

url = "fluid://default/images/train"
for rank in range(2):
    got = files(url, rank=rank, world=2).map(lambda name, data: (name, tf.strings.length(data)))
    print(rank, *(f"{name.numpy().decode().rpartition('/')[2]}={size.numpy()}" for name, size in got))
paths = [fsspec.filesystem("fluid").local_path(f"{url}/records.tfrecord")]
print("records", *(record.numpy().decode() for record in tf.data.TFRecordDataset(paths)))
try:
    files(f"{url}/*.none")
except FileNotFoundError as error:
    print(error)
"""
RECORDS = """
import sys, tensorflow as tf
with tf.io.TFRecordWriter(sys.argv[1]) as writer:
    for word in (b"alpha", b"beta"):
        writer.write(word)
"""


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(packages("tensorflow-cpu==2.21.0")), "TF_CPP_MIN_LOG_LEVEL": "3"}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of two records, as TensorFlow itself writes it."""
    path = tmp_path_factory.mktemp("records") / "records.tfrecord"
    subprocess.run([sys.executable, "-c", RECORDS, str(path)], env=_environment(), check=True, capture_output=True)
    return path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_every_file_once(bucket: Bucket, warm: bool, records: bytes) -> None:
    """Two ranks share the files; what is cached is there for TensorFlow's own readers."""
    environment = _environment()
    bucket.put("train/records.tfrecord", records)
    for index in range(6):
        bucket.put(f"train/{index}.bin", bytes(index))
    handle = apply_bucket_dataset(datafluid.connect(), bucket, "images")
    if warm:
        handle.load().wait(timeout=60)

    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=240)

    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"0 0.bin=0 2.bin=2 4.bin=4 records.tfrecord={len(records)}", "1 1.bin=1 3.bin=3 5.bin=5"]
    assert "records alpha beta" in lines, "what was read is a local file from then on"
    assert "no file is below" in lines[-1]


@pytest.mark.slow
def test_the_example(bucket: Bucket) -> None:
    """Runs as it stands."""
    environment = _environment()
    for index in range(9):
        bucket.put(f"{index}.bin", bytes(index))
    apply_bucket_dataset(datafluid.connect(), bucket, "images")
    told = []
    for rank in ("0", "1"):
        share = environment | {"RANK": rank, "WORLD_SIZE": "2"}
        done = subprocess.run([sys.executable, str(EXAMPLE)], env=share, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-3000:]
        told.append(done.stdout.strip())
    assert told == ["bytes: 20", "bytes: 16"]
