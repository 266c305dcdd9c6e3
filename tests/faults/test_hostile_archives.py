"""Archives that are damaged, cut, or made by somebody who means harm: refused, and nothing outside is touched."""

from __future__ import annotations

import io
import json
import os
import random
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import connect
from datafluid.engine.archive.container import writing
from datafluid.errors import Corrupt, DatafluidError, Invalid
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, dataset_manifest
from tests.faults.sentinels import tree_of

_FILES = {"a.bin": 5_000, "b/c.parquet": 4_300_000, "b/empty": 0}


@pytest.fixture
def content(bucket: Bucket, seed: int) -> dict[str, bytes]:
    """What the bucket holds."""
    source = random.Random(seed)
    found = {key: source.randbytes(size) for key, size in _FILES.items()}
    for key, data in found.items():
        bucket.put(key, data)
    return found


@pytest.fixture
def packed(bucket: Bucket, content: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good archive; the home is another one from now on."""
    client = connect()
    apply_bucket_dataset(client, bucket, "data").load().wait(timeout=60)
    client.cache.pack(tmp_path / "home.tar")
    monkeypatch.setenv("DATAFLUID_HOME", str(tmp_path / "elsewhere"))
    return tmp_path / "home.tar"


def test_any_byte_may_be_another(
    packed: Path, content: dict[str, bytes], tmp_path: Path, seed: int, long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flipped bit, a cut, a doubled or a missing block, anywhere: what is cached is right, the rest is refused."""
    good = packed.read_bytes()
    source = random.Random(seed)
    refused = 0
    for turn in range(2_000 if long else 40):
        monkeypatch.setenv("DATAFLUID_HOME", str(tmp_path / f"home-{turn}"))
        packed.write_bytes(_mangled(good, source))
        client = connect()
        try:
            client.cache.unpack(packed)
        except (Corrupt, Invalid):
            refused += 1
        assert client.cache.verify() == []
        if not client.datasets():
            continue
        fs = FluidFileSystem(skip_instance_cache=True)
        for key, data in content.items():
            assert fs.cat(f"default/data/{key}") == data, f"turn {turn}"
    assert refused > 20


def _mangled(good: bytes, source: random.Random) -> bytes:
    data = bytearray(good)
    near = source.choice([4_096, len(data)])  # headers and documents are few bytes, and the most dangerous
    place = source.randrange(min(near, len(data)))
    match source.randrange(4):
        case 0:
            data[place] ^= 1 << source.randrange(8)
        case 1:
            del data[place:]
        case 2:
            block = place // 512 * 512
            data[block:block] = data[block : block + 512]
        case 3:
            block = place // 512 * 512
            del data[block : block + 512]
    return bytes(data)


def _tar(*members: tarfile.TarInfo, data: bytes = b"", format: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(data[: member.size]))
    return buffer.getvalue()


def _member(name: str = "0000000000-" + "0" * 32 + ".json", **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


_FOREIGN: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "zeros": lambda: bytes(10_240),
    "noise": lambda: random.Random(1).randbytes(50_000),
    "gzip": lambda: b"\x1f\x8b\x08" + bytes(2_000),
    "climbing": lambda: _tar(_member("../../evil", size=4), data=b"evil"),
    "absolute": lambda: _tar(_member("/tmp/evil", size=4), data=b"evil"),
    "symlink": lambda: _tar(_member(type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    "hard link": lambda: _tar(_member(type=tarfile.LNKTYPE, linkname="/etc/passwd")),
    "device": lambda: _tar(_member(type=tarfile.CHRTYPE, devmajor=1, devminor=1)),
    "pipe": lambda: _tar(_member(type=tarfile.FIFOTYPE)),
    "directory": lambda: _tar(_member(type=tarfile.DIRTYPE)),
    "sparse": lambda: _tar(_member(type=tarfile.GNUTYPE_SPARSE)),
    "long name": lambda: _tar(_member("x" * 4_000, size=4), data=b"evil"),
    "extended header": lambda: _tar(_member("ü" * 300, size=4), data=b"evil", format=tarfile.PAX_FORMAT),
    "larger than it is": lambda: _member(size=1 << 60).tobuf(tarfile.GNU_FORMAT) + bytes(2_048),
    "negative": lambda: _negative(),
}


def _negative() -> bytes:
    header = bytearray(_member(size=0).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1_024)


@pytest.mark.parametrize("kind", _FOREIGN)
def test_what_datafluid_did_not_write(kind: str, tmp_path: Path, home: Path) -> None:
    """Refused with a sentence and a hint; nothing is declared, written or deleted anywhere."""
    file = tmp_path / "archive.tar"
    file.write_bytes(_FOREIGN[kind]())
    connect()
    before = tree_of(tmp_path)
    with pytest.raises(Corrupt, match=r"archive\.tar is .*\. [A-Z]"):
        connect().cache.unpack(file)
    assert tree_of(tmp_path) == before
    assert connect().datasets() == []


def _deep(levels: int) -> Any:
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


_ENTRY = ["a.bin", False, 4, None, "v", None, "0" * 32]


def _directory(**changes: Any) -> dict[str, Any]:
    whole = {"dataset": ["default", "data"], "mount": "", "path": "", "as_of": 1.0, "first": True, "complete": True}
    return {**whole, "entries": [_ENTRY], **changes}


_LIES: dict[str, Mapping[str, Any]] = {
    "another dataset": _directory(dataset=["kube-system", "data"]),
    "no dataset": _directory(dataset=None),
    "many datasets": _directory(dataset=["a", "b", "c"]),
    "another mount": _directory(mount="other"),
    "a list for a mount": _directory(mount=["x"]),
    "a path that climbs": _directory(path="../../.."),
    "an absolute path": _directory(path="/etc"),
    "a name that climbs": _directory(entries=[["..", *_ENTRY[1:]]]),
    "a name with a slash": _directory(entries=[["a/b", *_ENTRY[1:]]]),
    "a name with NUL": _directory(entries=[["a\0b", *_ENTRY[1:]]]),
    "a long name": _directory(entries=[["x" * 4_096, *_ENTRY[1:]]]),
    "half a character": _directory(entries=[["\ud800", *_ENTRY[1:]]]),
    "a negative size": _directory(entries=[["a.bin", False, -1, None, "v", None, None]]),
    "a size of an exabyte and more": _directory(entries=[["a.bin", False, 1 << 80, None, "v", None, None]]),
    "a size that is text": _directory(entries=[["a.bin", False, "4", None, "v", None, None]]),
    "a checksum that is none": _directory(entries=[["a.bin", False, 4, None, "v", None, "xyz"]]),
    "a directory with bytes": _directory(entries=[["a.bin", True, 4, None, "v", None, "0" * 32]]),
    "a time that is none": _directory(as_of=float("inf")),
    "a time beyond all numbers": _directory(as_of=10**400),
    "a time that no calendar has": _directory(entries=[["a.bin", False, 4, 1e300, "v", None, None]]),
    "half a character in a version": _directory(entries=[["a.bin", False, 4, None, "\ud800", None, None]]),
    "entries that are none": _directory(entries={"a": 1}),
    "a bottomless list": _directory(entries=_deep(900)),
}


@pytest.mark.parametrize("kind", _LIES)
def test_documents_that_lie(kind: str, tmp_path: Path, bucket: Bucket) -> None:
    """The checksums are right, the contents are not."""
    file = tmp_path / "archive.tar"
    _write(file, [dataset_manifest("data", bucket.url, options=bucket.options)], _LIES[kind])
    client = connect()
    before = tree_of(tmp_path)
    with pytest.raises(Corrupt, match=r"is not an archive of datafluid: .*\. [A-Z]"):
        client.cache.unpack(file)
    assert tree_of(tmp_path) == before
    assert sum(tier.files for tier in client.cache.status().tiers) == 0


@pytest.mark.parametrize(
    "objects",
    [
        [{"kind": "Dataset"}],
        [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {}}],
        [dataset_manifest("../../x", "s3://bucket")],
        [dataset_manifest("x", "s3://AKIA:secret@bucket")],
        [dataset_manifest("good", "s3://bucket"), {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset"}],
        ["text"],
        _deep(200),
    ],
    ids=["no object", "not ours", "a path for a name", "credentials", "one of two", "text", "deep"],
)
def test_objects_that_no_apply_would_take(objects: list[Any], tmp_path: Path) -> None:
    """What is declared passes the same admission as by hand: all of it, or nothing."""
    _write(tmp_path / "archive.tar", objects)
    with pytest.raises(DatafluidError) as caught:
        connect().cache.unpack(tmp_path / "archive.tar")
    assert "secret@" not in str(caught.value)
    assert connect().datasets() == []


def test_a_file_that_nobody_announced(tmp_path: Path, bucket: Bucket) -> None:
    """Bytes without an entry that they belong to are refused."""
    file = tmp_path / "archive.tar"
    (tmp_path / "bytes").write_bytes(b"evil")
    with writing(file) as archive, (tmp_path / "bytes").open("rb") as source:
        archive.add_document(_header([dataset_manifest("data", bucket.url, options=bucket.options)]))
        archive.add_document(_directory())
        from datafluid.engine.cache.checksum import tree_digest

        archive.add_file(source.fileno(), 4, tree_digest(source.fileno(), 4), "a.bin", lambda behind: None)
    with pytest.raises(Corrupt):
        connect().cache.unpack(file)


def test_a_newer_format_is_told_as_such(tmp_path: Path) -> None:
    """Not as damage."""
    with writing(tmp_path / "archive.tar") as archive:
        archive.add_document({**_header([]), "datafluid": 99})
    with pytest.raises(DatafluidError, match="Upgrade"):
        connect().cache.unpack(tmp_path / "archive.tar")


@pytest.mark.parametrize("packed", ["", "\ud800", "x" * 100_000, 5, "2026-01-01T00:00:00Z\n"])
def test_a_moment_that_is_none(packed: Any, tmp_path: Path) -> None:
    """It would stand in statuses and on terminals."""
    with writing(tmp_path / "archive.tar") as archive:
        archive.add_document({**_header([]), "packed": packed})
    with pytest.raises(Corrupt, match="does not begin as one"):
        connect().cache.unpack(tmp_path / "archive.tar")


@pytest.mark.parametrize(
    ("size", "files"),
    [("4B", "9" * 5_000), ("4B", 4), ("\ud800", "4"), ("x" * 100_000, "4"), ("4B", "-4"), (None, None)],
)
def test_totals_that_are_none(size: Any, files: Any, tmp_path: Path, bucket: Bucket) -> None:
    """They are left out, and the dataset comes without."""
    totals = {"default/data": {"ufsTotal": size, "fileNum": files}}
    with writing(tmp_path / "archive.tar") as archive:
        dataset = dataset_manifest("data", bucket.url, options=bucket.options)
        archive.add_document({**_header([dataset]), "totals": totals})
    client = connect()
    client.cache.unpack(tmp_path / "archive.tar")
    status = client.plane.get(client.dataset("data").ref)["status"]
    assert status["phase"] == "Bound"
    assert "fileNum" not in status or status["fileNum"] in ("", "[Calculating]")


def _header(objects: list[Any]) -> dict[str, Any]:
    return {"datafluid": 1, "packed": "2026-01-01T00:00:00Z", "objects": objects, "totals": {}, "bytes": {}}


def _write(file: Path, objects: list[Any], *documents: Mapping[str, Any]) -> None:
    with writing(file) as archive:
        archive.add_document(_header(objects))
        for document in documents:
            archive.add_document(document)


def test_names_are_harmless_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a hostile archive is called, and what it holds, reaches the terminal as escapes."""
    from datafluid.cli.errors import complain

    file = tmp_path / "\x1b[2J[bold]archive"
    header = bytearray(_member("\x1b[2Jevil").tobuf(tarfile.GNU_FORMAT))
    file.write_bytes(bytes(header) + bytes(1_024))
    with pytest.raises(Corrupt) as caught:
        connect().cache.unpack(file)
    complain(caught.value)
    assert "\x1b" not in capsys.readouterr().err
    assert os.path.exists(file)
    assert json.dumps(str(caught.value))
