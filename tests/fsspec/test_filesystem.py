"""What ``fluid://`` promises beyond fsspec's own suite: names, errors, writing, pickling, and the verbs."""

from __future__ import annotations

import errno
import gzip
import io
import multiprocessing
import os
import pickle
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest

from datafluid.client import Client
from datafluid.errors import (
    AlreadyExists,
    Invalid,
    IsADirectory,
    NotADirectory,
    NotFound,
    ReadOnly,
    StaleVersion,
    Unavailable,
    Unsupported,
)
from datafluid.handles import DatasetHandle
from datafluid.testing.s3 import serve_s3
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset, dataset_manifest

_WRITABLE = {"accessModes": ["ReadWriteMany"]}
_TEXT = b"alpha\nbeta\ngamma\n"
_BIG = bytes(range(256)) * 1024 + b"the end"  # 256 KiB and a little more
_DS = "default/things"


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    """A bucket with a few files."""
    bucket.put("a.txt", _TEXT)
    bucket.put("dir/b.bin", _BIG)
    bucket.put("dir/deep/c.bin", b"c" * 100)
    return bucket


@pytest.fixture
def things(client: Client, filled: Bucket) -> DatasetHandle:
    """A read-only dataset over a bucket with a few files; nothing is cached."""
    return apply_bucket_dataset(client, filled, "things")


@pytest.fixture
def writable(client: Client, filled: Bucket) -> DatasetHandle:
    """The same, but it may be written."""
    return apply_bucket_dataset(client, filled, "things", **_WRITABLE)


@pytest.fixture
def directory(client: Client, tmp_path: Path) -> Path:
    """A directory of this machine that is the writable dataset ``default/things``."""
    place = tmp_path / "data"
    (place / "dir").mkdir(parents=True)
    (place / "a.txt").write_bytes(_TEXT)
    (place / "dir/b.bin").write_bytes(_BIG)
    apply_local_dataset(client, place, "things", **_WRITABLE)
    return place


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [entry["name"] for entry in found]


# -- names and listings ---------------------------------------------------------------------------------


def test_the_root_lists_namespaces(things: DatasetHandle, client: Client, tmp_path: Path, fs: FluidFileSystem) -> None:
    """Above the datasets there are the namespaces, and below each its datasets, all of them directories."""
    client.apply(dataset_manifest("other", f"local://{tmp_path}", namespace="team"))
    assert fs.ls("fluid://", detail=False) == ["default", "team"]
    assert fs.ls("", detail=True)[0] == {"name": "default", "size": 0, "type": "directory"}
    assert fs.ls("fluid://default", detail=False) == [_DS]
    assert fs.ls("team/", detail=False) == ["team/other"]
    assert fs.isdir("fluid://")
    assert fs.isdir("fluid://team")
    assert fs.info("fluid://team") == {"name": "team", "size": 0, "type": "directory"}


def test_nothing_declared_lists_nothing(fs: FluidFileSystem) -> None:
    """Without any dataset the root is an empty directory."""
    assert fs.ls("fluid://") == []
    assert fs.isdir("")


