"""A store that is slow, or stops in the middle: slow is no error, stopped is not waited for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from datafluid.client import connect
from datafluid.errors import OperationFailed, Unavailable
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest
from tests.faults.store_proxy import Answer, Proxy, serve_proxy

_SIZE = 1_000_000
_PATH = "default/data/data.bin"
_PATIENCE = 1.0  # the mount's option: seconds without a byte


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[Proxy]:
    """The server behind a line that can be slow."""
    with serve_proxy(bucket.server.endpoint) as running:
        yield running


@pytest.fixture
def data(bucket: Bucket, seed: int) -> bytes:
    """The object's bytes."""
    content = random.Random(seed).randbytes(_SIZE)
    bucket.put("data.bin", content)
    return content


@pytest.fixture
def dataset(bucket: Bucket, proxy: Proxy, data: bytes) -> DatasetHandle:
    """A dataset over the slow line, whose patience is a second."""
    client = connect()
    options = {**bucket.options, "endpoint": proxy.endpoint, "timeout": f"{_PATIENCE:g}s"}
    client.apply(dataset_manifest("data", bucket.url, options=options))
    client.dataset("data").wait(timeout=60)
    return client.dataset("data")


def test_slow_is_no_error(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """Bytes that keep coming are waited for, however long the whole takes, and asked for once."""
    started = time.monotonic()
    proxy.misbehave(lambda answer: replace(answer, pace=lambda: time.sleep(_PATIENCE / 8)))
    assert FluidFileSystem(skip_instance_cache=True).cat(_PATH) == data
    assert time.monotonic() - started > _PATIENCE
    assert proxy.seen == 1


@pytest.mark.parametrize("how", ["read", "load"])
def test_a_line_that_stalls_once(dataset: DatasetHandle, proxy: Proxy, data: bytes, how: str) -> None:
    """It is given up, another request is made, and all bytes are right."""
    gate = threading.Event()
    proxy.misbehave(lambda answer: replace(answer, pace=_stalls_after(3, gate)), times=1)
    fs = FluidFileSystem(skip_instance_cache=True)
    if how == "load":
        assert dataset.load().wait(timeout=60).phase == "Complete"
        assert fs.local_path(_PATH) is not None
    else:
        try:
            assert fs.cat(_PATH) == data
        except Unavailable as error:  # told, and not left waiting
            assert error.hint
    gate.set()
    assert fs.cat(_PATH) == data
    assert connect().cache.verify() == []


def test_a_line_that_stalls_again_and_again(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """Each request brings a little: the next one goes on from there."""
    gate = threading.Event()
    proxy.misbehave(lambda answer: replace(answer, pace=_stalls_after(5, gate)))
    assert FluidFileSystem(skip_instance_cache=True).cat(_PATH) == data
    assert proxy.seen > 1
    gate.set()


def test_a_line_that_brings_nothing(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """An error that says so, and no waiting for ever; afterwards everything is right, without a restart."""
    gate = threading.Event()
    proxy.misbehave(lambda answer: replace(answer, pace=_stalls_after(0, gate)))
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(Unavailable, match=r"cannot be reached\. Check"):
        fs.cat(_PATH)
    gate.set()
    proxy.misbehave(None)
    assert fs.cat(_PATH) == data


def _stalls_after(pieces: int, gate: threading.Event) -> object:
    """Lets some pieces through and then waits."""
    left = iter(range(pieces))

    def pace() -> None:
        if next(left, None) is None:
            gate.wait(60)

    return pace


def _larger(answer: Answer) -> Answer:
    """Says of every object that it is a hundred bytes larger than it is."""
    return _saying(answer, _SIZE + 100)


def _smaller(answer: Answer) -> Answer:
    """Says of every object that it is a hundred bytes smaller."""
    return _saying(answer, _SIZE - 100)


def _saying(answer: Answer, size: int) -> Answer:
    body = answer.body.replace(f"<Size>{_SIZE}<".encode(), f"<Size>{size}<".encode())
    length = str(size) if answer.headers.get("Content-Length") == str(_SIZE) else str(len(body))
    return replace(answer, body=body, headers=answer.headers | {"Content-Length": length})


@pytest.mark.parametrize("lie", [_larger, _smaller], ids=lambda lie: lie.__name__.strip("_"))
def test_a_store_that_lies_about_lengths(dataset: DatasetHandle, proxy: Proxy, data: bytes, lie: object) -> None:
    """Listings and HEADs say one length, the object has another: an error, never a padded or a cut file."""
    proxy.lie = lie  # type: ignore[assignment]
    dataset.refresh()
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(OSError, match=r"\. [A-Z]"):
        fs.cat(_PATH)
    with pytest.raises(OSError, match=r"\. [A-Z]"), fs.open(_PATH) as file:
        file.read()
    with pytest.raises(OperationFailed, match=r"data\.bin"):
        dataset.load().wait(timeout=60)
    proxy.lie = lambda answer: answer
    dataset.refresh()
    assert fs.cat(_PATH) == data
    assert connect().cache.verify() == []


def test_more_than_was_asked_for(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """A store that ignores ranges, or appends something, gives no byte too many."""
    proxy.misbehave(
        lambda answer: replace(
            answer,
            body=answer.body + b"!" * 100,
            headers=answer.headers | {"Content-Length": str(len(answer.body) + 100)},
        )
    )
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(OSError, match=r"\. [A-Z]"):
        fs.cat(_PATH)
    proxy.misbehave(None)
    assert fs.cat(_PATH) == data
