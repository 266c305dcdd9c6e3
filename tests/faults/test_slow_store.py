"""A store that is slow, or stops in the middle: slow is no error, stopped is not waited for."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from datafluid.client import connect
from datafluid.errors import OperationFailed, Unavailable
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from tests.faults.conftest import PATH, SIZE
from tests.faults.store_proxy import Answer, Proxy

_PATIENCE = 1.0  # the mount's option: seconds without a byte


@pytest.fixture
def mount_options(mount_options: dict[str, str]) -> dict[str, str]:
    """The mount's patience is a second."""
    return {**mount_options, "timeout": f"{_PATIENCE:g}s"}


def test_slow_is_no_error(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """Bytes that keep coming are waited for, however long the whole takes, and asked for once."""
    started = time.monotonic()
    proxy.misbehave(lambda answer: replace(answer, pace=lambda: time.sleep(_PATIENCE / 8)))
    assert FluidFileSystem(skip_instance_cache=True).cat(PATH) == data
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
        assert fs.local_path(PATH) is not None
    else:
        try:
            assert fs.cat(PATH) == data
        except Unavailable as error:  # told, and not left waiting
            assert error.hint
    gate.set()
    assert fs.cat(PATH) == data
    assert connect().cache.verify() == []


def test_a_line_that_stalls_again_and_again(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """Each request brings a little: the next one goes on from there."""
    gate = threading.Event()
    proxy.misbehave(lambda answer: replace(answer, pace=_stalls_after(5, gate)))
    assert FluidFileSystem(skip_instance_cache=True).cat(PATH) == data
    assert proxy.seen > 1
    gate.set()


def test_a_line_that_brings_nothing(dataset: DatasetHandle, proxy: Proxy, data: bytes) -> None:
    """An error that says so, and no waiting for ever; afterwards everything is right, without a restart."""
    gate = threading.Event()
    proxy.misbehave(lambda answer: replace(answer, pace=_stalls_after(0, gate)))
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(Unavailable, match=r"cannot be reached at http://[\d.:]+\. Check"):
        fs.cat(PATH)
    gate.set()
    proxy.misbehave(None)
    assert fs.cat(PATH) == data


def _stalls_after(pieces: int, gate: threading.Event) -> object:
    """Lets some pieces through and then waits."""
    left = iter(range(pieces))

    def pace() -> None:
        if next(left, None) is None:
            gate.wait(60)

    return pace


def _larger(answer: Answer) -> Answer:
    """Says of every object that it is a hundred bytes larger than it is."""
    return _saying(answer, SIZE + 100)


def _smaller(answer: Answer) -> Answer:
    """Says of every object that it is a hundred bytes smaller."""
    return _saying(answer, SIZE - 100)


def _saying(answer: Answer, size: int) -> Answer:
    body = answer.body.replace(f"<Size>{SIZE}<".encode(), f"<Size>{size}<".encode())
    length = str(size) if answer.headers.get("Content-Length") == str(SIZE) else str(len(body))
    return replace(answer, body=body, headers=answer.headers | {"Content-Length": length})


@pytest.mark.parametrize("lie", [_larger, _smaller], ids=lambda lie: lie.__name__.strip("_"))
def test_a_store_that_lies_about_lengths(dataset: DatasetHandle, proxy: Proxy, data: bytes, lie: object) -> None:
    """Listings and HEADs say one length, the object has another: an error, never a padded or a cut file."""
    proxy.lie = lie  # type: ignore[assignment]
    dataset.refresh()
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(OSError, match=r"\. [A-Z]"):
        fs.cat(PATH)
    with pytest.raises(OSError, match=r"\. [A-Z]"), fs.open(PATH) as file:
        file.read()
    with pytest.raises(OperationFailed, match=r"data\.bin"):
        dataset.load().wait(timeout=60)
    proxy.lie = lambda answer: answer
    dataset.refresh()
    assert fs.cat(PATH) == data
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
        fs.cat(PATH)
    proxy.misbehave(None)
    assert fs.cat(PATH) == data
