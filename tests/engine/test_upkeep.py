"""Looking after the cache: usage, pins, evicting, bit rot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import upkeep
from datafluid.engine.cache.checksum import PIECE
from datafluid.engine.cache.filling import Filling, Inflow, PieceHasher
from datafluid.engine.cache.sealed import Sealed
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.cache.upkeep import Selection
from datafluid.engine.home import Home
from datafluid.engine.understore.port import ObjectInfo
from datafluid.errors import CacheFull


@pytest.fixture
def store(home: Path) -> CacheStore:
    """An empty cache."""
    return CacheStore(Home.open(home))


@pytest.fixture
def tier(tmp_path: Path) -> TierBinding:
    """A directory of its own."""
    return TierBinding(medium="SSD", path=str(tmp_path / "tier"), quota=1 << 20)


def fill(store: CacheStore, tier: TierBinding, key: str, data: bytes = b"x" * 5000, origin: str = "uid-1/") -> Sealed:
    """Cache one complete file."""
    info = ObjectInfo(key=key, size=len(data), mtime=None, version="1")
    (filling,) = store.begin([(store.wanted(origin, info), len(data))], [tier])
    assert isinstance(filling, Filling)
    filling.write(0, data)
    hasher = PieceHasher(0)
    hasher.update(data)
    (sealed,) = store.record([(filling, hasher.finish())])
    store.close([filling])
    assert sealed is not None
    return sealed


def test_usage_counts_files_by_tier_and_mount(store: CacheStore, tier: TierBinding) -> None:
    """Files, bytes on disk and pins, one row a mount; an empty tier is shown too."""
    fill(store, tier, "a")
    pinned = fill(store, tier, "b")
    fill(store, tier, "c", origin="uid-2/")
    upkeep.pin(store, "user", [pinned.id])
    assert [(row.origin, row.files, row.allocated, row.pinned) for row in upkeep.usage(store)] == [
        ("uid-1/", 2, 16384, 1),
        ("uid-2/", 1, 8192, 0),
    ]


def test_evicting_takes_one_datasets_files_and_leaves_pins(store: CacheStore, tier: TierBinding) -> None:
    """Only what is selected goes; what is pinned stays unless it is asked for."""
    gone, kept = fill(store, tier, "a"), fill(store, tier, "b")
    other = fill(store, tier, "c", origin="uid-2/")
    upkeep.pin(store, "user", [kept.id])
    removed = upkeep.evict(store, Selection(origins={"uid-1/"}))
    assert (removed.files, removed.allocated, removed.kept) == (1, 8192, 1)
    assert [Path(each.path).exists() for each in (gone, kept, other)] == [False, True, True]
    assert upkeep.evict(store, Selection(), pinned_too=True).files == 2
    assert [(row.files, row.allocated) for row in upkeep.usage(store)] == [(0, 0)]


def test_an_evicted_file_leaves_open_readers_their_bytes(store: CacheStore, tier: TierBinding) -> None:
    """Eviction is unlink."""
    with open(fill(store, tier, "a", b"hello").path, "rb") as reader:
        upkeep.evict(store, Selection())
        assert reader.read() == b"hello"


def test_a_file_that_is_being_filled_is_not_evicted(store: CacheStore, tier: TierBinding) -> None:
    """A load under way keeps its reservation and its file."""
    info = ObjectInfo(key="a", size=5000, mtime=None, version="1")
    (filling,) = store.begin([(store.wanted("uid-1/", info), 5000)], [tier])
    assert isinstance(filling, Filling)
    assert upkeep.evict(store, Selection(), pinned_too=True).kept == 1
    store.close([filling])


def test_a_file_that_another_has_sealed_meanwhile_is_not_ours(store: CacheStore, tier: TierBinding) -> None:
    """Room is reserved, and before the file is made another process brings it whole.

    Ours is then another file, which holds nothing yet: it must not be taken for the complete one. In the end there
    is one file, and it is accounted for once.
    """
    data = b"x" * 5000
    wanted = store.wanted("uid-1/", ObjectInfo(key="a", size=len(data), mtime=None, version="1"))
    (late,) = store.begin([(wanted, len(data))], [tier])
    assert isinstance(late, Filling)
    sealed = fill(CacheStore(store.home), tier, "a", data)
    store.refreshed(late)
    assert late.missing() == ((0, len(data)),)
    late.write(0, data)
    hasher = PieceHasher(0)
    hasher.update(data)
    assert store.record([(late, hasher.finish())]) == [None]
    store.close([late])
    assert [path for path in Path(tier.path).rglob("*") if path.is_file()] == [Path(sealed.path)]
    assert [(row.files, row.allocated) for row in upkeep.usage(store)] == [(1, 8192)]
    assert store.db.query("SELECT used FROM tier") == [(8192,)]


@pytest.mark.parametrize("whole", [True, False])
def test_bytes_in_a_file_that_was_removed_are_nobody_elses(store: CacheStore, tier: TierBinding, whole: bool) -> None:
    """Somebody deletes the file that is being filled, and another process begins it anew: it has none of our bytes."""
    data = b"x" * 50_000
    wanted = store.wanted("uid-1/", ObjectInfo(key="a", size=len(data), mtime=None, version="1"))
    (ours,) = store.begin([(wanted, 10_000)], [tier])
    assert isinstance(ours, Filling)
    assert ours.fd > 0
    (file,) = [path for path in Path(tier.path).rglob("*") if path.is_file()]
    file.unlink()
    (theirs,) = store.begin([(wanted, 10_000)], [tier])
    assert isinstance(theirs, Filling)
    assert theirs.fd > 0
    hasher = PieceHasher(0)
    hasher.update(data if whole else data[:8192])
    ours.write(0, data if whole else data[:8192])
    assert store.record([(ours, hasher.finish())]) == [None]
    store.refreshed(theirs)
    assert theirs.missing() == ((0, len(data)),)
    assert store.sealed.find(wanted.id) is None
    store.close([ours, theirs])


def test_only_what_was_written_can_be_recorded(
    store: CacheStore, tier: TierBinding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others record what a stream has brought while it goes on, and when its disk is full: never more than is there."""
    size = 2 * PIECE
    wanted = store.wanted("uid-1/", ObjectInfo(key="a", size=size, mtime=None, version="1"))
    (filling,) = store.begin([(wanted, 0)], [tier])
    assert isinstance(filling, Filling)
    inflow, write, told = Inflow(filling, 0, size), Filling.write_many, []

    def looked_at(self: Filling, offset: int, parts: Sequence[memoryview]) -> None:
        told.append(max((end for _, end, _ in inflow.take()), default=0) <= offset)
        if offset >= PIECE:
            raise CacheFull("the disk is full.")
        write(self, offset, parts)

    monkeypatch.setattr(Filling, "write_many", looked_at)
    inflow.add(bytes(PIECE))
    with pytest.raises(CacheFull):
        inflow.add(bytes(PIECE))
    assert [(start, end) for start, end, _ in inflow.take()] == []
    assert told == [True, True]
    store.close([filling])


