"""What importing costs: heavy libraries come in where they are used, and never for a warm read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from datafluid.client import Client
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_HEAVY = ("kubernetes", "airflow", "kfp", "ipywidgets", "obstore", "pandas", "pyarrow", "pydantic")
_TELL = "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def _modules_after(code: str) -> set[str]:
    """The top-level modules that a new process has after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", code + _TELL],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import fluid_fsspec",
        "import datafluid",
        "import fluid_fsspec; fluid_fsspec.FluidFileSystem()",
        "import fsspec; fsspec.get_filesystem_class('fluid')",
        "import datafluid.errors",
    ],
)
def test_importing_is_light(code: str) -> None:
    """Importing the packages, or making a filesystem, brings in no heavy library."""
    modules = _modules_after(code)
    assert modules & {"datafluid", "fluid_fsspec"}
    assert not modules & set(_HEAVY)


def test_a_load_brings_in_what_it_needs() -> None:
    """Its process starts for each load: what it imports is waited for."""
    load = "from datafluid.engine import loader, worker; from datafluid.engine.understore import obstore_store"
    modules = _modules_after(f"import apsw, obstore; {load}")
    assert "obstore" in modules
    assert not modules & {"pydantic", "rich", "logging", "concurrent", "http", "ssl", "xml", "tempfile", "subprocess"}


_READS = {
    "open": "with fs.open(path) as file: data = file.read()",
    "cat_file": "data = fs.cat_file(path)",
    "read_ranges": "(data,) = fs.read_ranges(path, [(0, 11)])",
    "cat_ranges": "(data,) = fs.cat_ranges([path], 0, 11)",
    "local_path": "data = open(fs.local_path(path), 'rb').read()",
    "fsspec.open": "import fsspec\nwith fsspec.open('fluid://' + path) as file: data = file.read()",
    "info and ls": "assert fs.info(path)['size'] == fs.ls('default/light')[0]['size']; data = b'hello world'",
}


def _modules_after_warm_read(read: str, client: Client, bucket: Bucket) -> set[str]:
    """The modules of a process that reads a file which another one has declared and loaded."""
    bucket.put("file.txt", b"hello world")
    apply_bucket_dataset(client, bucket, "light").load().wait(timeout=60)
    before = len(bucket.gets())
    found = _modules_after(
        "from fluid_fsspec import FluidFileSystem\n"
        "fs, path = FluidFileSystem(), 'default/light/file.txt'\n"
        f"{_READS[read]}\n"
        "assert data == b'hello world', data"
    )
    assert len(bucket.gets()) == before
    return found


@pytest.mark.parametrize("read", list(_READS))
def test_a_warm_read_needs_no_models(read: str, client: Client, bucket: Bucket) -> None:
    """A process that only reads cached files makes no request and imports no models and no Arrow."""
    modules = _modules_after_warm_read(read, client, bucket)
    assert not modules & (set(_HEAVY) - {"obstore"})


@pytest.mark.slow
@pytest.mark.parametrize("read", list(_READS))
def test_a_warm_read_needs_no_store(read: str, client: Client, bucket: Bucket) -> None:
    """A process that only reads cached files does not import the under-stores' library either."""
    assert "obstore" not in _modules_after_warm_read(read, client, bucket)


def test_a_cold_read_needs_no_models(client: Client, bucket: Bucket) -> None:
    """A read that fetches imports the store's library, but still no pydantic."""
    bucket.put("file.txt", b"hello world")
    apply_bucket_dataset(client, bucket, "light")
    modules = _modules_after(
        "from fluid_fsspec import FluidFileSystem\n"
        "assert FluidFileSystem().cat_file('default/light/file.txt') == b'hello world'"
    )
    assert "obstore" in modules
    assert not modules & (set(_HEAVY) - {"obstore"})
