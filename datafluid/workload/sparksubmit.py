"""``spark-submit`` on Kubernetes: a properties file, a pod template for the driver and one for executors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from datafluid.workload.injection import Mode
from datafluid.workload.report import Entry, Report
from datafluid.workload.topology import Topology
from datafluid.workload.uses import DatasetUse
from datafluid.workload.wrapping import wrap

__all__ = ["SparkSubmit", "spark_submit"]

_PLACES = {
    "spec.driverSpec.podTemplateSpec": "driver",
    "spec.executorSpec.podTemplateSpec": "executor",
    "spec.sparkConf": "properties",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSubmit:
    """What ``spark-submit`` must be given.

    Args:
        properties: Spark's properties, without those that name the templates' files.
        driver: The driver's pod template.
        executor: The executors'.
        extras: Objects to apply before.
        report: What was done and what could not be.

    Example:
        >>> job = spark_submit(["team/flights,api=hcfs"], namespace="team")
        >>> sorted(job.files("/tmp/job"))
        ['/tmp/job/driver.yaml', '/tmp/job/executor.yaml', '/tmp/job/spark.properties']
    """

    properties: Mapping[str, str]
    driver: dict[str, Any]
    executor: dict[str, Any]
    extras: tuple[dict[str, Any], ...] = ()
    report: Report = field(default_factory=Report)

    def files(self, directory: str) -> dict[str, str]:
        """The files by their paths, for ``spark-submit --properties-file <directory>/spark.properties``."""
        from datafluid.model.manifest import dump

        base = directory.rstrip("/")
        templates = {role: f"{base}/{role}.yaml" for role in ("driver", "executor")}
        named = {f"spark.kubernetes.{role}.podTemplateFile": path for role, path in templates.items()}
        lines = [f"{_escaped(key, ' :=')} {_escaped(value)}\n" for key, value in {**self.properties, **named}.items()]
        return {
            f"{base}/spark.properties": "".join(lines),
            templates["driver"]: dump([self.driver]),
            templates["executor"]: dump([self.executor]),
        }


def spark_submit(
    uses: Iterable[DatasetUse | str],
    *,
    namespace: str = "default",
    properties: Mapping[str, str] | None = None,
    driver: Mapping[str, Any] | None = None,
    executor: Mapping[str, Any] | None = None,
    topology: Topology | None = None,
    mode: Mode = "csi",
) -> SparkSubmit:
    """What ``spark-submit`` needs so that driver and executors see datasets and run where they are cached.

    The driver never waits for a node with cache: it reads little. Executors do as the uses say, those of dynamic
    allocation too. Properties reach driver and executors alike, in cluster mode and in client mode.

    Args:
        uses: The datasets; with ``api=hcfs`` they are ``fluid://`` to Spark.
        namespace: Where the pods will run.
        properties: Your own Spark properties; they stay.
        driver: Your own pod template of the driver; it stays.
        executor: Your own of the executors; it stays.
        topology: What is known of datasets and nodes.
        mode: As `datafluid.wrap` has it.

    Raises:
        Invalid: see `datafluid.wrap`.

    Example:
        >>> job = spark_submit(["team/flights,api=hcfs,locality=require"], namespace="team")
        >>> job.properties["spark.hadoop.fs.viewfs.mounttable.team.link./flights"]
        'rawfile:///mnt/fluid/team/flights'
        >>> job.executor["spec"]["containers"][0]["name"]
        'spark-kubernetes-executor'
    """
    application: dict[str, Any] = {
        "apiVersion": "spark.apache.org/v1",
        "kind": "SparkApplication",
        "metadata": {"name": "spark", "namespace": namespace},
        "spec": {
            "sparkConf": {**(properties or {}), "spark.kubernetes.namespace": namespace},
            "driverSpec": {"podTemplateSpec": dict(driver or {})},
            "executorSpec": {"podTemplateSpec": dict(executor or {})},
        },
    }
    wrapped = wrap(application, uses, topology=topology, mode=mode)
    spec = wrapped.manifest["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod"}
    return SparkSubmit(
        properties=spec["sparkConf"],
        driver={**pod, **spec["driverSpec"]["podTemplateSpec"]},
        executor={**pod, **spec["executorSpec"]["podTemplateSpec"]},
        extras=wrapped.extras,
        report=Report(tuple(_placed(entry) for entry in wrapped.report if "no suspend" not in entry.message)),
    )


def _placed(entry: Entry) -> Entry:
    """The entry with the path in the template or the properties, not in the manifest that stood for them."""
    for long, short in _PLACES.items():
        if entry.path.startswith(long):
            return replace(entry, path=short + entry.path.removeprefix(long))
    return entry


def _escaped(text: str, separators: str = "") -> str:
    """As Java reads a properties file."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    for each in separators:
        escaped = escaped.replace(each, f"\\{each}")
    return escaped
