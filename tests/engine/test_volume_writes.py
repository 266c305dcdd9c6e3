"""Writing through a volume: a file appears whole and to everybody, or not at all."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client, connect
from datafluid.engine.volume import Volume
from datafluid.errors import AlreadyExists, DatafluidError, IsADirectory, NotFound, ReadOnly
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset, dataset_manifest

WRITABLE: Any = {"accessModes": ["ReadWriteMany"]}
OLD = b"old" * 1000
NEW = b"new content" * 500


@dataclass(frozen=True)
class Place:
    """A writable dataset of one file, ``dir/old``, and a look at its store that goes past us."""

    kind: str
    volume: Volume
    stored: Callable[[], dict[str, bytes]]


@pytest.fixture
def client() -> Client:
    """A client of this test's home."""
    return connect()


def in_bucket(bucket: Bucket) -> dict[str, bytes]:
    """All objects, as the server has them."""
    import obstore
    from obstore.store import S3Store

    store = S3Store(bucket.name, **bucket.server.obstore_options())  # type: ignore[arg-type]
    keys = [meta["path"] for page in obstore.list(store) for meta in page]
    return {key: bytes(obstore.get(store, key).bytes()) for key in keys}


def in_directory(directory: Path) -> dict[str, bytes]:
    """All files, as the kernel has them."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.fixture(params=["local", "bucket"])
def place(request: pytest.FixtureRequest, client: Client, tmp_path: Path) -> Place:
    """A writable dataset ``default/data``, over a directory and over a bucket."""
    if request.param == "local":
        directory = tmp_path / "data"
        (directory / "dir").mkdir(parents=True)
        (directory / "dir/old").write_bytes(OLD)
        volume = apply_local_dataset(client, directory, "data", **WRITABLE).volume()
        return Place("local", volume, lambda: in_directory(directory))
    bucket: Bucket = request.getfixturevalue("bucket")
    bucket.put("dir/old", OLD)
    volume = apply_bucket_dataset(client, bucket, "data", **WRITABLE).volume()
    return Place("bucket", volume, lambda: in_bucket(bucket))


def content(volume: Volume, path: str) -> bytes:
    """What a reader of the dataset sees."""
    with volume.open_binary(path) as file:
        return file.read()


def names(volume: Volume, path: str = "") -> list[str]:
    """Names in a directory."""
    return [entry.path.rpartition("/")[2] for entry in volume.ls(path)]


# -- files appear whole ------------------------------------------------------------------


def test_nothing_is_visible_before_the_end(place: Place) -> None:
    """However much was written and flushed: the file appears when it is closed, in store and listings."""
    writer = place.volume.create("dir/new")
    for _ in range(3):
        writer.write(NEW)
        writer.flush()
    assert place.stored() == {"dir/old": OLD}
    assert names(place.volume, "dir") == ["old"]
    with pytest.raises(NotFound):
        place.volume.info("dir/new")
    writer.close()
    assert place.stored() == {"dir/old": OLD, "dir/new": NEW * 3}
    assert names(place.volume, "dir") == ["new", "old"]
    assert content(place.volume, "dir/new") == NEW * 3


def test_closing_twice_writes_once(place: Place) -> None:
    """A second close is nothing: what was put there meanwhile stays."""
    writer = place.volume.create("new")
    writer.write(NEW)
    writer.close()
    place.volume.put("new", io.BytesIO(b"other"))
    writer.close()
    assert content(place.volume, "new") == b"other"


def test_a_writer_can_go_back_before_the_end(place: Place) -> None:
    """Nothing was sent yet, so what was written can be changed and cut."""
    with place.volume.create("new") as writer:
        writer.write(b"XXXX and the rest")
        writer.seek(0)
        writer.write(b"head")
        writer.truncate(8)
        assert writer.tell() == 4
    assert content(place.volume, "new") == b"head and"


def test_a_large_file_is_written_whole(place: Place) -> None:
    """More than stays in memory, and more than one part of an upload."""
    data = os.urandom(1 << 20) * 11 + b"end"
    with place.volume.create("large") as writer:
        for start in range(0, len(data), 3_000_000):
            writer.write(memoryview(data)[start : start + 3_000_000])
    assert place.stored()["large"] == data
    assert place.volume.info("large").size == len(data)


def test_an_empty_file(place: Place) -> None:
    """Closing without writing makes a file of no bytes."""
    place.volume.create("empty").close()
    assert place.volume.info("empty").size == 0
    assert content(place.volume, "empty") == b""


def test_discarding_writes_nothing(place: Place) -> None:
    """Neither then nor at a later close; a file that was there stays."""
    for path in ("new", "dir/old"):
        writer = place.volume.create(path)
        writer.write(NEW)
        writer.discard()
        writer.close()
    assert place.stored() == {"dir/old": OLD}


def test_an_exception_in_the_block_writes_nothing(place: Place) -> None:
    """Half of a file is worse than none."""
    with pytest.raises(ZeroDivisionError), place.volume.create("dir/old") as writer:
        writer.write(NEW)
        raise ZeroDivisionError
    assert place.stored() == {"dir/old": OLD}


def test_a_writer_that_is_dropped_writes_nothing(place: Place) -> None:
    """Collected without a close: the program forgot, or died."""
    writer = place.volume.create("dir/old")
    writer.write(NEW)
    del writer
    gc.collect()
    assert place.stored() == {"dir/old": OLD}


def test_exclusive_fails_at_the_end_when_something_is_there(place: Place) -> None:
    """Also when it came after the writer was made; what was there first stays."""
    early = place.volume.create("new", exclusive=True)
    early.write(b"early")
    late = place.volume.create("new", exclusive=True)
    late.write(b"late")
    late.close()
    with pytest.raises(AlreadyExists, match="new"):
        early.close()
    assert early.closed
    with pytest.raises(AlreadyExists):
        place.volume.put("dir/old", io.BytesIO(NEW), exclusive=True)
    assert place.stored() == {"dir/old": OLD, "new": b"late"}


def test_put_starts_at_the_sources_position(place: Place) -> None:
    """What was read of it already is not written."""
    source = io.BytesIO(b"header|body")
    source.seek(7)
    place.volume.put("new", source)
    assert content(place.volume, "new") == b"body"


# -- what is there already ------------------------------------------------------------------


def test_a_replaced_file_is_read_anew(place: Place) -> None:
    """By the volume that wrote, although it had the old one open, listed and cached."""
    assert content(place.volume, "dir/old") == OLD
    before = place.volume.info("dir/old")
    place.volume.put("dir/old", io.BytesIO(NEW))
    assert content(place.volume, "dir/old") == NEW
    assert place.volume.info("dir/old").version != before.version


def test_an_open_file_keeps_its_version(place: Place) -> None:
    """Who reads while somebody replaces the file goes on with what was opened, when it is all there."""
    content(place.volume, "dir/old")
    with place.volume.open_binary("dir/old") as file:
        head = file.read(10)
        place.volume.put("dir/old", io.BytesIO(NEW))
        assert head + file.read() == OLD


def test_deleting(place: Place) -> None:
    """The file is gone at once; one that is not there is no error."""
    assert content(place.volume, "dir/old") == OLD
    place.volume.delete(["dir/old", "nothing", "dir/nothing"])
    assert place.stored() == {}
    with pytest.raises(NotFound):
        place.volume.info("dir/old")
    with pytest.raises(NotFound):
        content(place.volume, "dir/old")


def test_copying(place: Place) -> None:
    """Both are there; an existing target is replaced, or kept on demand; a missing source is NotFound."""
    place.volume.copy("dir/old", "deep/er/copy")
    assert content(place.volume, "deep/er/copy") == OLD
    place.volume.put("dir/old", io.BytesIO(NEW))
    with pytest.raises(AlreadyExists, match="copy"):
        place.volume.copy("dir/old", "deep/er/copy", overwrite=False)
    assert content(place.volume, "deep/er/copy") == OLD
    place.volume.copy("dir/old", "deep/er/copy")
    assert content(place.volume, "deep/er/copy") == NEW
    with pytest.raises(NotFound, match="nothing"):
        place.volume.copy("nothing", "target")
    assert place.stored() == {"dir/old": NEW, "deep/er/copy": NEW}


def test_moving(place: Place) -> None:
    """The old name is gone; an existing target is replaced, or kept; a missing source is NotFound."""
    place.volume.put("other", io.BytesIO(NEW))
    with pytest.raises(AlreadyExists, match="dir/old"):
        place.volume.move("other", "dir/old", overwrite=False)
    assert place.stored() == {"dir/old": OLD, "other": NEW}
    place.volume.move("other", "dir/old")
    assert content(place.volume, "dir/old") == NEW
    place.volume.move("dir/old", "away/new", overwrite=False)
    assert place.stored() == {"away/new": NEW}
    with pytest.raises(NotFound):
        place.volume.info("dir/old")
    with pytest.raises(NotFound, match="nothing"):
        place.volume.move("nothing", "target")


def test_directories(place: Place) -> None:
    """Made and removed where the store has such things; elsewhere both are nothing."""
    volume = place.volume
    volume.mkdir("made/deep")
    volume.mkdir("made/deep")
    real = volume.can("made")["real_directories"]
    assert real == (place.kind == "local")
    if real:
        assert volume.info("made/deep").type == "directory"
        assert names(volume) == ["dir", "made"]
    volume.rmdir("made/deep")
    volume.rmdir("made")
    assert names(volume) == ["dir"]
    with pytest.raises(NotFound):
        volume.info("made")


def test_a_directory_with_files_is_not_removed(place: Place) -> None:
    """rmdir is for empty ones; nothing in it is lost."""
    if place.kind == "local":
        with pytest.raises(OSError, match="not empty"):
            place.volume.rmdir("dir")
    else:
        place.volume.rmdir("dir")
    assert place.stored() == {"dir/old": OLD}


def test_a_directory_is_no_file(place: Place) -> None:
    """A file cannot take its name."""
    with pytest.raises(IsADirectory, match="dir"):
        place.volume.create("dir")
    with pytest.raises(IsADirectory, match="dir"):
        place.volume.copy("dir/old", "dir")
    assert place.stored() == {"dir/old": OLD}


# -- who may ------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["", "..", "../up", "dir/../../up", "/absolute", "dir//old", "./dir", "dir/", "nul\0", "n" * 256]
)
def test_what_cannot_be_a_name_is_refused(path: str, place: Place) -> None:
    """For every change, and before anything is asked of the store."""
    volume = place.volume
    changes: list[Callable[[], object]] = [
        lambda: volume.create(path),
        lambda: volume.put(path, io.BytesIO(NEW)),
        lambda: volume.delete([path]),
        lambda: volume.copy("dir/old", path),
        lambda: volume.move("dir/old", path),
        lambda: volume.move(path, "target"),
        lambda: volume.mkdir(path),
        lambda: volume.rmdir(path),
    ]
    for change in changes:
        with pytest.raises(NotFound, match="cannot be the name"):
            change()
    assert place.stored() == {"dir/old": OLD}


@pytest.mark.parametrize("path", ["sp ace", "q?#%41&=+", "ünïcode/日本", "-rf", "a" * 255, "...", "*"])
def test_odd_names_are_names(path: str, place: Place) -> None:
    """Whatever a file system and a URL make of them: the file that was written is the file that is read."""
    place.volume.put(path, io.BytesIO(NEW))
    assert place.stored()[path] == NEW
    assert content(place.volume, path) == NEW
    assert path in [entry.path for entry in place.volume.walk("")]
    place.volume.delete([path])
    assert place.stored() == {"dir/old": OLD}


def test_a_symlink_out_of_the_directory_is_not_followed(client: Client, tmp_path: Path) -> None:
    """Not to write, not to delete, not to copy from."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (inside / "link").symlink_to(outside)
    volume = apply_local_dataset(client, inside, "data", **WRITABLE).volume()
    changes: list[Callable[[], object]] = [
        lambda: volume.put("link/new", io.BytesIO(NEW)),
        lambda: volume.delete(["link/secret"]),
        lambda: volume.copy("link/secret", "mine"),
        lambda: volume.move("link/secret", "mine"),
    ]
    for change in changes:
        with pytest.raises(DatafluidError):
            change()
    assert in_directory(outside) == {"secret": b"secret"}
    assert in_directory(inside) == {}


