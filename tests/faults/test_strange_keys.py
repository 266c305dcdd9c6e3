"""Keys that no path can name, and names that steer terminals: told and counted, and nothing else suffers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from datafluid.client import Client, connect
from datafluid.errors import DatafluidError
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from tests.datasets import apply_local_dataset, dataset_manifest
from tests.faults.sentinels import tree_of
from tests.faults.strange_store import serve_strange

#: Each is one object of its own; none of them can be named by a path that obstore would ask for.
_UNNAMEABLE = [
    "../escape",
    "../../../../etc/passwd",
    "a/../../escape",
    "..",
    ".",
    "./here",
    "a/./b",
    "a//b",
    "//x",
    "new\nline",
    "nul\0byte",
    "esc\x1b[2Jape",
    "del\x7f",
    "x" * 256,
    "x" * 4096,
    "dir/" + "y" * 300 + "/z",
]
_STRANGE_BUT_GOOD = {
    "[/x]": b"markup",
    "[bold]x[/bold]": b"more markup",
    "Case": b"upper",
    "case": b"lower",
    "a b": b"space",
    " lead": b"leading space",
    "trail ": b"trailing space",
    "%2e%2e/x": b"percent",
    "a%00b": b"percent nul",
    "back\\slash": b"backslash",
    "q?u=e#r&y": b"query",
    "*.glob[a]{b}": b"glob",
    "~home/$HOME/`id`": b"shell",
    "-rf": b"option",
    "数据/ü/🚲": b"unicode",
    "rtl\u202egpj.exe": b"override",
    "x" * 255: b"as long as can be",
    "/".join("d" * 30 for _ in range(8)): b"deep",
    "dir/.hidden": b"hidden",
    "dir/.datafluid-000000000000/00/evil": b"our own name",
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any will do."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")


def _declared(client: Client, endpoint: str, **spec: object) -> DatasetHandle:
    options = {"endpoint": endpoint, "region": "us-east-1"}
    client.apply(dataset_manifest("data", "s3://bucket", options=options, annotations={"datafluid.io/refresh": "open"}))
    client.dataset("data").wait(timeout=60)
    return client.dataset("data")


@pytest.fixture
def objects() -> dict[str, bytes]:
    """What the bucket holds."""
    return {**_STRANGE_BUT_GOOD, **dict.fromkeys(_UNNAMEABLE, b"never")}


@pytest.fixture
def endpoint(objects: dict[str, bytes]) -> Iterator[str]:
    """A bucket of strange keys."""
    with serve_strange(objects) as running:
        yield running


def test_the_others_are_loaded_and_these_are_counted(endpoint: str, tmp_path: Path) -> None:
    """Every key that is a path is read and listed; the load says how many are none; nothing is written elsewhere."""
    client = connect()
    dataset = _declared(client, endpoint)
    before = tree_of(tmp_path)
    load = dataset.load()
    assert load.wait(timeout=60).phase == "Complete"
    (told,) = [each["message"] for each in client.get("DataLoad", load.ref.name)["status"]["conditions"]]
    assert f"{len(_UNNAMEABLE)} objects cannot be named by a path" in told
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.find("default/data") == sorted(f"default/data/{key}" for key in _STRANGE_BUT_GOOD)
    for key, data in _STRANGE_BUT_GOOD.items():
        assert fs.cat_file(f"default/data/{key}") == data, key
        assert fs.local_path(f"default/data/{key}") is not None, key
    assert tree_of(tmp_path) == before


@pytest.mark.parametrize("key", [*_UNNAMEABLE, "", "/", "Case/x", "dir", "missing"])
def test_asking_for_them_is_a_clear_error(endpoint: str, key: str) -> None:
    """An OSError, or Invalid, with a sentence: never another object's bytes, and never a bug."""
    _declared(connect(), endpoint)
    fs = FluidFileSystem(skip_instance_cache=True)
    for ask in (fs.cat_file, fs.open):
        with pytest.raises((OSError, DatafluidError, ValueError)) as caught:
            ask(f"default/data/{key}")
        assert str(caught.value)


@pytest.mark.parametrize("key", _UNNAMEABLE)
def test_one_of_them_is_enough(key: str) -> None:
    """Each alone neither keeps a dataset from being Bound nor its neighbours from being listed."""
    with serve_strange({key: b"never", "good.bin": b"good", "dir/good.bin": b"good"}) as endpoint:
        _declared(connect(), endpoint)
        fs = FluidFileSystem(skip_instance_cache=True)
        assert fs.find("default/data") == ["default/data/dir/good.bin", "default/data/good.bin"]
        names = {each["name"] for each in fs.ls("default/data", detail=True)}
        assert {"default/data/dir", "default/data/good.bin"} <= names
        assert not any(".." in name or "\0" in name for name in names)


def test_one_among_many_pages() -> None:
    """A bad key on the third page: nothing of the pages before and after is lost, or told twice."""
    objects = {f"{number:05}.bin": b"x" for number in range(3_500)} | {"02500.bin//odd": b"never"}
    with serve_strange(objects) as endpoint:
        dataset = _declared(connect(), endpoint)
        walked = [entry.path for entry in dataset.volume().walk("")]
    assert walked == sorted(set(objects) - {"02500.bin//odd"})


