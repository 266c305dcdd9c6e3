"""Every under-store behaves the same behind the port."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from datafluid.engine.understore.parallel import fetch_in_threads
from datafluid.engine.understore.port import Fetch, ObjectInfo
from datafluid.errors import AlreadyExists, NotFound, StaleVersion
from tests.conftest import Bucket

FILES = {"a.txt": b"hello world", "dir/b.bin": bytes(range(256)) * 1000, "dir/deep/c": b"", "dir.txt": b"beside"}


def _local(tmp_path: Path, bucket: Bucket) -> Any:
    from datafluid.engine.understore.local_store import LocalStore

    (tmp_path / "root").mkdir()
    return LocalStore(str(tmp_path / "root"), display_url="local:///root")


def _s3(tmp_path: Path, bucket: Bucket) -> Any:
    from obstore.store import S3Store

    from datafluid.engine.understore.obstore_store import ObstoreStore

    options: Any = bucket.server.obstore_options()
    return ObstoreStore(S3Store(bucket.name, **options), display_url=bucket.url)


def _fsspec(tmp_path: Path, bucket: Bucket) -> Any:
    from fsspec.implementations.dirfs import DirFileSystem
    from fsspec.implementations.local import LocalFileSystem

    from datafluid.engine.understore.fsspec_store import FsspecStore

    (tmp_path / "root").mkdir()
    fs = DirFileSystem(str(tmp_path / "root"), LocalFileSystem(auto_mkdir=True))
    return FsspecStore(fs, "", display_url="fsspec:///root")


@pytest.fixture(params=[_local, _s3, _fsspec], ids=["local", "s3", "fsspec"])
def full(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> Any:
    """A store with files."""
    store = request.param(tmp_path, bucket)
    for key, data in FILES.items():
        _put(store, tmp_path, key, data)
    return store


@pytest.fixture(params=[_local, _s3], ids=["local", "s3"])
def writable(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> Any:
    """A store with files that can be written."""
    store = request.param(tmp_path, bucket)
    for key, data in FILES.items():
        store.put(key, io.BytesIO(data))
    return store


def _put(store: Any, tmp_path: Path, key: str, data: bytes) -> None:
    """Store a file; behind the back of a store that cannot be written."""
    if hasattr(store, "put"):
        store.put(key, io.BytesIO(data))
    else:
        file = tmp_path / "root" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _remove(store: Any, tmp_path: Path, key: str) -> None:
    if hasattr(store, "delete"):
        store.delete([key])
    else:
        (tmp_path / "root" / key).unlink()


def whole(info: ObjectInfo) -> Fetch:
    """All of an object."""
    return Fetch(info=info, start=0, length=info.size)


def test_what_was_put_is_read_back(full: Any) -> None:
    """Whole, and any range of it."""
    for key, data in FILES.items():
        info = full.stat(key)
        assert (info.key, info.size) == (key, len(data))
        assert bytes(full.read(whole(info))) == data
    info = full.stat("dir/b.bin")
    assert bytes(full.read(Fetch(info=info, start=1000, length=17))) == FILES["dir/b.bin"][1000:1017]


def test_listing_one_level(full: Any) -> None:
    """Objects and prefixes apart; a name that only begins alike is not below."""
    top = full.list("")
    assert [info.key for info in top.objects] == ["a.txt", "dir.txt"]
    assert list(top.prefixes) == ["dir"]
    below = full.list("dir")
    assert [info.key for info in below.objects] == ["dir/b.bin"]
    assert list(below.prefixes) == ["dir/deep"]
    assert full.list("nothing") == full.list("no/thing")


def test_walking(full: Any) -> None:
    """Everything below, however deep, with the sizes and versions that `stat` tells."""
    found = {info.key: info for page in full.walk("") for info in page}
    assert found.keys() == FILES.keys()
    for key, info in found.items():
        assert (info.size, info.version) == (full.stat(key).size, full.stat(key).version)
    assert {info.key for page in full.walk("dir") for info in page} == {"dir/b.bin", "dir/deep/c"}


def test_what_is_not_there(full: Any) -> None:
    """NotFound for a key and for a mere prefix."""
    for key in ("nothing", "dir", "a.txt/x"):
        with pytest.raises(NotFound):
            full.stat(key)


def test_deleting(writable: Any) -> None:
    """What is gone already is no error."""
    writable.delete(["nothing", "a.txt"])
    with pytest.raises(NotFound):
        writable.stat("a.txt")


def test_another_version_is_never_handed_out(full: Any, tmp_path: Path) -> None:
    """Reading a version that was replaced, or is gone, is StaleVersion or NotFound."""
    old = full.stat("a.txt")
    _put(full, tmp_path, "a.txt", b"HELLO WORLD and more")
    with pytest.raises(StaleVersion):
        full.read(whole(old))
    ((_, error),) = fetch_in_threads(full, [whole(old)], sink=lambda *chunk: None, concurrency=1)
    assert isinstance(error, StaleVersion)
    _remove(full, tmp_path, "a.txt")
    with pytest.raises((StaleVersion, NotFound)):
        full.read(whole(old))


def test_fetching_many(full: Any) -> None:
    """Every fetch ends once, with its bytes in order or with its error; one's error is not another's."""
    infos = [full.stat(key) for key in FILES]
    gone = ObjectInfo(key="gone", size=5, version="x", mtime=None)
    got: dict[str, bytes] = {}

    def sink(fetch: Fetch, offset: int, data: Any) -> None:
        assert offset == len(got.get(fetch.info.key, b""))
        got[fetch.info.key] = got.get(fetch.info.key, b"") + bytes(data)

    ends = list(fetch_in_threads(full, [whole(info) for info in [*infos, gone]], sink=sink, concurrency=3))
    errors = {fetch.info.key: error for fetch, error in ends if error}
    assert errors.keys() == {"gone"}, errors
    assert isinstance(errors["gone"], (NotFound, StaleVersion))
    assert len(ends) == len(FILES) + 1
    assert {key: got.get(key, b"") for key in FILES} == FILES


def test_a_sinks_error_is_its_fetchs(full: Any) -> None:
    """Unmapped, as the sink raised it."""

    def sink(fetch: Fetch, offset: int, data: Any) -> None:
        raise OSError(28, "full")

    ((_, error),) = fetch_in_threads(full, [whole(full.stat("a.txt"))], sink=sink, concurrency=1)
    assert isinstance(error, OSError)
    assert error.errno == 28


def test_cancelling(full: Any) -> None:
    """No new fetch starts."""
    fetches = (whole(full.stat(key)) for key in FILES)
    ends = list(fetch_in_threads(full, fetches, sink=lambda *chunk: None, concurrency=1, cancelled=lambda: True))
    assert ends == []


def test_exclusive_creation(writable: Any) -> None:
    """What is there stays as it is."""
    with pytest.raises(AlreadyExists):
        writable.put("a.txt", io.BytesIO(b"other"), create=True)
    assert bytes(writable.read(whole(writable.stat("a.txt")))) == FILES["a.txt"]
    writable.put("new.txt", io.BytesIO(b"new"), create=True)
    assert writable.stat("new.txt").size == 3


def test_copying_and_moving(writable: Any) -> None:
    """The target has the bytes; a move leaves no source; neither replaces without being told."""
    writable.copy("a.txt", "x/copy.txt")
    writable.move("x/copy.txt", "x/moved.txt")
    assert bytes(writable.read(whole(writable.stat("x/moved.txt")))) == FILES["a.txt"]
    with pytest.raises(NotFound):
        writable.stat("x/copy.txt")
    for verb in (writable.copy, writable.move):
        with pytest.raises(AlreadyExists):
            verb("a.txt", "dir.txt", overwrite=False)
    assert bytes(writable.read(whole(writable.stat("dir.txt")))) == FILES["dir.txt"]
