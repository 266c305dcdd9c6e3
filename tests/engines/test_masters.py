"""A client of an Alluxio with several masters: the emitted link names them all, and one that lives is enough."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

import datafluid
from datafluid.workload import DatasetFacts, Topology
from tests.engines.alluxio import CLIENT, Alluxio
from tests.engines.maven import jars
from tests.engines.test_spark import run_spark, this_spark

pytestmark = pytest.mark.slow
_NOBODY = "127.0.0.9"  # nothing listens there


def test_the_third_master_is_found_when_the_others_are_away(alluxio: Alluxio, tmp_path: Path) -> None:
    """Fluid publishes the first master only; with that one alone the dataset would be gone here."""
    (alluxio.root / "three").mkdir()
    (alluxio.root / "three" / "words.txt").write_text("word\n" * 10)
    facts = DatasetFacts(
        namespace="team",
        name="words",
        runtime_type="alluxio",
        endpoint=f"alluxio://words-master-0.team:{alluxio.ports['master.rpc']}",
        masters=3,
    )
    job = datafluid.spark_submit(
        ["team/words,api=hcfs"], namespace="team", topology=Topology(datasets={"team/words": facts})
    )
    hosts = [f"words-master-{number}.team.svc.cluster.local" for number in range(3)]
    where = zip((_NOBODY, _NOBODY, "127.0.0.1"), hosts, strict=True)
    lines = [f"127.0.0.1 localhost {socket.gethostname()}", *(f"{address} {host}" for address, host in where)]
    (tmp_path / "hosts").write_text("\n".join(lines) + "\n")
    (client,) = jars(CLIENT).glob("alluxio-shaded-client-*.jar")
    around = {
        "spark.jars": str(client),
        "spark.driver.extraClassPath": str(client),
        "spark.driver.extraJavaOptions": f"-Djdk.net.hosts.file={tmp_path / 'hosts'} -Dalluxio.user.hostname=127.0.0.1",
    }
    told = run_spark("read", "fluid://team/words/three", {**job.properties, **around}, this_spark())
    assert told["lines"] == 10