def test_a_read_only_dataset(client: Client, tmp_path: Path) -> None:
    """Without an accessMode that writes every change is ReadOnly, and the message says what to do."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/old").write_bytes(OLD)
    volume = apply_local_dataset(client, tmp_path, "data").volume()
    for change in changes_of(volume, "dir/old"):
        with pytest.raises(ReadOnly, match="accessModes"):
            change()
    assert in_directory(tmp_path) == {"dir/old": OLD}
    assert not volume.can("dir/old")["write"]


def test_a_read_only_mount(client: Client, tmp_path: Path) -> None:
    """A mount's own readOnly holds in a dataset that may be written; the mount beside it is not concerned."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(OLD)
    manifest = dataset_manifest("data", f"local://{tmp_path}/one", **WRITABLE)
    manifest["spec"]["mounts"] = [
        {"name": "one", "mountPoint": f"local://{tmp_path}/one", "path": "/one", "readOnly": True},
        {"name": "two", "mountPoint": f"local://{tmp_path}/two", "path": "/two"},
    ]
    client.apply(manifest)
    client.dataset("data").wait(timeout=60)
    volume = client.dataset("data").volume()
    for change in changes_of(volume, "one/file"):
        with pytest.raises(ReadOnly, match="mount is read-only"):
            change()
    with pytest.raises(NotFound, match="no mount"):
        volume.put("three", io.BytesIO(NEW))
    assert (volume.can("one/file")["write"], volume.can("two/file")["write"]) == (False, True)
    volume.copy("one/file", "two/copy")
    with pytest.raises(AlreadyExists):
        volume.copy("one/file", "two/file", overwrite=False)
    with pytest.raises(ReadOnly):
        volume.move("one/file", "two/moved")
    assert in_directory(tmp_path) == {"one/file": OLD, "two/file": OLD, "two/copy": OLD}