def test_a_pin_has_an_owner(store: CacheStore, tier: TierBinding) -> None:
    """Two owners pin the same file; it is free when both have let go, and pinning twice is pinning once."""
    file = fill(store, tier, "a")
    for owner in ("user", "user", "export:/x"):
        upkeep.pin(store, owner, [file.id])
    assert upkeep.pinned(store) == {"export:/x": 1, "user": 1}
    upkeep.unpin(store, "user", [file.id])
    assert upkeep.evict(store, Selection()).files == 0
    upkeep.unpin(store, "export:/x")
    assert upkeep.evict(store, Selection()).files == 1


def test_bit_rot_is_found_and_removed(store: CacheStore, tier: TierBinding) -> None:
    """One flipped byte is found although size and name are right; good files stay, and progress ends at the total."""
    good, bad = fill(store, tier, "a"), fill(store, tier, "b")
    Path(bad.path).chmod(0o600)
    Path(bad.path).write_bytes(b"x" * 4999 + b"y")
    steps: list[tuple[int, int]] = []
    assert upkeep.verify(store, Selection(), progress=lambda done, total: steps.append((done, total))) == [bad.path]
    assert (Path(good.path).exists(), Path(bad.path).exists()) == (True, False)
    assert steps[-1] == (10000, 10000)
    assert upkeep.verify(store, Selection()) == []


def test_a_vanished_file_is_reported_as_damaged(store: CacheStore, tier: TierBinding) -> None:
    """Somebody removed it behind our back."""
    file = fill(store, tier, "a")
    Path(file.path).unlink()
    assert upkeep.verify(store, Selection(contents={file.id})) == [file.path]


def test_a_cached_file_is_known_by_its_name(store: CacheStore, tier: TierBinding) -> None:
    """Files of the cache carry their identity; files read in place do not."""
    file = fill(store, tier, "a.snappy.parquet")
    assert upkeep.content_of(file.path) == file.id
    assert upkeep.content_of("/data/a.snappy.parquet") is None


def test_metrics_survive_the_process_that_counted(store: CacheStore) -> None:
    """They are in the index, added up over processes."""
    store.tally.count("hits", 2)
    assert upkeep.metrics(store)["hits"] == 2
    assert upkeep.metrics(CacheStore(store.home))["hits"] == 2