def test_keys_that_are_prefixes_too() -> None:
    """It is a directory, so that what lies in it is not lost; a marker of a directory is none of its files."""
    objects = {"both": b"object", "both/inside": b"inside", "folder/": b"", "folder/file": b"file"}
    with serve_strange(objects) as endpoint:
        client = connect()
        dataset = _declared(client, endpoint)
        load = dataset.load()
        assert load.wait(timeout=60).phase == "Complete"
        assert "1 object cannot be named" in str(client.get("DataLoad", load.ref.name)["status"]["conditions"])
        fs = FluidFileSystem(skip_instance_cache=True)
        for _ in range(2):
            assert fs.cat_file("default/data/both/inside") == b"inside"
            assert fs.cat_file("default/data/folder/file") == b"file"
            names = {each["name"]: each["type"] for each in fs.ls("default/data", detail=True)}
            assert names == {"default/data/both": "directory", "default/data/folder": "directory"}


def test_terminals_see_escapes(endpoint: str, tmp_path: Path) -> None:
    """`ls`, `du`, `explain` and errors print nothing that steers a terminal, and no markup is obeyed."""
    from typer.testing import CliRunner

    from datafluid.cli.app import app

    _declared(connect(), endpoint)
    for words in (
        ["ls", "-R", "data"],
        ["ls", "-o", "json", "data"],
        ["ls", "-o", "yaml", "data"],
        ["du", "data"],
        ["cat", "default/data/esc\x1b[2Jape"],
        ["cat", "default/data/rtl\u202egpj.exe.missing"],
        ["ls", "default/[/x]\x1b]0;title\x07"],
        ["explain", "default/data/[bold]x[/bold]"],
        ["get", "dataset", "\x1b[31mred"],
    ):
        text = CliRunner().invoke(app, words).output
        assert "\x1b" not in text, words
        assert "\u202e" not in text, words
        assert "\x07" not in text, words
        assert text
        assert "bug in datafluid" not in text, text


def test_names_of_this_machine(tmp_path: Path) -> None:
    """Newlines and backslashes are served; names that are no UTF-8 are counted, and nothing fails of them."""
    place = tmp_path / "place"
    place.mkdir()
    names = [b"new\nline", b"tab\tbed", b"esc\x1b[2J", b"latin-\xe9\xff", b"[x]", b" ", b"-rf", b"a\\b"]
    for name in names:
        (place / os.fsdecode(name)).write_bytes(name)
    client = connect()
    apply_local_dataset(client, place, "data")
    load = client.dataset("data").load()
    assert load.wait(timeout=60).phase == "Complete"
    assert "1 object cannot be named" in str(client.get("DataLoad", load.ref.name)["status"]["conditions"])
    names.remove(b"latin-\xe9\xff")
    fs = FluidFileSystem(skip_instance_cache=True)
    found = {os.fsencode(path.removeprefix("default/data/")) for path in fs.find("default/data")}
    assert found == set(names)
    for name in names:
        assert fs.cat_file(f"default/data/{os.fsdecode(name)}") == name


def test_a_file_where_a_directory_is_expected(endpoint: str, tmp_path: Path) -> None:
    """As a mount, as a tier, as a home, and below a path: a clear error each time."""
    file = tmp_path / "file"
    file.write_bytes(b"a file")
    client = connect()
    _declared(client, endpoint)
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(OSError, match=r"."):
        fs.cat_file("default/data/Case/inside")
    with pytest.raises(NotADirectoryError):
        client.dataset("data").volume().ls("a b")
    client.apply(dataset_manifest("file", f"local://{file}"))
    assert client.dataset("file").status.phase == "NotBound"
    command = [sys.executable, "-m", "datafluid", "get", "dataset"]
    done = subprocess.run(
        command, env={**os.environ, "DATAFLUID_HOME": str(file)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def _name(source: random.Random) -> str:
    alphabet = "ab/.\\ \n\t\0\x1b[]{}*?%#&=~$`'\"<>|;:é数🚲\u202e\ufeff"
    return "".join(source.choice(alphabet) for _ in range(source.choice([1, 2, 3, 8, 40, 300])))


def test_fuzzed_names(seed: int, long: bool, tmp_path: Path) -> None:
    """Random names of objects: what is a path is read, what is none is not listed, nothing outside is touched."""
    source = random.Random(seed)
    objects: dict[str, bytes] = {}
    with serve_strange(objects) as endpoint:
        client = connect()
        dataset = _declared(client, endpoint)
        before = tree_of(tmp_path)
        for _ in range(100 if long else 3):
            objects.clear()
            objects.update({_name(source): str(number).encode() for number in range(100)})
            objects["good.bin"] = b"good"
            dataset.refresh()
            fs = FluidFileSystem(skip_instance_cache=True)
            found = fs.find("default/data")
            assert "default/data/good.bin" in found
            for path in found:
                key = path.removeprefix("default/data/")
                assert fs.cat_file(path) == objects[key], ascii(key)
        assert tree_of(tmp_path) == before
        assert client.cache.verify() == []
