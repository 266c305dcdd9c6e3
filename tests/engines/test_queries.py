"""Real Trino queries and writes ``fluid://`` with the catalog that `wrap` emits; Presto's own Hadoop reads ``viewfs://``."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datafluid
from datafluid.errors import DatafluidError
from tests.engines.hadoop import presto_shell
from tests.engines.trino import running_trino

pytestmark = pytest.mark.slow
DIRECTORY = "/etc/datafluid/hadoop"
METASTORE = "file:///tmp/fluid-metastore"


def placed(text: str, base: Path) -> str:
    """As it is in the pod, where volumes are mounted: here they are below a directory of the test."""
    return text.replace(DIRECTORY, str(base / "hadoop")).replace(METASTORE, f"file://{base / 'metastore'}")


def uses(base: Path) -> list[datafluid.DatasetUse]:
    """A dataset to read and one to write, mounted below a directory of the test."""
    return [
        datafluid.DatasetUse(f"team/{name}", api="hcfs", via="mount", mount_path=str(base / name))
        for name in ("table", "out")
    ]


def core_site(wrapped: datafluid.Wrapped, base: Path) -> Path:
    """The directory with the emitted core-site.xml."""
    (found,) = (each for each in wrapped.extras if "core-site.xml" in each.get("data", {}))
    (base / "hadoop").mkdir()
    (base / "hadoop" / "core-site.xml").write_text(found["data"]["core-site.xml"])
    return base / "hadoop"


def query(server: str, statement: str) -> list[list[Any]]:
    """The rows of a statement, by Trino's protocol: post it, then follow nextUri."""
    headers = {"X-Trino-User": "test", "X-Trino-Catalog": "fluid", "X-Trino-Schema": "team"}
    request = urllib.request.Request(f"{server}/v1/statement", statement.encode(), headers)
    rows: list[list[Any]] = []
    while True:
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        if "error" in told:
            raise DatafluidError(f"{statement}: {told['error']['message']}")
        rows += told.get("data", [])
        if "nextUri" not in told:
            return rows
        request = urllib.request.Request(told["nextUri"], headers=headers)


def test_trino_queries_and_writes(tmp_path: Path) -> None:
    """An external table over files that others wrote, a table of its own, inserts; every path is ``fluid://``."""
    (tmp_path / "table" / "rows").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    pd.DataFrame({"value": range(100)}).to_parquet(tmp_path / "table" / "rows" / "1.parquet")
    wrapped = datafluid.wrap({"server": {"workers": 0}, "coordinator": {}, "worker": {}}, uses(tmp_path))
    catalog = placed(wrapped.manifest["catalogs"]["fluid"], tmp_path)
    core_site(wrapped, tmp_path)

    with running_trino(tmp_path / "trino", {"fluid": catalog}) as server:
        query(server, "CREATE SCHEMA fluid.team")
        query(
            server,
            "CREATE TABLE rows (value BIGINT) WITH (format = 'PARQUET', external_location = 'fluid://team/table/rows')",
        )
        assert query(server, "SELECT count(*), sum(value) FROM rows") == [[100, 4950]]
        ((name,),) = query(server, 'SELECT DISTINCT "$path" FROM rows')
        assert name == "fluid://team/table/rows/1.parquet"
        query(
            server,
            "CREATE TABLE doubled WITH (format = 'PARQUET', external_location = 'fluid://team/out/doubled')"
            " AS SELECT value * 2 AS value FROM rows",
        )
        query(server, "INSERT INTO doubled SELECT value FROM rows WHERE value < 10")
        assert query(server, "SELECT count(*), max(value) FROM doubled") == [[110, 198]]
    written = pd.concat(pd.read_parquet(file) for file in (tmp_path / "out" / "doubled").iterdir())
    assert len(written) == 110
    assert any("applying this replaces its pods" in entry.message for entry in wrapped.report)


def test_prestos_own_hadoop_reads_the_same_mount_table(tmp_path: Path) -> None:
    """As ``viewfs://``: its Hadoop 2.7 cannot overload a scheme, and the report says so."""
    (tmp_path / "table").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "table" / "a.txt").write_text("alpha\n")
    wrapped = datafluid.wrap({"coordinator": {}, "worker": {}, "catalog": {}}, uses(tmp_path))
    configuration = core_site(wrapped, tmp_path)

    read = presto_shell(configuration, "-cat", "viewfs://team/table/a.txt")
    assert read.stdout == "alpha\n", read.stderr[-2000:]
    copied = presto_shell(configuration, "-cp", "viewfs://team/table/a.txt", "viewfs://team/out/b.txt")
    assert copied.returncode == 0, copied.stderr[-2000:]
    assert (tmp_path / "out" / "b.txt").read_text() == "alpha\n"
    refused = presto_shell(configuration, "-ls", "fluid://team/table")
    assert refused.returncode != 0
    assert any("viewfs://" in entry.message for entry in wrapped.report)