def test_moving_between_mounts(client: Client, bucket: Bucket, tmp_path: Path) -> None:
    """From a directory to a bucket: copied, then deleted."""
    (tmp_path / "file").write_bytes(OLD)
    manifest = dataset_manifest("data", bucket.url, **WRITABLE)
    manifest["spec"]["mounts"] = [
        {"name": "far", "mountPoint": bucket.url, "path": "/far", "options": bucket.options},
        {"name": "near", "mountPoint": f"local://{tmp_path}", "path": "/near"},
    ]
    client.apply(manifest)
    client.dataset("data").wait(timeout=60)
    volume = client.dataset("data").volume()
    volume.move("near/file", "far/a/file")
    assert (in_directory(tmp_path), in_bucket(bucket)) == ({}, {"a/file": OLD})
    assert content(volume, "far/a/file") == OLD
    volume.copy("far/a/file", "near/b/file")
    assert (in_directory(tmp_path), in_bucket(bucket)) == ({"b/file": OLD}, {"a/file": OLD})
    assert names(volume) == ["far", "near"]


def changes_of(volume: Volume, path: str) -> list[Callable[[], object]]:
    """Everything that changes a dataset, at one path."""
    return [
        lambda: volume.check_writable(path),
        lambda: volume.create(path),
        lambda: volume.put(path, io.BytesIO(NEW)),
        lambda: volume.delete([path]),
        lambda: volume.copy(path, path + ".copy"),
        lambda: volume.move(path, path + ".moved"),
        lambda: volume.mkdir(path + ".dir"),
        lambda: volume.rmdir(path + ".dir"),
    ]


