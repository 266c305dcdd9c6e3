"""A store that answers wrongly: never a wrong byte, never a hang, and an error that says what to do."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from datafluid.client import connect
from datafluid.errors import OperationFailed
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from tests.faults.conftest import PATH, SIZE
from tests.faults.store_proxy import Answer, Proxy


def _read(how: str) -> bytes:
    fs = FluidFileSystem(skip_instance_cache=True)
    if how == "cat_file":
        return fs.cat_file(PATH)
    if how == "cat_ranges":
        starts = list(range(0, SIZE, 250_000))
        return b"".join(
            fs.cat_ranges([PATH] * len(starts), starts, [start + 250_000 for start in starts], on_error="raise")
        )
    with fs.open(PATH) as file:
        return b"".join(iter(lambda: file.read(70_000), b""))


def _short(answer: Answer) -> Answer:
    """Says honestly that it sends less than was asked for."""
    body = answer.body[:-100]
    return replace(answer, body=body, headers=answer.headers | {"Content-Length": str(len(body))})


def _half(answer: Answer) -> Answer:
    """The connection is cut in the middle of the body."""
    return replace(answer, cut=len(answer.body) // 2)


def _another(answer: Answer) -> Answer:
    """Another version, whatever was asked for."""
    return replace(
        answer, body=bytes(len(answer.body)), headers=answer.headers | {"Etag": '"another"', "ETag": '"another"'}
    )


_WAYS = ["open", "cat_file", "cat_ranges"]


@pytest.mark.parametrize("how", _WAYS)
@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_trouble_is_not_noticed(
    dataset: DatasetHandle, proxy: Proxy, data: bytes, how: str, status: int
) -> None:
    """One answer of 500, 503 or 429 is asked again."""
    proxy.misbehave(lambda answer: Answer.error(status), times=1)
    assert _read(how) == data
    assert proxy.seen > 1


@pytest.mark.parametrize("how", _WAYS)
def test_a_connection_that_is_cut(dataset: DatasetHandle, proxy: Proxy, data: bytes, how: str) -> None:
    """Cut once in mid-body: the bytes are right, or the reader is told; and right at the next time."""
    proxy.misbehave(_half, times=1)
    try:
        assert _read(how) == data
    except OSError as error:
        assert str(error)
    assert _read(how) == data


@pytest.mark.parametrize("how", _WAYS)
@pytest.mark.parametrize("fault", [_short, _half, _another], ids=lambda fault: fault.__name__.strip("_"))
def test_a_store_that_lies_all_the_time(
    dataset: DatasetHandle, proxy: Proxy, data: bytes, how: str, fault: object
) -> None:
    """No byte of it is handed out; and when it has stopped everything is right, without a restart."""
    proxy.misbehave(fault)  # type: ignore[arg-type]
    with pytest.raises(OSError, match=r"\. [A-Z]"):  # a sentence, and what to do
        _read(how)
    with pytest.raises(OperationFailed):
        dataset.load().wait(timeout=120)
    proxy.misbehave(None)
    assert _read(how) == data
    assert dataset.load().wait(timeout=60).phase == "Complete"
    assert _read(how) == data
    assert connect().cache.verify() == []


@pytest.mark.parametrize(("status", "kind"), [(403, PermissionError), (404, FileNotFoundError)])
def test_refusals_have_their_errno(
    dataset: DatasetHandle, proxy: Proxy, data: bytes, status: int, kind: type[OSError]
) -> None:
    """Access denied is a PermissionError, an object that is gone a FileNotFoundError; a load names the file."""
    proxy.misbehave(lambda answer: Answer.error(status))
    with pytest.raises(kind) as caught:
        _read("open")
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)
    with pytest.raises(OperationFailed):
        dataset.load().wait(timeout=60)
    proxy.misbehave(None)
    assert _read("open") == data
