"""How each Hadoop consumer gets its configuration: one function each, and the rule which one a workload is.

Spark takes properties, Trino and Presto a file that their catalogs name, Flink settings of its own, everything
else the directory in HADOOP_CONF_DIR.
"""

from __future__ import annotations

from collections.abc import Sequence

from datafluid.model.plain import Path, as_list, as_map, as_text, look
from datafluid.workload.attachment import Attachment
from datafluid.workload.draft import Draft
from datafluid.workload.hadoop import CONFIG_DIRECTORY, add_config_map, core_site, mount_config
from datafluid.workload.hcfs import spark_properties
from datafluid.workload.kind import WorkloadKind
from datafluid.workload.layouts import SPARK_ROLE
from datafluid.workload.posix import add_variable
from datafluid.workload.queries import attach_to_queries

__all__ = ["attach", "engine_of"]

_HADOOP_CONF_DIR = "HADOOP_CONF_DIR"
_SPARK_GROUPS = ("sparkoperator.k8s.io", "spark.apache.org")


def engine_of(kind: WorkloadKind | None, images: Sequence[str]) -> str:
    """Which consumer a workload is: ``spark``, ``trino``, ``presto``, ``flink``, ``hive`` or ``any``.

    Args:
        kind: Its kind.
        images: The images of its containers: a Deployment of Trino is told by them.

    Example:
        >>> engine_of(None, ["registry.example/trinodb/trino:483"])
        'trino'
    """
    if kind is not None and kind.kind in ("TrinoValues", "PrestoValues"):
        return kind.kind.removesuffix("Values").lower()
    if kind is not None and kind.kind == "FlinkDeployment":
        return "flink"
    if kind is not None and kind.groups[0] in _SPARK_GROUPS:
        return "spark"
    names = {image.rpartition("/")[2].partition("@")[0].partition(":")[0] for image in images}
    for engine in ("trino", "presto", "hive"):
        if any(name == engine or name.startswith(f"{engine}-") for name in names):
            return engine
    return "any"


def attach(draft: Draft, kind: WorkloadKind | None, engine: str, attachment: Attachment) -> None:
    """Bring the configuration to its readers."""
    if engine == "spark" and kind is not None:
        _attach_to_spark(draft, kind, attachment)
    elif engine == "flink":
        for key, value in attachment.properties.items():
            draft.put(("spec", "flinkConfiguration", f"flink.hadoop.{key}"), value, "Flink hands it to Hadoop.")
    elif engine in ("trino", "presto"):
        attach_to_queries(draft, kind, engine, attachment)
    else:
        _attach_by_directory(draft, attachment)
        if engine == "hive":
            draft.tell("note", "tables keep their fluid:// locations, so HiveServer2 and the metastore both need this.")


def _attach_to_spark(draft: Draft, kind: WorkloadKind, attachment: Attachment) -> None:
    above: Path = ("spec", "template") if kind.kind == "ScheduledSparkApplication" else ("spec",)
    if kind.groups[0] == "spark.apache.org":
        for key, value in spark_properties(attachment.properties).items():
            draft.put((*above, "sparkConf", key), value, "Spark hands it to Hadoop, in driver and executors.")
    else:
        for key, value in attachment.properties.items():
            yours: Path = (*above, "sparkConf", f"spark.hadoop.{key}")  # hadoopConf would overrule it
            path = (*above, "hadoopConf", key) if draft.look(yours) is None else yours
            draft.put(path, value, "Spark hands it to Hadoop, in driver and executors.")
        if kind.templates[0].shape is SPARK_ROLE:
            _add_hadoop_config_map(draft, above, attachment)
    if _is_dynamic(draft, above):
        draft.tell("note", "executors that dynamic allocation adds later get the same volumes and the same affinity.")


def _add_hadoop_config_map(draft: Draft, above: Path, attachment: Attachment) -> None:
    """HADOOP_CONF_DIR for what runs beside Spark, unless there is one: hadoopConf is enough for Spark itself."""
    if draft.look((*above, "hadoopConfigMap")) not in (None, attachment.config_map) or _names_hadoop(draft, above):
        draft.tell("note", "your own Hadoop configuration stays; hadoopConf is laid over it.", path=above)
        return
    add_config_map(
        draft, attachment.config_map, attachment.namespace, core_site(attachment.properties), "core-site.xml."
    )
    draft.put(
        (*above, "hadoopConfigMap"),
        attachment.config_map,
        "the operator's webhook mounts it at /etc/hadoop/conf and sets HADOOP_CONF_DIR; Spark itself needs only"
        " hadoopConf. Take it away if the image has a HADOOP_CONF_DIR of its own.",
    )


def _names_hadoop(draft: Draft, above: Path) -> bool:
    if draft.look((*above, "sparkConf", "spark.kubernetes.hadoop.configMapName")):
        return True
    for role in ("driver", "executor"):
        if _HADOOP_CONF_DIR in as_map(draft.look((*above, role, "envVars"))):
            return True
        variables = as_list(draft.look((*above, role, "env")))
        if any(as_map(variable).get("name") == _HADOOP_CONF_DIR for variable in variables):
            return True
    return False


def _is_dynamic(draft: Draft, above: Path) -> bool:
    said = draft.look((*above, "sparkConf", "spark.dynamicAllocation.enabled"))
    return look(draft.data, (*above, "dynamicAllocation", "enabled")) is True or as_text(said) == "true"


def _attach_by_directory(draft: Draft, attachment: Attachment) -> None:
    data = core_site(attachment.properties)
    add_config_map(draft, attachment.config_map, attachment.namespace, data, "core-site.xml.")
    for place, container in attachment.readers:
        if not mount_config(draft, place, container, attachment.config_map):
            continue
        variable = {"name": _HADOOP_CONF_DIR, "value": CONFIG_DIRECTORY}
        if not add_variable(draft, container, variable, "by it Hadoop, Hive and Flink find core-site.xml."):
            draft.tell(
                "note",
                f"core-site.xml is in {CONFIG_DIRECTORY}; your HADOOP_CONF_DIR does not have it.",
                path=container.path,
                fix=f"Include it in yours: <xi:include href='{CONFIG_DIRECTORY}/core-site.xml'/>",
            )