# -- other processes ------------------------------------------------------------------

_READER = """
import sys
from datafluid.client import connect
from datafluid.errors import NotFound

volume = connect().dataset("data").volume()
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        with volume.open_binary(path) as file:
            print(file.read().hex(), flush=True)
    except NotFound:
        print("nothing", flush=True)
"""


@pytest.fixture
def other(place: Place) -> Iterator[Callable[[str], bytes | None]]:
    """A reader in a process of its own that stays alive; it gets None of a file that is not there."""
    with subprocess.Popen(
        [sys.executable, "-c", _READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def read(path: str) -> bytes | None:
            asked.write(path + "\n")
            asked.flush()
            line = told.readline().strip()
            assert line or process.poll() is None, "the reader has died"
            return None if line == "nothing" else bytes.fromhex(line)

        yield read
        asked.close()
        process.wait(timeout=30)


def test_another_process_sees_every_change(place: Place, other: Callable[[str], bytes | None]) -> None:
    """Although it has read, listed and cached before, and however long its listings stay fresh."""
    volume = place.volume
    assert (other("dir/old"), other("dir/old"), other("new")) == (OLD, OLD, None)
    volume.put("dir/old", io.BytesIO(NEW))
    assert other("dir/old") == NEW
    volume.put("new", io.BytesIO(OLD))
    assert other("new") == OLD
    volume.move("new", "dir/old")
    assert (other("dir/old"), other("new")) == (OLD, None)
    volume.copy("dir/old", "new")
    assert other("new") == OLD
    volume.delete(["new", "dir/old"])
    assert (other("dir/old"), other("new")) == (None, None)


def test_another_process_sees_nothing_of_what_is_being_written(
    place: Place, other: Callable[[str], bytes | None]
) -> None:
    """Neither before the end nor after a discard."""
    writer = place.volume.create("dir/old")
    writer.write(NEW)
    assert other("dir/old") == OLD
    writer.discard()
    assert other("dir/old") == OLD
