"""A real Alluxio behind its REST proxy keeps the contract of every under-store."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest

from datafluid.engine.understore.alluxio_store import AlluxioStore
from datafluid.engine.understore.port import Fetch, TellsHosts, WritableUnderStore
from datafluid.errors import StaleVersion, Unavailable
from tests.engine.understore import test_conformance
from tests.engine.understore.test_conformance import *  # noqa: F403  # the tests themselves
from tests.engines.alluxio import Alluxio

pytestmark = pytest.mark.slow
_COUNTER = itertools.count()


@pytest.fixture
def writable(alluxio: Alluxio) -> AlluxioStore:
    """A directory of its own, with files."""
    store = AlluxioStore(f"http://{alluxio.gateway}", f"conformance-{next(_COUNTER)}")
    for key, data in test_conformance.FILES.items():
        store.put(key, io.BytesIO(data))
    return store


@pytest.fixture
def full(writable: AlluxioStore) -> AlluxioStore:
    """The same."""
    return writable


def test_it_writes_and_tells_hosts(writable: Any) -> None:
    """The optional abilities are there, and the place of a cached block is the worker's."""
    assert isinstance(writable, WritableUnderStore)
    assert isinstance(writable, TellsHosts)
    (block,) = writable.hosts("dir/b.bin")
    assert (block.start, block.length, block.hosts, block.tier) == (0, 256_000, ("127.0.0.1",), "MEM")


def test_files_in_the_root_are_read_in_ranges_too(alluxio: Alluxio) -> None:
    """The proxy's S3 interface knows none of them; what comes before the range is thrown away."""
    store = AlluxioStore(f"http://{alluxio.gateway}")
    data = bytes(range(256)) * 12_000
    info = store.put("in-the-root.bin", io.BytesIO(data))
    for start, length in ((0, 10), (2_500_000, 300_000), (0, len(data))):
        assert bytes(store.read(Fetch(info=info, start=start, length=length))) == data[start : start + length]


def test_names_of_all_sorts(writable: Any) -> None:
    """Blanks, plus and percent signs, and letters of other alphabets."""
    for name in ("a b+c.txt", "100%.txt", "größe/データ.bin", "semi;colon&amp.txt"):
        info = writable.put(name, io.BytesIO(name.encode()))
        assert bytes(writable.read(test_conformance.whole(info))) == name.encode()
        assert name in [found.key for page in writable.walk("") for found in page]


def test_replacing_while_reading_is_noticed(alluxio: Alluxio, writable: Any) -> None:
    """Even by a file of the same size that the under-store got behind Alluxio's back."""
    info = writable.stat("a.txt")
    writable.put("a.txt", io.BytesIO(b"hello again"))
    with pytest.raises(StaleVersion):
        writable.read(test_conformance.whole(info))


def test_a_gateway_that_is_not_there() -> None:
    """Unavailable, with what to look at."""
    with pytest.raises(Unavailable, match="API gateway"):
        AlluxioStore("http://127.0.0.1:1").stat("x")
