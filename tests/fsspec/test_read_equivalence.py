"""Whatever is read, in whatever order, from whatever is cached: the same bytes as from memory."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datafluid.client import Client, connect
from datafluid.engine.cache.store import CacheStore
from datafluid.testing.s3 import S3Server
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_UNIT = 64 << 10
_SIZE = 5 * _UNIT + 12_345
_PATH = "default/equal/file.bin"


def _content() -> bytes:
    """Random bytes with lines of very different lengths, the last one without an end."""
    source = random.Random(20_130_101)
    data = bytearray(source.randbytes(_SIZE)).replace(b"\n", b"\r")
    for place in [0, 1, _UNIT - 1, _UNIT, 3 * _UNIT + 7, *(source.randrange(_SIZE - 1) for _ in range(40))]:
        data[place] = ord("\n")
    return bytes(data)


CONTENT = _content()


@dataclass(frozen=True)
class Place:
    """The dataset that all examples read."""

    client: Client
    bucket: Bucket
    fs: FluidFileSystem

    def prepare(self, state: str, cached: list[tuple[int, int]]) -> None:
        """Make the file cold, partly cached, or complete."""
        self.client.cache.evict("default/equal")
        self.fs.invalidate_cache("default/equal")
        if state == "partial":
            self.fs.read_ranges(_PATH, cached)
        elif state == "warm":
            self.fs.read_ranges(_PATH, [(0, _SIZE)])
            assert self.fs.local_path(_PATH) is not None


@pytest.fixture(scope="module")
def place(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One dataset in a home of its own for all examples."""
    base = tmp_path_factory.mktemp("equivalence")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATAFLUID_HOME", str(base / "datafluid"))
        patch.setenv("DATAFLUID_CONFIG", os.devnull)
        patch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
        bucket = Bucket(s3_server, s3_server.create_bucket("equivalence"))
        bucket.put("file.bin", CONTENT)
        client = connect()
        apply_bucket_dataset(client, bucket, "equal", annotations={"datafluid.io/refresh": "never"})
        yield Place(client, bucket, FluidFileSystem(skip_instance_cache=True))