def test_listing_a_dataset(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A directory lists one level in name order; a file lists itself; find goes all the way down."""
    assert fs.ls(f"fluid://{_DS}", detail=False) == [f"{_DS}/a.txt", f"{_DS}/dir"]
    assert _names(fs.ls(f"{_DS}/dir/")) == [f"{_DS}/dir/b.bin", f"{_DS}/dir/deep"]
    assert fs.ls(f"{_DS}/a.txt", detail=False) == [f"{_DS}/a.txt"]
    assert fs.find(_DS) == [f"{_DS}/a.txt", f"{_DS}/dir/b.bin", f"{_DS}/dir/deep/c.bin"]
    assert fs.find("default", maxdepth=2) == [f"{_DS}/a.txt"]
    assert fs.find("") == fs.find(_DS)
    assert fs.find(_DS, withdirs=True) == sorted([_DS, f"{_DS}/dir", f"{_DS}/dir/deep", *fs.find(_DS)])
    assert fs.find(f"{_DS}/absent") == []
    assert fs.du(_DS) == len(_TEXT) + len(_BIG) + 100


def test_info_has_what_readers_look_for(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A file tells name, size, type, time and the store's version; a directory the first three."""
    info = fs.info(f"fluid://{_DS}/a.txt")
    assert set(info) == {"name", "size", "type", "mtime", "ETag"}
    assert (info["name"], info["size"], info["type"]) == (f"{_DS}/a.txt", len(_TEXT), "file")
    assert info["ETag"]
    assert abs(info["mtime"] - datetime.now(UTC).timestamp()) < 3600
    assert fs.info(f"{_DS}/dir/") == {"name": f"{_DS}/dir", "size": 0, "type": "directory"}
    assert fs.info(_DS)["type"] == "directory"
    assert fs.modified(f"{_DS}/a.txt") == fs.created(f"{_DS}/a.txt") == datetime.fromtimestamp(info["mtime"], UTC)
    assert fs.size(f"{_DS}/a.txt") == len(_TEXT)
    with pytest.raises(Unsupported):
        fs.modified(f"{_DS}/dir")


def test_a_time_that_no_calendar_has(
    things: DatasetHandle, fs: FluidFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems keep any number; `info` tells it."""
    found = fs.info(f"{_DS}/a.txt") | {"mtime": float(1 << 62)}
    monkeypatch.setattr(FluidFileSystem, "info", lambda fs, path: found)
    with pytest.raises(Unsupported, match="calendar"):
        fs.modified(f"{_DS}/a.txt")


@pytest.mark.parametrize(
    "path",
    ["nowhere", "nowhere/things", "default/nothing", "default/nothing/a.txt", f"{_DS}/no", f"{_DS}/dir/no/x"],
)
def test_what_is_not_there(path: str, things: DatasetHandle, fs: FluidFileSystem) -> None:
    """An unknown namespace, dataset or file is NotFound, which is a FileNotFoundError, and exists() says no."""
    for look in (fs.info, fs.ls):
        with pytest.raises(NotFound) as caught:
            look(f"fluid://{path}")
        assert isinstance(caught.value, FileNotFoundError)
        assert caught.value.errno == errno.ENOENT
    assert not fs.exists(path)
    assert not fs.isfile(path)
    assert not fs.isdir(path)


@pytest.mark.parametrize("verb", ["open", "cat_file", "local_path", "block_locations", "file_checksum", "explain"])
@pytest.mark.parametrize("path", ["default/nothing/a.txt", f"{_DS}/no"])
def test_reading_what_is_not_there(verb: str, path: str, things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Every way to read says NotFound for an unknown dataset and for an unknown file."""
    with pytest.raises(NotFound):
        getattr(fs, verb)(path)


@pytest.mark.parametrize("verb", ["open", "cat_file", "local_path", "block_locations", "file_checksum"])
def test_reading_a_directory(verb: str, things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A directory cannot be read as a file."""
    for path in (_DS, f"{_DS}/dir"):
        with pytest.raises(IsADirectory):
            getattr(fs, verb)(path)


@pytest.mark.parametrize(
    "path", ["fluid://default/things/../x", "fluid://default/./x", "default/things/a\0b", "s3://x/y"]
)
def test_paths_that_cannot_be(path: str, things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Dots, NUL bytes and other schemes are refused before anything is asked."""
    with pytest.raises(Invalid):
        fs.info(path)


def test_spellings_of_one_path(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A URL, a bare path, doubled and trailing slashes, and an empty namespace mean the same."""
    for spelling in (
        f"fluid://{_DS}/a.txt",
        f"/{_DS}/a.txt",
        f"fluid://{_DS}//a.txt",
        "fluid:///things/a.txt",
    ):
        assert fs.cat_file(spelling) == _TEXT
    assert fs.unstrip_protocol(f"{_DS}/a.txt") == f"fluid://{_DS}/a.txt"
    assert fs._parent(f"fluid://{_DS}/a.txt") == _DS


def test_an_empty_namespace_is_the_filesystems(things: DatasetHandle) -> None:
    """``fluid:///dataset`` takes the namespace that the filesystem was made with."""
    fs = FluidFileSystem(namespace="default", skip_instance_cache=True)
    assert fs.cat_file("fluid:///things/a.txt") == _TEXT
    other = FluidFileSystem(namespace="team", skip_instance_cache=True)
    with pytest.raises(NotFound):
        other.cat_file("fluid:///things/a.txt")


def test_building_one_touches_nothing(home: Path) -> None:
    """Making a filesystem creates no home and asks nobody."""
    FluidFileSystem(skip_instance_cache=True)
    assert fsspec.get_filesystem_class("fluid") is FluidFileSystem
    assert not home.exists()


def test_glob_status(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A pattern gives entries in name order, and nothing when nothing matches."""
    found = fs.glob_status(f"fluid://{_DS}/**/*.bin")
    assert _names(found) == [f"{_DS}/dir/b.bin", f"{_DS}/dir/deep/c.bin"]
    assert found[1]["size"] == 100
    assert fs.glob_status(f"{_DS}/*.parquet") == []


def test_invalidate_cache_sees_new_objects(things: DatasetHandle, filled: Bucket, fs: FluidFileSystem) -> None:
    """A listing is remembered for its time; invalidate_cache and ls(refresh=True) ask again."""
    assert len(fs.ls(_DS)) == 2
    filled.put("new.txt", b"new")
    assert len(fs.ls(_DS)) == 2
    fs.invalidate_cache(f"fluid://{_DS}")
    assert fs.ls(_DS, detail=False) == [f"{_DS}/a.txt", f"{_DS}/dir", f"{_DS}/new.txt"]
    filled.put("newer.txt", b"newer")
    fs.invalidate_cache()
    assert fs.cat_file(f"{_DS}/newer.txt") == b"newer"
    filled.put("newest.txt", b"newest")
    assert f"{_DS}/newest.txt" in fs.ls(_DS, detail=False, refresh=True)


@pytest.mark.slow
def test_exists_raises_when_nobody_can_be_asked(
    client: Client, tmp_path: Path, fs: FluidFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the under-store is away is an error and not an answer; what is fresh is still known."""
    with serve_s3(tmp_path) as server:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
        bucket = Bucket(server, server.create_bucket("going-away"))
        bucket.put("known", b"known")
        apply_bucket_dataset(client, bucket, "away")
        assert fs.cat_file("default/away/known") == b"known"
        server.kill()
        assert fs.exists("default/away/known")
        assert fs.cat_file("default/away/known") == b"known"
        for ask in (fs.exists, fs.isfile, fs.isdir, fs.info):
            with pytest.raises(Unavailable) as caught:
                ask("default/away/dir/unknown")
            assert isinstance(caught.value, OSError)


def test_a_dataset_that_is_not_bound(client: Client, tmp_path: Path, fs: FluidFileSystem) -> None:
    """A dataset whose mounts cannot be reached is listed, and reading it is Unavailable."""
    client.apply(dataset_manifest("things", f"local://{tmp_path}/missing"))
    assert fs.ls("default", detail=False) == [_DS]
    with pytest.raises(Unavailable):
        fs.open(f"{_DS}/a.txt")


# -- reading --------------------------------------------------------------------------------------------

_SLICES = [
    (None, None),
    (0, 10),
    (5, None),
    (None, 7),
    (-7, None),
    (None, -7),
    (-20, -3),
    (10, 5),
    (100, 100),
    (len(_BIG) - 3, len(_BIG) + 100),
    (len(_BIG) + 5, None),
    (-len(_BIG) - 9, 4),
]


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize(("start", "end"), _SLICES)
def test_cat_file_slices_as_python_does(
    start: int | None, end: int | None, warm: bool, things: DatasetHandle, fs: FluidFileSystem
) -> None:
    """Negative, missing and too large bounds mean what they mean for bytes."""
    if warm:
        things.load("dir").wait(timeout=60)
    assert fs.cat_file(f"{_DS}/dir/b.bin", start, end) == _BIG[start:end]


def test_cat_ranges(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Ranges of several files come in the order asked for, with bounds as lists or as one for all."""
    a, b = f"{_DS}/a.txt", f"fluid://{_DS}/dir/b.bin"
    assert fs.cat_ranges([b, a, b], [-7, 0, 3], [None, 5, 9]) == [_BIG[-7:], _TEXT[:5], _BIG[3:9]]
    assert fs.cat_ranges([a, b], 2, 6) == [_TEXT[2:6], _BIG[2:6]]
    assert fs.cat_ranges([a, b], 2, [6, -1]) == [_TEXT[2:6], _BIG[2:-1]]
    assert fs.cat_ranges([], [], []) == []
    with pytest.raises(ValueError, match="same length"):
        fs.cat_ranges([a, b], [0], [1, 2])


def test_cat_ranges_with_errors(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """An error takes the place of its range's bytes only, or with on_error="raise" is raised."""
    good, bad = f"{_DS}/a.txt", f"{_DS}/absent"
    mixed = fs.cat_ranges([good, bad, good, _DS], [0, 0, 2, 0], [5, 5, 4, 1], on_error="return")
    assert mixed[0] == _TEXT[:5]
    assert isinstance(mixed[1], NotFound)
    assert mixed[2] == _TEXT[2:4]
    assert isinstance(mixed[3], IsADirectory)
    with pytest.raises(NotFound):
        fs.cat_ranges([good, bad], [0, 0], [5, 5], on_error="raise")
    (lone,) = fs.cat_ranges([bad], [0], [5])
    assert isinstance(lone, NotFound)


def test_cat_with_errors(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Cat of several files raises, omits or returns what went wrong."""
    paths = [f"{_DS}/a.txt", f"{_DS}/absent"]
    with pytest.raises(NotFound):
        fs.cat(paths)
    assert fs.cat(paths, on_error="omit") == {paths[0]: _TEXT}
    returned = fs.cat(paths, on_error="return")
    assert returned[paths[0]] == _TEXT
    assert isinstance(returned[paths[1]], NotFound)
    assert fs.cat(_DS, recursive=True) == {
        f"{_DS}/a.txt": _TEXT,
        f"{_DS}/dir/b.bin": _BIG,
        f"{_DS}/dir/deep/c.bin": b"c" * 100,
    }


def test_a_small_slice_is_one_request(things: DatasetHandle, filled: Bucket, fs: FluidFileSystem) -> None:
    """A slice of a cold file costs one request, not another one for what lies behind it."""
    assert fs.cat_file(f"{_DS}/dir/b.bin", 70_000, 70_010) == _BIG[70_000:70_010]
    assert len(filled.gets()) == 1


def test_read_ranges(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Vectored reads give every range, overlapping and empty ones included, cold and warm."""
    ranges = [(0, 4), (200_000, 200_100), (2, 8), (7, 7)]
    wanted = [_BIG[start:end] for start, end in ranges]
    assert fs.read_ranges(f"{_DS}/dir/b.bin", ranges) == wanted
    things.load().wait(timeout=60)
    assert fs.read_ranges(f"{_DS}/dir/b.bin", ranges) == wanted


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_text_and_compression(warm: bool, client: Client, filled: Bucket, fs: FluidFileSystem) -> None:
    """Text modes decode, and compression is taken off, inferred or named."""
    filled.put("words.txt.gz", gzip.compress("größe\nzwei\n".encode()))
    handle = apply_bucket_dataset(client, filled, "things")
    if warm:
        handle.load().wait(timeout=60)
    with fs.open(f"{_DS}/a.txt", "r") as file:
        assert file.readlines() == ["alpha\n", "beta\n", "gamma\n"]
    with fs.open(f"{_DS}/words.txt.gz", "rt", compression="infer", encoding="utf-8") as file:
        assert file.read() == "größe\nzwei\n"
    with fs.open(f"{_DS}/words.txt.gz", "rb", compression="gzip") as file:
        assert file.read().decode() == "größe\nzwei\n"
    with fsspec.open(f"fluid://{_DS}/words.txt.gz", "rt", compression="infer", encoding="utf-8") as file:
        assert next(file) == "größe\n"
    assert fs.read_text(f"{_DS}/a.txt") == _TEXT.decode()


def test_an_open_file_is_a_binary_file(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """What open gives is a buffered binary file with name, size and URL, and it cannot be written."""
    with fs.open(f"{_DS}/a.txt") as file:
        assert isinstance(file, io.BufferedReader)
        assert (file.path, file.size, file.full_name) == (f"{_DS}/a.txt", len(_TEXT), f"fluid://{_DS}/a.txt")
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        assert file.readline() == b"alpha\n"
        assert file.tell() == 6
        assert list(file) == [b"beta\n", b"gamma\n"]
    assert file.closed
    with pytest.raises(ValueError):
        file.read()


def test_modes_that_change_in_place_are_refused(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A file cannot be changed where it is."""
    for mode in ("r+b", "w+b"):
        with pytest.raises(Unsupported) as caught:
            fs.open(f"{_DS}/a.txt", mode)
        assert caught.value.errno == errno.ENOTSUP


def test_a_handle_reads_one_version(things: DatasetHandle, filled: Bucket, fs: FluidFileSystem) -> None:
    """When an object changes under its reader, the reader fails with ESTALE and never mixes versions."""
    with fs.open(f"{_DS}/dir/b.bin") as file:
        assert file.read(10) == _BIG[:10]
        filled.put("dir/b.bin", b"x" * len(_BIG))
        file.seek(150_000)
        try:
            rest = file.read(10)
        except StaleVersion as error:
            assert error.errno == errno.ESTALE
        else:
            assert rest == _BIG[150_000:150_010]
    fs.invalidate_cache(_DS)
    assert fs.cat_file(f"{_DS}/dir/b.bin") == b"x" * len(_BIG)


def test_get_to_this_machine(things: DatasetHandle, fs: FluidFileSystem, tmp_path: Path) -> None:
    """Downloading a directory writes its files."""
    fs.get(f"{_DS}/dir", str(tmp_path / "got"), recursive=True)
    assert (tmp_path / "got/b.bin").read_bytes() == _BIG
    assert (tmp_path / "got/deep/c.bin").read_bytes() == b"c" * 100


# -- not allowed to write -------------------------------------------------------------------------------

_CHANGES: dict[str, Any] = {
    "wb": lambda fs: fs.open(f"{_DS}/x", "wb"),
    "xb": lambda fs: fs.open(f"{_DS}/x", "xb"),
    "ab": lambda fs: fs.open(f"{_DS}/a.txt", "ab"),
    "w": lambda fs: fs.open(f"{_DS}/x", "w"),
    "gzip": lambda fs: fs.open(f"{_DS}/x.gz", "wb", compression="infer"),
    "pipe": lambda fs: fs.pipe(f"{_DS}/x", b"x"),
    "pipe_file": lambda fs: fs.pipe_file(f"{_DS}/x", b"x"),
    "touch": lambda fs: fs.touch(f"{_DS}/x"),
    "rm": lambda fs: fs.rm(f"{_DS}/a.txt"),
    "rm_file": lambda fs: fs.rm_file(f"{_DS}/a.txt"),
    "rm of all": lambda fs: fs.rm(_DS, recursive=True),
    "mkdir": lambda fs: fs.mkdir(f"{_DS}/new"),
    "makedirs": lambda fs: fs.makedirs(f"{_DS}/new/er"),
    "rmdir": lambda fs: fs.rmdir(f"{_DS}/hollow"),
    "mv": lambda fs: fs.mv(f"{_DS}/a.txt", f"{_DS}/x"),
    "rename": lambda fs: fs.rename(f"{_DS}/a.txt", f"{_DS}/x"),
    "cp_file": lambda fs: fs.cp_file(f"{_DS}/a.txt", f"{_DS}/x"),
}


@pytest.mark.parametrize("change", list(_CHANGES))
def test_a_read_only_dataset_refuses_every_change(
    change: str, client: Client, tmp_path: Path, fs: FluidFileSystem
) -> None:
    """A dataset without a writing access mode answers EROFS, whatever one tries, and nothing changes."""
    place = tmp_path / "data"
    (place / "hollow").mkdir(parents=True)
    (place / "a.txt").write_bytes(_TEXT)
    apply_local_dataset(client, place, "things")
    with pytest.raises(ReadOnly) as caught:
        _CHANGES[change](fs)
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == errno.EROFS
    assert sorted(path.name for path in place.iterdir()) == ["a.txt", "hollow"]
    assert (place / "a.txt").read_bytes() == _TEXT


@pytest.mark.parametrize("change", ["wb", "pipe", "rm", "mkdir", "mv"])
def test_a_read_only_bucket_refuses_changes(change: str, things: DatasetHandle, fs: FluidFileSystem) -> None:
    """The same over a bucket."""
    with pytest.raises(ReadOnly) as caught:
        _CHANGES[change](fs)
    assert caught.value.errno == errno.EROFS
    assert len(fs.find(_DS)) == 3


@pytest.mark.parametrize("place", ["fluid://default", "fluid://", "fluid://default/"])
def test_writing_above_the_datasets(place: str, writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """Namespaces and datasets are declared, not made by writing; the error says so."""
    with pytest.raises(OSError, match=r"Datasets are made|names no dataset"):
        fs.open(place, "wb")
    for change in (fs.rm, fs.rmdir):
        with pytest.raises(OSError, match=r"Datasets are made|names no dataset"):
            change(place)
    with pytest.raises(FileExistsError):
        fs.mkdir(place)
    with pytest.raises(Unsupported, match="datafluid apply"):
        fs.mkdir("fluid://brand-new")
    with pytest.raises(NotFound):
        fs.pipe_file("fluid://default/undeclared/x", b"x")


# -- writing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bucket", "directory"])
def test_writing_and_reading_back(kind: str, request: pytest.FixtureRequest, fs: FluidFileSystem) -> None:
    """What was written is there at once: read, listed, replaced, appended to, deleted."""
    request.getfixturevalue("writable" if kind == "bucket" else "directory")
    path = f"fluid://{_DS}/new/file.bin"
    assert not fs.exists(path)
    fs.pipe(path, b"one")
    assert fs.cat_file(path) == b"one"
    assert f"{_DS}/new/file.bin" in fs.find(_DS)
    with fs.open(path, "ab") as file:
        file.write(b" two")
    assert fs.cat_file(path) == b"one two"
    with fs.open(f"{_DS}/appended", "ab") as file:
        file.write(b"made by appending")
    assert fs.cat_file(f"{_DS}/appended") == b"made by appending"
    fs.pipe_file(path, b"replaced")
    assert fs.cat_file(path) == b"replaced"
    assert fs.info(path)["size"] == 8
    fs.rm(path)
    assert not fs.exists(path)
    with pytest.raises(NotFound):
        fs.rm(path)


def test_a_replaced_file_that_was_cached(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A cached version is never served for the one that replaced it."""
    writable.load().wait(timeout=60)
    assert fs.cat_file(f"{_DS}/dir/b.bin") == _BIG
    fs.pipe_file(f"{_DS}/dir/b.bin", b"other")
    assert fs.cat_file(f"{_DS}/dir/b.bin") == b"other"
    assert fs.info(f"{_DS}/dir/b.bin")["size"] == 5


@pytest.mark.parametrize("kind", ["bucket", "directory"])
def test_exclusive_create(kind: str, request: pytest.FixtureRequest, fs: FluidFileSystem) -> None:
    """``xb`` and mode="create" make a file, and never replace one, not even one that came meanwhile."""
    request.getfixturevalue("writable" if kind == "bucket" else "directory")
    with fs.open(f"{_DS}/fresh", "xb") as file:
        file.write(b"fresh")
    for again in (
        lambda: fs.open(f"{_DS}/fresh", "xb"),
        lambda: fs.pipe_file(f"{_DS}/fresh", b"no", mode="create"),
    ):
        with pytest.raises(AlreadyExists) as caught:
            again()
        assert caught.value.errno == errno.EEXIST
    late = fs.open(f"{_DS}/raced", "xb")
    late.write(b"late")
    fs.pipe_file(f"{_DS}/raced", b"early")
    with pytest.raises(AlreadyExists):
        late.close()
    assert fs.cat_file(f"{_DS}/fresh") == b"fresh"
    assert fs.cat_file(f"{_DS}/raced") == b"early"


def test_writing_text_and_compressed(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """Text is encoded, gzip is real gzip, and both read back."""
    with fs.open(f"{_DS}/out.txt", "w", encoding="utf-16", newline="\r\n") as file:
        file.write("größe\n")
    assert fs.cat_file(f"{_DS}/out.txt") == "größe\r\n".encode("utf-16")
    with fs.open(f"{_DS}/out.gz", "wb", compression="infer") as file:
        file.write(_BIG)
    assert gzip.decompress(fs.cat_file(f"{_DS}/out.gz")) == _BIG
    with fs.open(f"{_DS}/out.txt.gz", "wt", compression="gzip", encoding="utf-8") as file:
        file.write("größe\n")
    with fs.open(f"{_DS}/out.txt.gz", "rt", compression="gzip", encoding="utf-8") as file:
        assert file.read() == "größe\n"


@pytest.mark.parametrize(
    ("mode", "compression", "data"),
    [
        ("wb", None, b"partial" * 50_000),
        ("xb", None, b"partial"),
        ("ab", None, b"partial"),
        ("w", None, "partial"),
        ("wb", "gzip", b"partial" * 50_000),
        ("wt", "gzip", "partial" * 50_000),
    ],
)
def test_an_exception_writes_nothing(
    mode: str, compression: str | None, data: Any, writable: DatasetHandle, fs: FluidFileSystem
) -> None:
    """A with-block that is left by an exception leaves what was there before: nothing, or the old bytes."""
    paths = [f"{_DS}/broken"] if "x" in mode else [f"{_DS}/broken", f"{_DS}/a.txt"]
    for path in paths:
        with (
            pytest.raises(RuntimeError, match="halfway"),
            fs.open(path, mode, compression=compression) as file,
        ):
            file.write(data)
            raise RuntimeError("halfway")
    assert not fs.exists(f"{_DS}/broken")
    assert fs.cat_file(f"{_DS}/a.txt") == _TEXT


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("wb", None),
        ("w", None),
        ("wb", "gzip"),
    ],
)
def test_a_discarded_file_says_that_it_is_closed(
    mode: str, compression: str | None, writable: DatasetHandle, fs: FluidFileSystem
) -> None:
    """After a with-block was left by an exception the file is closed, as any other file of `io`."""
    with (
        pytest.raises(RuntimeError, match="halfway"),
        fs.open(f"{_DS}/x", mode, compression=compression) as file,
    ):
        raise RuntimeError("halfway")
    assert file.closed
    file.close()


def test_a_large_file_is_written_whole(writable: DatasetHandle, fs: FluidFileSystem, tmp_path: Path) -> None:
    """More than fits in memory's share goes through a file, seeks included, and comes back equal."""
    block = os.urandom(1 << 20)
    with fs.open(f"{_DS}/large", "wb") as file:
        file.write(b"0000")
        for _ in range(10):
            file.write(block)
        file.seek(0)
        file.write(b"head")
        file.seek(0, 2)
    assert fs.cat_file(f"{_DS}/large") == b"head" + block * 10
    (tmp_path / "up").write_bytes(block)
    fs.put(str(tmp_path / "up"), f"{_DS}/put")
    assert fs.cat_file(f"{_DS}/put") == block


def test_transactions(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """Files of a transaction appear together at its end, and none of them when it fails."""
    with fs.transaction:
        with fs.open(f"{_DS}/t1", "wb") as file:
            file.write(b"one")
        fs.pipe_file(f"{_DS}/t2", b"two")
        assert not fs.exists(f"{_DS}/t1")
        assert not fs.exists(f"{_DS}/t2")
    assert fs.cat([f"{_DS}/t1", f"{_DS}/t2"]) == {f"{_DS}/t1": b"one", f"{_DS}/t2": b"two"}

    with pytest.raises(RuntimeError, match="rolled back"), fs.transaction:
        fs.pipe_file(f"{_DS}/t3", b"three")
        fs.pipe_file(f"{_DS}/t1", b"changed")
        raise RuntimeError("rolled back")
    assert not fs.exists(f"{_DS}/t3")
    assert fs.cat_file(f"{_DS}/t1") == b"one"
    fs.pipe_file(f"{_DS}/after", b"at once again")
    assert fs.cat_file(f"{_DS}/after") == b"at once again"


def test_making_directories(directory: Path, fs: FluidFileSystem) -> None:
    """Directories are made with their parents, not twice, not over a file, and removed when empty."""
    fs.mkdir(f"{_DS}/new/er")
    assert (directory / "new/er").is_dir()
    assert fs.isdir(f"{_DS}/new/er")
    for path in (f"{_DS}/new", f"{_DS}/a.txt", _DS):
        with pytest.raises(AlreadyExists):
            fs.mkdir(path)
        with pytest.raises(AlreadyExists):
            fs.makedirs(path, exist_ok=False)
    fs.makedirs(f"{_DS}/new", exist_ok=True)
    with pytest.raises(FileExistsError):
        fs.makedirs(f"{_DS}/a.txt", exist_ok=True)
    with pytest.raises(OSError, match="not empty") as caught:
        fs.rmdir(f"{_DS}/new")
    assert caught.value.errno == errno.ENOTEMPTY
    with pytest.raises(NotADirectory):
        fs.rmdir(f"{_DS}/a.txt")
    with pytest.raises(NotFound):
        fs.rmdir(f"{_DS}/absent")
    fs.rmdir(f"{_DS}/new/er")
    fs.rmdir(f"{_DS}/new")
    assert not fs.exists(f"{_DS}/new")
    assert not (directory / "new").exists()


def test_directories_of_a_bucket(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A bucket has no empty directories: making one is nothing, and one with files cannot be removed."""
    fs.mkdir(f"{_DS}/hollow")
    assert not fs.exists(f"{_DS}/hollow")
    with pytest.raises(AlreadyExists):
        fs.mkdir(f"{_DS}/dir")
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir(f"{_DS}/dir")
    fs.rm(f"{_DS}/dir", recursive=True)
    assert not fs.exists(f"{_DS}/dir")


def test_rm_wants_recursive_for_directories(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A directory is deleted only with recursive=True; the dataset itself stays."""
    with pytest.raises(IsADirectory):
        fs.rm(f"{_DS}/dir")
    assert len(fs.find(_DS)) == 3
    fs.rm(_DS, recursive=True)
    assert fs.find(_DS) == []
    assert fs.exists(_DS)


def test_rename_on_a_bucket(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A bucket copies and deletes: refused where it must be atomic, done where it need not be."""
    with pytest.raises(Unsupported) as caught:
        fs.rename(f"{_DS}/a.txt", f"{_DS}/moved", atomic=True)
    assert caught.value.errno == errno.ENOTSUP
    assert not fs.exists(f"{_DS}/moved")
    with pytest.raises(AlreadyExists):
        fs.rename(f"{_DS}/a.txt", f"{_DS}/dir/b.bin", overwrite=False)
    fs.rename(f"{_DS}/a.txt", f"{_DS}/moved")
    assert not fs.exists(f"{_DS}/a.txt")
    assert fs.cat_file(f"{_DS}/moved") == _TEXT


def test_rename_on_a_directory(directory: Path, fs: FluidFileSystem) -> None:
    """A real directory renames atomically, with and without replacing."""
    fs.rename(f"{_DS}/a.txt", f"{_DS}/moved", atomic=True)
    assert (directory / "moved").read_bytes() == _TEXT
    with pytest.raises(AlreadyExists):
        fs.rename(f"{_DS}/moved", f"{_DS}/dir/b.bin", atomic=True, overwrite=False)
    assert fs.cat_file(f"{_DS}/dir/b.bin") == _BIG
    fs.rename(f"{_DS}/moved", f"{_DS}/dir/b.bin", atomic=True)
    assert fs.cat_file(f"{_DS}/dir/b.bin") == _TEXT
    with pytest.raises(NotFound):
        fs.rename(f"{_DS}/absent", f"{_DS}/x")
    with pytest.raises(IsADirectory):
        fs.rename(f"{_DS}/dir", f"{_DS}/x")


def test_moving_and_copying_between_datasets(
    writable: DatasetHandle, client: Client, tmp_path: Path, fs: FluidFileSystem
) -> None:
    """A rename stays within a dataset; mv and cp go across."""
    apply_local_dataset(client, tmp_path, "other", **_WRITABLE)
    with pytest.raises(Unsupported):
        fs.rename(f"{_DS}/a.txt", "default/other/a.txt")
    fs.cp(f"{_DS}/a.txt", "default/other/a.txt")
    assert (tmp_path / "a.txt").read_bytes() == _TEXT
    fs.mv(f"{_DS}/dir/b.bin", "default/other/b.bin")
    assert (tmp_path / "b.bin").read_bytes() == _BIG
    assert not fs.exists(f"{_DS}/dir/b.bin")


# -- pickling -------------------------------------------------------------------------------------------


def _rest_of(pickled: bytes) -> tuple[int, bytes]:
    with pickle.loads(pickled) as file:
        return file.tell(), file.read()


def _cat(pickled: bytes, path: str) -> bytes:
    fs: FluidFileSystem = pickle.loads(pickled)
    return fs.cat_file(path)


def test_pickling_a_filesystem(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A filesystem survives pickling and JSON, its options included, and carries no secrets."""
    other = FluidFileSystem(context="embedded", namespace="team")
    assert pickle.loads(pickle.dumps(fs)).cat_file(f"{_DS}/a.txt") == _TEXT
    copy = pickle.loads(pickle.dumps(other))
    assert (copy.context, copy.namespace) == ("embedded", "team")
    assert copy._strip_protocol("fluid:///x/y") == "team/x/y"
    assert fsspec.AbstractFileSystem.from_json(other.to_json()) == other
    assert os.environ["AWS_SECRET_ACCESS_KEY"].encode() not in pickle.dumps(fs)
    assert len(pickle.dumps(fs)) < 500


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_pickling_an_open_file(warm: bool, things: DatasetHandle, fs: FluidFileSystem) -> None:
    """A pickled open file goes on at its position, and the original is not disturbed."""
    if warm:
        things.load().wait(timeout=60)
    with fs.open(f"{_DS}/dir/b.bin") as file:
        file.seek(1_000)
        file.read(234)
        assert _rest_of(pickle.dumps(file)) == (1_234, _BIG[1_234:])
        assert file.read(4) == _BIG[1_234:1_238]


def test_pickling_into_a_spawned_process(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Filesystem and open files work in a process that inherits nothing but the environment."""
    things.load("dir").wait(timeout=60)
    with fs.open(f"{_DS}/dir/b.bin") as warm, fs.open(f"{_DS}/a.txt") as cold:
        warm.seek(-10, 2)
        cold.seek(6)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(_rest_of, (pickle.dumps(warm),)) == (len(_BIG) - 10, _BIG[-10:])
            assert pool.apply(_rest_of, (pickle.dumps(cold),)) == (6, _TEXT[6:])
            assert pool.apply(_cat, (pickle.dumps(fs), f"{_DS}/dir/deep/c.bin")) == b"c" * 100
            pool.close()
            pool.join()


# -- what a path can do, and where its bytes are --------------------------------------------------------


def test_explain_follows_the_cache(things: DatasetHandle, client: Client, fs: FluidFileSystem) -> None:
    """Cold, partly cached, warm and evicted files say so, with the share that is cached."""
    path = f"fluid://{_DS}/dir/b.bin"
    cold = fs.explain(path)
    assert (cold.url, cold.route, cold.cached, cold.size) == (path, "cache", 0.0, len(_BIG))
    assert "not cached yet" in cold.why
    assert [route for route, _ in cold.skipped] == ["mount"]

    fs.cat_file(path, 0, 10)
    part = fs.explain(path)
    assert part.cached is not None
    assert 0 < part.cached < 1
    assert "partly" in part.why
    assert "fetched" in part.cost

    things.load().wait(timeout=60)
    warm = fs.explain(path)
    assert (warm.route, warm.cached) == ("cache", 1.0)
    assert "no request" in warm.cost
    assert fs.explain(_DS).cached == 1.0
    assert "100.0%" in str(warm)
    assert path in warm._repr_html_()

    client.cache.evict(_DS)
    assert fs.explain(path).cached == 0.0


def test_explain_a_mount(
    things: DatasetHandle, fs: FluidFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the dataset is mounted the mount is the way, and no other is looked at."""
    mount = tmp_path / "mnt/default/things"
    mount.mkdir(parents=True)
    (mount / "a.txt").write_bytes(b"from the mount")
    monkeypatch.setenv("DATAFLUID_MOUNT_ROOT", str(tmp_path / "mnt"))
    found = fs.explain(f"{_DS}/a.txt")
    assert (found.route, found.skipped, found.cached) == ("mount", (), None)
    assert str(mount) in found.why
    assert fs.cat_file(f"{_DS}/a.txt") == b"from the mount"
    assert fs.local_path(f"{_DS}/a.txt") == str(mount / "a.txt")


def test_explain_direct(directory: Path, fs: FluidFileSystem) -> None:
    """A directory of this machine is read in place, and a copy would gain nothing."""
    found = fs.explain(f"{_DS}/a.txt")
    assert found.route == "direct"
    assert [route for route, _ in found.skipped] == ["mount", "cache", "engine", "hcfs"]
    assert fs.local_path(f"{_DS}/a.txt") == str(directory / "a.txt")
    (block,) = fs.block_locations(f"{_DS}/a.txt")
    assert (block.tier, block.cached, block.hosts) == ("under-store", True, (socket.gethostname(),))


def test_content_summary(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Files, directories, bytes and cached bytes are counted below a place; a file counts itself."""
    cold = fs.content_summary(_DS)
    assert (cold.files, cold.directories, cold.bytes) == (3, 2, len(_TEXT) + len(_BIG) + 100)
    assert cold.cached == 0
    things.load("dir/deep").wait(timeout=60)
    assert fs.content_summary(_DS).cached == 100
    assert fs.content_summary(f"{_DS}/dir").directories == 1
    single = fs.content_summary(f"{_DS}/a.txt")
    assert (single.files, single.directories, single.bytes, single.cached) == (1, 0, len(_TEXT), 0)
    with pytest.raises(NotFound):
        fs.content_summary(f"{_DS}/absent")


def test_block_locations(things: DatasetHandle, fs: FluidFileSystem) -> None:
    """Blocks cover what was asked about without holes, and tell which of it is cached, and where."""
    path = f"{_DS}/dir/b.bin"
    (cold,) = fs.block_locations(path)
    assert (cold.offset, cold.length, cold.hosts, cold.tier, cold.cached) == (0, len(_BIG), (), None, False)

    fs.read_ranges(path, [(70_000, 70_010)])
    blocks = fs.block_locations(path)
    assert [block.cached for block in blocks] == [False, True, False]
    assert [block.offset for block in blocks] == [0, 1 << 16, 1 << 17]
    assert sum(block.length for block in blocks) == len(_BIG)
    assert blocks[1].tier == "partial"
    (inside,) = fs.block_locations(path, 70_000, 100)
    assert (inside.offset, inside.length, inside.cached) == (70_000, 100, True)

    things.load().wait(timeout=60)
    (warm,) = fs.block_locations(path, 5, 10**9)
    assert (warm.offset, warm.length, warm.hosts) == (5, len(_BIG) - 5, (socket.gethostname(),))
    assert warm.tier in ("MEM", "SSD", "HDD")
    assert sum(block.length for block in fs.block_locations(path, 10**9)) == 0


def test_a_checksum_changes_with_the_object(things: DatasetHandle, filled: Bucket, fs: FluidFileSystem) -> None:
    """file_checksum, checksum and ukey change when the object does, and not otherwise."""
    path = f"{_DS}/a.txt"

    def marks() -> tuple[str, int, str]:
        found = fs.file_checksum(path)
        assert found.algorithm == "version"
        return found.value, fs.checksum(path), fs.ukey(path)

    before = marks()
    assert marks() == before
    things.load().wait(timeout=60)
    fs.invalidate_cache(path)
    assert marks() == before
    filled.put("a.txt", _TEXT.upper())
    fs.invalidate_cache(path)
    after = marks()
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_path_capabilities(things: DatasetHandle, client: Client, tmp_path: Path, fs: FluidFileSystem) -> None:
    """A capability is told only where it is: read-only, a bucket, a directory."""
    assert fs.path_capabilities(f"{_DS}/a.txt") == {
        "read": True,
        "write": False,
        "append": False,
        "create_exclusive": False,
        "atomic_rename": False,
        "real_directories": False,
    }
    apply_local_dataset(client, tmp_path, "local", **_WRITABLE)
    assert set(fs.path_capabilities("default/local").values()) == {True}
    with pytest.raises(NotFound):
        fs.path_capabilities("default/absent")


def test_path_capabilities_of_a_writable_bucket(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A bucket can be written and created in exclusively, but renames nothing atomically."""
    can = fs.path_capabilities(_DS)
    assert can["write"]
    assert can["append"]
    assert can["create_exclusive"]
    assert not can["atomic_rename"]
    assert not can["real_directories"]


def test_local_path(things: DatasetHandle, client: Client, fs: FluidFileSystem) -> None:
    """There is a local file only while it is complete: not cold, not in part, not once evicted."""
    path = f"fluid://{_DS}/dir/b.bin"
    assert fs.local_path(path) is None
    fs.cat_file(path, 0, 10)
    assert fs.local_path(path) is None
    things.load().wait(timeout=60)
    place = fs.local_path(path)
    assert place is not None
    assert place.endswith(".bin")
    assert Path(place).read_bytes() == _BIG
    assert not os.stat(place).st_mode & 0o222
    client.cache.evict(_DS)
    assert fs.local_path(path) is None


def test_an_open_file_outlives_its_eviction(things: DatasetHandle, client: Client, fs: FluidFileSystem) -> None:
    """Evicting takes the name away; who has the file open reads on."""
    things.load().wait(timeout=60)
    with fs.open(f"{_DS}/dir/b.bin") as file:
        assert file.read(10) == _BIG[:10]
        client.cache.evict(_DS)
        assert file.read() == _BIG[10:]
    assert fs.cat_file(f"{_DS}/dir/b.bin") == _BIG


# -- pathlib --------------------------------------------------------------------------------------------


def test_upath_reads(things: DatasetHandle) -> None:
    """``UPath("fluid://…")`` is a FluidPath: it joins, lists, globs and reads."""
    upath = pytest.importorskip("upath")
    from fluid_fsspec.upath import FluidPath

    top = upath.UPath(f"fluid://{_DS}")
    assert isinstance(top, FluidPath)
    file = top / "dir" / "b.bin"
    assert str(file) == f"fluid://{_DS}/dir/b.bin"
    assert (file.name, file.suffix, file.stem, str(file.parent)) == (
        "b.bin",
        ".bin",
        "b",
        f"fluid://{_DS}/dir",
    )
    assert (file.exists(), file.is_file(), file.is_dir()) == (True, True, False)
    assert file.read_bytes() == _BIG
    assert (top / "a.txt").read_text() == _TEXT.decode()
    assert file.stat().st_size == len(_BIG)
    assert sorted(path.name for path in top.iterdir()) == ["a.txt", "dir"]
    assert sorted(path.name for path in top.glob("**/*.bin")) == ["b.bin", "c.bin"]
    assert not (top / "absent").exists()
    with pytest.raises(FileNotFoundError):
        (top / "absent").read_bytes()
    assert pickle.loads(pickle.dumps(file)) == file


def test_upath_writes(writable: DatasetHandle, fs: FluidFileSystem) -> None:
    """A FluidPath writes, renames and deletes where the dataset may be written."""
    upath = pytest.importorskip("upath")
    path = upath.UPath(f"fluid://{_DS}/notes/one.txt")
    path.write_text("one")
    assert fs.cat_file(f"{_DS}/notes/one.txt") == b"one"
    with path.open("a") as file:
        file.write(" more")
    assert path.read_text() == "one more"
    moved = path.rename(path.with_name("two.txt"))
    assert moved.read_text() == "one more"
    moved.unlink()
    assert not fs.exists(f"{_DS}/notes/two.txt")
