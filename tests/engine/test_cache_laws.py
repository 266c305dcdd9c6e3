"""Laws of the cache: ranges are sets of bytes, names read back, a quota holds, and a complete file is right."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import upkeep
from datafluid.engine.cache.checksum import PIECE, piece_digest, tree_digest
from datafluid.engine.cache.extents import Ranges, add, aligned, coalesce, covers, missing, total
from datafluid.engine.cache.filling import Extent, Filling, PieceHasher
from datafluid.engine.cache.identity import CachedName, content_id, suffix_of
from datafluid.engine.cache.sealed import Sealed
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.cache.tier import blocks
from datafluid.engine.cache.upkeep import Selection
from datafluid.engine.home import Home
from datafluid.engine.understore.port import ObjectInfo
from datafluid.errors import CacheFull

_OFFSETS = st.integers(0, 60)
_RANGE = st.tuples(_OFFSETS, _OFFSETS)
_PROPER = _RANGE.map(lambda pair: (min(pair), max(pair)))
_RANGES = st.lists(_PROPER, max_size=8)


def held(ranges: Ranges | list[tuple[int, int]]) -> set[int]:
    """The model: the bytes that ranges hold."""
    return {byte for start, end in ranges for byte in range(start, end)}


def is_canonical(ranges: Ranges) -> bool:
    """Sorted, not empty, and neither overlapping nor touching."""
    return all(start < end for start, end in ranges) and all(
        left[1] < right[0] for left, right in itertools.pairwise(ranges)
    )


# -- ranges -----------------------------------------------------------------------------------------------------


@given(_RANGES)
def test_coalescing_keeps_every_byte(ranges: list[tuple[int, int]]) -> None:
    """The same bytes, sorted and disjoint; doing it again changes nothing, nor does the order."""
    merged = coalesce(ranges)
    assert held(merged) == held(ranges)
    assert is_canonical(merged)
    assert coalesce(merged) == merged
    assert coalesce(reversed(ranges)) == merged
    assert total(merged) == len(held(ranges))


@given(_RANGES, st.integers(0, 10))
def test_a_gap_is_closed_when_it_is_small_enough(ranges: list[tuple[int, int]], gap: int) -> None:
    """What is added lies between two ranges that are at most so far apart; larger gaps stay."""
    merged = coalesce(ranges, gap=gap)
    assert held(merged) >= held(ranges)
    assert all(right[0] - left[1] > gap for left, right in itertools.pairwise(merged))
    for start, end in missing(coalesce(ranges), 0, 60):
        inner = start > 0 and end < 60 and start - 1 in held(ranges) and end in held(ranges)
        assert (held([(start, end)]) <= held(merged)) == (inner and end - start <= gap)


@given(_RANGES, _PROPER)
def test_what_is_missing_is_what_is_not_held(ranges: list[tuple[int, int]], span: tuple[int, int]) -> None:
    """Within the span, sorted and disjoint; nothing is missing exactly when all is covered."""
    have = coalesce(ranges)
    holes = missing(have, *span)
    assert held(holes) == held([span]) - held(have)
    assert is_canonical(holes)
    assert covers(have, *span) == (holes == ())


@given(_RANGES, _PROPER)
def test_what_was_missing_is_all_that_is_to_be_added(ranges: list[tuple[int, int]], span: tuple[int, int]) -> None:
    """Have, and what is missing of a span, cover it."""
    have = coalesce(ranges)
    whole = coalesce((*have, *missing(have, *span)))
    assert covers(whole, *span)
    assert held(whole) == held(have) | held([span])


@given(st.lists(_PROPER.filter(lambda pair: pair[0] < pair[1]), max_size=12))
def test_adding_one_by_one_is_coalescing(ranges: list[tuple[int, int]]) -> None:
    """In whatever order they come."""
    have: Ranges = ()
    for start, end in ranges:
        have = add(have, start, end)
    assert have == coalesce(ranges)


@given(_PROPER, st.integers(1, 16), st.integers(0, 80))
def test_widening_to_units(span: tuple[int, int], unit: int, size: int) -> None:
    """As little as is possible: it holds the span, begins and ends at units or at the end of the object."""
    start, end = min(span[0], size), min(span[1], size)
    left, right = aligned(start, end, unit=unit, size=size)
    assert held([(start, end)]) <= held([(left, right)])
    assert left % unit == 0 and start - left < unit
    assert (right % unit == 0 and right - end < unit) or right == size
    assert aligned(left, right, unit=unit, size=size) == (left, right)


# -- names ------------------------------------------------------------------------------------------------------

_HASH = st.binary(min_size=16, max_size=16)
_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_KEYS = _TEXT | st.from_regex(r"[a-z/]{0,8}(\.[A-Za-z0-9_]{1,9}){0,3}", fullmatch=True)


@given(_HASH, st.none() | _HASH, _KEYS)
def test_a_cached_name_reads_back(content: bytes, checksum: bytes | None, key: str) -> None:
    """Whatever the key is: identity, checksum and suffix, and it is one file name."""
    name = CachedName(content, checksum, suffix_of(key))
    assert CachedName.parse(str(name)) == name
    assert "/" not in str(name) and len(str(name)) <= 255
    assert str(name).startswith(name.directory)


@given(_TEXT)
def test_other_names_are_not_taken_for_ours(text: str) -> None:
    """What reads back as a name is written the same."""
    name = CachedName.parse(text)
    assert name is None or str(name) == text


@pytest.mark.parametrize(
    "name",
    ["", "0" * 31, "0" * 33, "0" * 48, "0" * 65, "A" * 32, "0" * 32 + "\n", "0" * 32 + ".a.b.c", "../" + "0" * 32],
)
def test_what_is_no_cached_name(name: str) -> None:
    """Wrong lengths, letters and ends."""
    assert CachedName.parse(name) is None


@given(_KEYS)
def test_a_suffix_is_the_end_of_the_last_name(key: str) -> None:
    """At most two parts; it never reaches into a directory."""
    suffix = suffix_of(key)
    assert key.rpartition("/")[2].endswith(suffix)
    assert suffix.count(".") <= 2


_ORIGIN = st.tuples(_TEXT, _TEXT, _TEXT, st.integers(0, 10**6))


@given(_ORIGIN, _ORIGIN)
def test_identities_differ_when_anything_does(one: tuple[str, str, str, int], other: tuple[str, str, str, int]) -> None:
    """Also when the parts only move from one to the next: no two files share a cached one."""
    assert (content_id(*one) == content_id(*other)) == (one == other)
    origin, key, version, size = one
    moved = (origin + key, "", version, size)
    assert moved == one or content_id(*moved) != content_id(*one)


# -- checksums ----------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(0, 3 * PIECE), st.lists(st.integers(0, 3 * PIECE), max_size=6))
def test_the_pieces_of_a_stream_are_the_files(size: int, cuts: list[int]) -> None:
    """However the stream is cut: the extents are its bytes in order, cut at pieces, with the digests of each."""
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    hasher = PieceHasher(0)
    borders = sorted({0, size, *(cut for cut in cuts if cut < size)})
    for start, end in itertools.pairwise(borders):
        hasher.update(memoryview(data)[start:end])
    extents = hasher.finish()
    assert coalesce((start, end) for start, end, _ in extents) == (((0, size),) if size else ())
    for start, end, digest in extents:
        assert start % PIECE == 0 and (end % PIECE == 0 or end == size)
        assert digest == piece_digest(memoryview(data)[start:end])


# -- the store ----------------------------------------------------------------------------------------------------

_QUOTA = 40 * 4096
_SIZES = (0, 1, 4095, 4096, 4097, 20_000, 65_537, _QUOTA // 2, _QUOTA, _QUOTA + 1)
_OBJECTS = st.integers(0, len(_SIZES) * 2 - 1)


def source(number: int) -> bytes:
    """The bytes of an object: every one has its own."""
    return random.Random(number).randbytes(_SIZES[number % len(_SIZES)])


class Cache(RuleBasedStateMachine):
    """Several fills at once, by two stores of one home, with less room than there are bytes."""

    @initialize()
    def start(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        top = Path(self.directory.name)
        home = Home.open(top / "home")
        self.stores = [CacheStore(home), CacheStore(home)]
        self.tier = TierBinding(medium="SSD", path=str(top / "tier"), quota=_QUOTA)
        self.open: list[tuple[CacheStore, int, Filling]] = []
        self.sealed: dict[int, Sealed] = {}

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            for store, _, filling in self.open:
                store.close([filling])
            for store in self.stores:
                store.db.close()
            self.directory.cleanup()

    @rule(which=st.integers(0, 1), number=_OBJECTS, ahead=st.booleans())
    def begin(self, which: int, number: int, ahead: bool) -> None:
        """Start to fill an object, with all of its room or none."""
        if len(self.open) >= 6:
            return
        store, data = self.stores[which], source(number)
        info = ObjectInfo(key=f"dir/{number}.bin", size=len(data), version="1", mtime=None)
        wanted = store.wanted("uid/", info)
        (outcome,) = store.begin([(wanted, len(data) if ahead else 0)], [self.tier])
        if isinstance(outcome, Filling):
            self.open.append((store, number, outcome))
        elif isinstance(outcome, Sealed):
            assert Path(outcome.path).read_bytes() == data
        else:
            assert isinstance(outcome, CacheFull)

    @precondition(lambda self: self.open)
    @rule(draw=st.data())
    def write(self, draw: st.DataObject) -> None:
        """Fetch a part of an open file, or all that is missing, and record it."""
        store, number, filling = draw.draw(st.sampled_from(self.open))
        data = source(number)
        span = (0, len(data))
        if draw.draw(st.booleans()):
            units = -(-len(data) // 4096)
            first, last = sorted((draw.draw(st.integers(0, units)), draw.draw(st.integers(0, units))))
            span = aligned(first * 4096, last * 4096, unit=4096, size=len(data))
        found: list[Extent] = []
        store.refreshed(filling)
        try:
            for start, end in filling.missing(*span):
                store.reserve_more(filling, end - start, [self.tier])
                filling.write(start, data[start:end])
                found.append((start, end, piece_digest(data[start:end])))
        except CacheFull:
            pass
        (sealed,) = store.record([(filling, found)])
        if sealed is not None:
            self.sealed[number] = sealed

    @precondition(lambda self: self.open)
    @rule(draw=st.data())
    def close(self, draw: st.DataObject) -> None:
        """Give up, or be done."""
        each = draw.draw(st.sampled_from(self.open))
        self.open.remove(each)
        store, _number, filling = each
        store.close([filling])

    @rule(which=st.integers(0, 1), numbers=st.sets(_OBJECTS, max_size=4))
    def evict(self, which: int, numbers: set[int]) -> None:
        """Take some files out of the cache."""
        store = self.stores[which]
        ids = {content_id("uid/", f"dir/{number}.bin", "1", len(source(number))) for number in numbers}
        upkeep.evict(store, Selection(contents=ids))

    @invariant()
    def the_quota_holds(self) -> None:
        """What is charged is what is there and what is reserved, and never more than the quota."""
        if not hasattr(self, "stores"):
            return
        rows = self.stores[0].db.query("SELECT id, used, quota FROM tier")
        for tier, used, quota in rows:
            ((content,),) = self.stores[0].db.query("SELECT total(allocated) FROM content WHERE tier=?", (tier,))
            ((promised,),) = self.stores[0].db.query("SELECT total(bytes) FROM reservation WHERE tier=?", (tier,))
            assert used == content + promised
            assert 0 <= used <= quota
            on_disk = sum(
                -(-file.stat().st_blocks * 512 // 4096) * 4096
                for file in (Path(self.directory.name) / "tier").rglob("*")
                if file.is_file()
            )
            assert on_disk <= used

    @invariant()
    def complete_files_are_right(self) -> None:
        """A sealed file that is found has the source's bytes, is read-only, and is charged as a whole."""
        if not hasattr(self, "stores"):
            return
        for number, sealed in list(self.sealed.items()):
            found = self.stores[number % 2].sealed.find(sealed.id)
            if found is None:
                del self.sealed[number]
                continue
            file = Path(found.path)
            assert file.read_bytes() == source(number)
            assert file.stat().st_mode & 0o777 == 0o400
            ((allocated,),) = self.stores[0].db.query("SELECT allocated FROM content WHERE id=?", (sealed.id,))
            assert allocated == blocks(len(source(number)))
            with file.open("rb") as open_file:
                assert tree_digest(open_file.fileno(), found.size).hex() in file.name

    @invariant()
    def what_is_recorded_is_right(self) -> None:
        """A partial file has the source's bytes wherever it says that it has any."""
        if not hasattr(self, "stores"):
            return
        for _, number, filling in self.open:
            data = source(number)
            filling_bytes = Path(f"/proc/self/fd/{filling.fd}").read_bytes()
            for start, end in filling.have:
                assert filling_bytes[start:end] == data[start:end]


Cache.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestCache = Cache.TestCase
