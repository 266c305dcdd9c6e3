"""Real Spark reads and writes ``fluid://`` with exactly what `datafluid.spark_submit` emits."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datafluid
from datafluid.engine.understore.alluxio_store import AlluxioStore
from datafluid.workload import DatasetFacts, Topology
from tests.cluster.processes import eventually
from tests.engine.understore.test_conformance import whole
from tests.engines.alluxio import CLIENT, Alluxio
from tests.engines.hadoop import older_pyspark
from tests.engines.maven import jars

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).with_name("spark_program.py")
HOST = "words-master-0.team.svc.cluster.local"


def run_spark(what: str, root: str, properties: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, Any]:
    """What the program says."""
    command = [sys.executable, str(PROGRAM), what, root, json.dumps(dict(properties))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def this_spark() -> Mapping[str, str]:
    """The Spark of the development set."""
    return os.environ | {"PYSPARK_PYTHON": sys.executable}


@pytest.mark.parametrize(
    ("environment", "hadoop"), [(this_spark, "3.5"), (older_pyspark, "3.3")], ids=["Hadoop 3.5", "Hadoop 3.3"]
)
def test_a_mounted_dataset_is_read_and_written(tmp_path: Path, environment: Any, hadoop: str) -> None:
    """Stock jars do it, on both Hadoops; no checksum files are left beside the data."""
    for part in (1, 2):
        directory = tmp_path / "mount" / "in" / f"part={part}"
        directory.mkdir(parents=True)
        pd.DataFrame({"value": range(5 * part)}).to_parquet(directory / "rows.parquet")
    use = datafluid.DatasetUse("team/table", api="hcfs", via="mount", mount_path=str(tmp_path / "mount"))
    job = datafluid.spark_submit([use], namespace="team")

    told = run_spark("read_and_write", "fluid://team/table", job.properties, environment())

    assert told["hadoop"].startswith(hadoop)
    assert (told["read"], told["pruned"], told["appended"], told["overwritten"]) == (15, 5, 16, 3)
    assert told["one part"]["1"] == 1
    assert told["text"] == ["alpha", "beta"]
    assert all(name.startswith("fluid://team/table/in/part=") for name in told["names"])
    assert not list((tmp_path / "mount").rglob("*.crc"))


@pytest.mark.parametrize("volume", ["hostPath", "emptyDir"])
def test_alluxio_is_read_in_short_circuit_where_its_directories_can_be_mounted(
    alluxio: Alluxio, tmp_path: Path, volume: str
) -> None:
    """Alluxio's counters tell who read: the client, or the worker for it. Block locations reach Spark's scheduler."""
    name = f"words-{volume.lower()}"
    (alluxio.root / name).mkdir()
    (alluxio.root / name / "words.txt").write_text("word\n" * 50_000)
    tier = {"mediumtype": "MEM", "path": str(alluxio.tier), "quota": "256Mi", "volumeType": volume}
    facts = DatasetFacts(
        namespace="team",
        name="words",
        runtime_type="alluxio",
        runtime={"tieredstore": {"levels": [tier]}},
        endpoint=f"alluxio://words-master-0.team:{alluxio.ports['master.rpc']}",
    )
    topology = Topology(datasets={"team/words": facts}, pod_security={"team": "privileged"})
    job = datafluid.spark_submit(["team/words,api=hcfs"], namespace="team", topology=topology)
    (client,) = jars(CLIENT).glob("alluxio-shaded-client-*.jar")
    (tmp_path / "hosts").write_text(f"127.0.0.1 {HOST} localhost {socket.gethostname()}\n")
    # What a pod has by itself: the client's jar, the cluster's names, and from Alluxio's ConfigMap its address.
    around = {
        "spark.jars": str(client),
        "spark.driver.extraClassPath": str(client),
        "spark.driver.extraJavaOptions": f"-Djdk.net.hosts.file={tmp_path / 'hosts'}"
        " -Dalluxio.user.hostname=127.0.0.1 -Dalluxio.user.metrics.collection.enabled=true"
        " -Dalluxio.user.metrics.heartbeat.interval=1sec",
    }
    store = AlluxioStore(f"http://{alluxio.gateway}")
    store.read(whole(store.stat(f"{name}/words.txt")))  # now it is cached
    before = counters(alluxio)

    told = run_spark("read", f"fluid://team/words/{name}", {**job.properties, **around}, this_spark())

    assert told["lines"] == 50_000
    assert told["hosts"] == ["127.0.0.1"], "where the block is cached, Spark wants to run"
    eventually(lambda: sum(counters(alluxio)) > sum(before))  # the master is told by heartbeats
    local, remote = (now - then for now, then in zip(counters(alluxio), before, strict=True))
    if volume == "hostPath":
        assert local > 0
    else:
        assert local == 0
        assert remote > 0
        assert any("emptyDir" in entry.message for entry in job.report)


def counters(alluxio: Alluxio) -> tuple[int, int]:
    """Bytes that clients read themselves, and that workers sent them, by the master's count."""
    url = f"http://127.0.0.1:{alluxio.ports['master.web']}/metrics/json/"
    with urllib.request.urlopen(url, timeout=20) as answer:
        found = json.load(answer)["counters"]
    return found["Cluster.BytesReadLocal"]["count"], found["Cluster.BytesReadRemote"]["count"]