@pytest.fixture
def equal(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The dataset, with the environment that it was made in: each test has a home of its own otherwise."""
    store: CacheStore = place.client.cache.store
    monkeypatch.setenv("DATAFLUID_HOME", str(store.home.path))
    monkeypatch.setenv("DATAFLUID_CONFIG", os.devnull)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", place.bucket.server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", place.bucket.server.secret_key)
    return place


# Positions prefer the edges of what is fetched at once, and lie behind the end too.
_EDGES = [0, 1, _UNIT - 1, _UNIT, _UNIT + 1, 2 * _UNIT, 5 * _UNIT, _SIZE - 1, _SIZE, _SIZE + 1, _SIZE + _UNIT]
_positions = st.one_of(st.sampled_from(_EDGES), st.integers(0, _SIZE + 100))
_lengths = st.one_of(st.sampled_from([0, 1, 4096, _UNIT, _UNIT + 1, 2 * _UNIT]), st.integers(0, 3 * _UNIT))
_bounds = st.one_of(st.none(), _positions, _positions.map(lambda position: -position))
_slices = st.tuples(_bounds, _bounds)

_steps = st.one_of(
    st.tuples(st.just("seek"), _positions, st.just(0)),
    st.tuples(st.just("seek"), st.integers(-_UNIT, _UNIT), st.just(1)),
    st.tuples(st.just("seek"), st.integers(-_SIZE, 10), st.just(2)),
    st.tuples(st.just("read"), _lengths),
    st.tuples(st.just("read"), st.just(-1)),
    st.tuples(st.just("read1"), _lengths),
    st.tuples(st.just("readinto"), _lengths),
    st.tuples(st.just("readline"), st.sampled_from([-1, 0, 10, _UNIT])),
    st.tuples(st.just("readlines"), st.integers(1, _UNIT)),
    st.tuples(st.just("peek")),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("cat_file"), _slices),
    st.tuples(st.just("cat_ranges"), st.lists(_slices, max_size=4)),
    st.tuples(st.just("read_ranges"), st.lists(st.tuples(_positions, _lengths), max_size=4)),
)


class Pair:
    """A file of the dataset and the same bytes in memory; every step is done to both.

    Args:
        fs: The filesystem.
    """

    def __init__(self, fs: FluidFileSystem) -> None:
        self.fs = fs
        self.file = fs.open(_PATH)
        self.memory = io.BytesIO(CONTENT)

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def do(self, name: str, *arguments: Any) -> None:
        """Do one step to both, and compare results and positions."""
        getattr(self, f"_{name}")(*arguments)
        assert self.file.tell() == self.memory.tell()

    def _seek(self, offset: int, whence: int) -> None:
        if whence == 1:  # io.BytesIO stops at 0 where a file refuses
            offset = max(offset, -self.memory.tell())
        if whence == 2:
            offset = max(offset, -_SIZE)
        assert self.file.seek(offset, whence) == self.memory.seek(offset, whence)

    def _read(self, length: int) -> None:
        assert self.file.read(length) == self.memory.read(length)

    def _read1(self, length: int) -> None:
        data = self.file.read1(length)
        assert len(data) <= length
        assert data == self.memory.read(len(data))
        assert data or not length or self.memory.tell() >= _SIZE

    def _readinto(self, length: int) -> None:
        ours, theirs = bytearray(length), bytearray(length)
        assert self.file.readinto(ours) == self.memory.readinto(theirs)
        assert ours == theirs

    def _readline(self, limit: int) -> None:
        assert self.file.readline(limit) == self.memory.readline(limit)

    def _readlines(self, hint: int) -> None:
        assert self.file.readlines(hint) == self.memory.readlines(hint)

    def _peek(self) -> None:
        position = self.memory.tell()
        data = self.file.peek()
        assert data == CONTENT[position : position + len(data)]
        assert data or position >= _SIZE

    def _reopen(self) -> None:
        position = self.file.tell()
        self.file.close()
        self.file = self.fs.open(_PATH)
        self.file.seek(position)

    def _cat_file(self, bounds: tuple[int | None, int | None]) -> None:
        assert self.fs.cat_file(_PATH, *bounds) == CONTENT[slice(*bounds)]

    def _cat_ranges(self, slices: list[tuple[int | None, int | None]]) -> None:
        starts, ends = [start for start, _ in slices], [end for _, end in slices]
        found = self.fs.cat_ranges([_PATH] * len(slices), starts, ends, on_error="raise")
        assert found == [CONTENT[slice(*bounds)] for bounds in slices]

    def _read_ranges(self, ranges: list[tuple[int, int]]) -> None:
        found = self.fs.read_ranges(_PATH, [(start, start + length) for start, length in ranges])
        assert found == [CONTENT[start : start + length] for start, length in ranges]


@pytest.mark.parametrize("state", ["cold", "partial", "warm"])
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@pytest.mark.slow
@given(
    cached=st.lists(st.tuples(_positions, _lengths).map(lambda each: (each[0], sum(each))), min_size=1, max_size=3),
    steps=st.lists(_steps, min_size=1, max_size=12),
)
def test_any_sequence_of_reads_equals_memory(
    state: str, equal: Place, cached: list[tuple[int, int]], steps: list[tuple[Any, ...]]
) -> None:
    """Any steps on a cold, partly cached or warm file give what the same steps on `io.BytesIO` give."""
    equal.prepare(state, cached)
    before = len(equal.bucket.gets()) if state == "warm" else 0
    pair = Pair(equal.fs)
    try:
        for step in steps:
            pair.do(*step)
    finally:
        pair.close()
    assert equal.fs.cat_file(_PATH) == CONTENT
    if state == "warm":
        assert len(equal.bucket.gets()) == before


@pytest.mark.parametrize(
    "state",
    [
        "cold",
        "warm",
    ],
)
def test_evicting_between_reads(state: str, equal: Place) -> None:
    """A file that is evicted while it is open reads on to the end."""
    equal.prepare(state, [])
    source = random.Random(7)
    with equal.fs.open(_PATH) as file:
        for _ in range(20):
            start = source.randrange(_SIZE)
            file.seek(start)
            assert file.read(5_000) == CONTENT[start : start + 5_000]
            equal.client.cache.evict("default/equal")
    assert equal.fs.cat_file(_PATH) == CONTENT


def test_what_a_reader_of_an_evicted_file_fetches_is_nobody_elses(equal: Place) -> None:
    """Bytes that go to a file without a name are not taken for those of the next file of that name."""
    equal.prepare("cold", [])
    with equal.fs.open(_PATH) as first:
        first.seek(_UNIT)
        assert first.read(10) == CONTENT[_UNIT : _UNIT + 10]
        equal.client.cache.evict("default/equal")
        first.seek(3 * _UNIT)
        assert first.read(10) == CONTENT[3 * _UNIT : 3 * _UNIT + 10]
        with equal.fs.open(_PATH) as second:
            second.seek(3 * _UNIT)
            assert second.read(10) == CONTENT[3 * _UNIT : 3 * _UNIT + 10]
        first.seek(0)
        assert first.read() == CONTENT
    assert equal.fs.cat_file(_PATH) == CONTENT


def test_what_others_fetch_is_not_in_an_evicted_file(equal: Place) -> None:
    """A reader whose file was evicted fetches for itself what another one has fetched into the new file."""
    equal.prepare("cold", [])
    with equal.fs.open(_PATH) as first:
        first.seek(_UNIT)
        assert first.read(10) == CONTENT[_UNIT : _UNIT + 10]
        equal.client.cache.evict("default/equal")
        equal.fs.read_ranges(_PATH, [(3 * _UNIT, 3 * _UNIT + 10)])
        first.seek(3 * _UNIT + 5)
        assert first.read(10) == CONTENT[3 * _UNIT + 5 : 3 * _UNIT + 15]


def test_a_partial_file_that_vanished(equal: Place) -> None:
    """A partial file that somebody has deleted is fetched again, and not taken for zeros."""
    equal.prepare("partial", [(0, 2 * _UNIT)])
    store: CacheStore = equal.client.cache.store
    (partial,) = [path for path in store.home.cache.rglob("*.bin") if path.is_file()]
    partial.unlink()
    assert equal.fs.cat_file(_PATH) == CONTENT


def test_read_ranges_after_evicting(equal: Place) -> None:
    """Vectored reads of a file that was evicted since the last one fetch it again."""
    equal.prepare("warm", [])
    assert equal.fs.read_ranges(_PATH, [(5, 9)]) == [CONTENT[5:9]]
    equal.client.cache.evict("default/equal")
    assert equal.fs.read_ranges(_PATH, [(5, 9)]) == [CONTENT[5:9]]
