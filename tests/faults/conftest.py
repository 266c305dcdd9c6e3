"""One object behind a line that can misbehave."""

from __future__ import annotations

import random

import pytest

from datafluid.client import connect
from datafluid.handles import DatasetHandle
from tests.conftest import Bucket
from tests.datasets import dataset_manifest
from tests.faults.store_proxy import Proxy

SIZE = 1_200_000
PATH = "default/data/data.bin"


@pytest.fixture
def data(bucket: Bucket, seed: int) -> bytes:
    """The object's bytes."""
    content = random.Random(seed).randbytes(SIZE)
    bucket.put("data.bin", content)
    return content


@pytest.fixture
def mount_options(bucket: Bucket, proxy: Proxy) -> dict[str, str]:
    """The dataset's way to the object leads over the line."""
    return {**bucket.options, "endpoint": proxy.endpoint}


@pytest.fixture
def dataset(bucket: Bucket, data: bytes, mount_options: dict[str, str]) -> DatasetHandle:
    """The dataset that the object is in; Bound."""
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=mount_options))
    client.dataset("data").wait(timeout=60)
    return client.dataset("data")
