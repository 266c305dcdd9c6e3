"""Trino and Presto: a catalog that names core-site.xml, in chart values and in plain Deployments.

Trino reads Hadoop's configuration only with ``fs.hadoop.enabled=true``. Presto ships Hadoop 2.7, which cannot
overload a scheme: there the same mount table is reached as ``viewfs://<namespace>/<dataset>``.
"""

from __future__ import annotations

from collections.abc import Mapping

from datafluid.model.plain import Path, as_list, as_map
from datafluid.workload.attachment import Attachment
from datafluid.workload.draft import Draft
from datafluid.workload.hadoop import CORE_SITE, add_config_map, core_site, mount_config, mount_file_source
from datafluid.workload.kind import WorkloadKind
from datafluid.workload.places import ContainerPlace, PodPlace

__all__ = ["attach_to_queries", "catalog_with"]

_RESOURCES = "hive.config.resources"
_READS_HADOOP = {
    "trino": ("hive", "iceberg", "delta_lake", "hudi"),
    "presto": ("hive-hadoop2", "hive", "iceberg", "delta", "hudi"),
}
_CATALOGS = {"trino": ("catalogs", "additionalCatalogs"), "presto": ("catalog",)}
_DIRECTORY = {"trino": "/etc/trino/catalog", "presto": "/opt/presto-server/etc/catalog"}
_NEW = {
    "trino": {
        "connector.name": "hive",
        "hive.metastore": "file",
        "hive.metastore.catalog.dir": "file:///tmp/fluid-metastore",
        "hive.non-managed-table-writes-enabled": "true",
        # A managed table's staging directory would be in the way of its own target.
        "hive.temporary-staging-directory-enabled": "false",
    },
    "presto": {
        "connector.name": "hive-hadoop2",
        "hive.metastore": "file",
        "hive.metastore.catalog.dir": "file:///tmp/fluid-metastore",
        "hive.non-managed-table-writes-enabled": "true",
    },
}
_NAME = "fluid"


def attach_to_queries(draft: Draft, kind: WorkloadKind | None, engine: str, attachment: Attachment) -> None:
    """Mount core-site.xml in every pod and name it in the catalogs that read Hadoop's file systems."""
    data = core_site(attachment.properties)
    add_config_map(draft, attachment.config_map, attachment.namespace, data, "core-site.xml.")
    for place, container in attachment.readers:
        mount_config(draft, place, container, attachment.config_map)
    if kind is not None and kind.kind in ("TrinoValues", "PrestoValues"):
        _mend_values(draft, engine)
    else:
        _add_catalog_file(draft, engine, attachment)
    if engine == "presto":
        draft.tell(
            "warning",
            "Presto's Hadoop 2.7 cannot overload a scheme: write viewfs://<namespace>/<dataset>/… where others write"
            " fluid://<namespace>/<dataset>/…; the mount table is the same.",
        )


def catalog_with(text: str, engine: str) -> tuple[str, str]:
    """A catalog's properties, so that it reads core-site.xml; and what is in the way, empty when nothing is.

    Example:
        >>> print(catalog_with("connector.name=hive", "trino")[0])
        connector.name=hive
        fs.hadoop.enabled=true
        hive.config.resources=/etc/datafluid/hadoop/core-site.xml
    """
    said = _properties(text)
    lines = text.splitlines()
    if engine == "trino" and said.get("fs.hadoop.enabled", "true") != "true":
        return text, "fs.hadoop.enabled is false, so it reads no Hadoop file system."
    if engine == "trino" and "fs.hadoop.enabled" not in said:
        lines.append("fs.hadoop.enabled=true")
    files = [file.strip() for file in said.get(_RESOURCES, "").split(",") if file.strip()]
    if not files:
        lines.append(f"{_RESOURCES}={CORE_SITE}")
    elif CORE_SITE not in files:
        added = f"{_RESOURCES}={','.join([*files, CORE_SITE])}"
        lines = [added if line.partition("=")[0].strip() == _RESOURCES else line for line in lines]
    return ("\n".join(lines) + "\n" * text.endswith("\n")) if lines != text.splitlines() else text, ""


def _properties(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _mend_values(draft: Draft, engine: str) -> None:
    found = False
    for name in _CATALOGS[engine]:
        for catalog, text in as_map(draft.look((name,))).items():
            if not isinstance(text, str) or _properties(text).get("connector.name") not in _READS_HADOOP[engine]:
                continue
            found = True
            mended, obstacle = catalog_with(text, engine)
            if obstacle:
                draft.tell("not done", obstacle, path=(name, catalog))
            else:
                draft.replace((name, catalog), mended, "the catalog reads core-site.xml; your lines are all there.")
    if not found:
        path: Path = (_CATALOGS[engine][0], _NAME)
        draft.put(path, _new_catalog(engine), "a catalog with the datasets; its metastore is a directory.")
        _tell_of_metastore(draft)


def _new_catalog(engine: str) -> str:
    return catalog_with("\n".join(f"{key}={value}" for key, value in _NEW[engine].items()) + "\n", engine)[0]


def _add_catalog_file(draft: Draft, engine: str, attachment: Attachment) -> None:
    name, file = attachment.named("fluid-catalog"), f"{_NAME}.properties"
    text = _new_catalog(engine)
    directory = _DIRECTORY[engine]
    free = [each for each in attachment.readers if not _has_mount(draft, each[1], directory)]
    for _, container in attachment.readers:
        if _has_mount(draft, container, directory):
            draft.tell(
                "not done",
                f"{directory} is a volume of yours, and no file can be mounted into it.",
                path=container.path,
                fix=f"Put {file} into it:\n{text}",
            )
    if not free:
        return
    add_config_map(draft, name, attachment.namespace, {file: text}, "a catalog with the datasets.")
    _tell_of_metastore(draft)
    for place, container in free:
        _mount_catalog(draft, place, container, {"config_map": name, "file": file, "directory": directory})


def _mount_catalog(draft: Draft, place: PodPlace, container: ContainerPlace, what: Mapping[str, str]) -> None:
    mount = {"mountPath": f"{what['directory']}/{what['file']}", "subPath": what["file"]}
    mount_file_source(draft, place, container, "fluid-catalog", what["config_map"], mount)


def _has_mount(draft: Draft, container: ContainerPlace, directory: str) -> bool:
    mounts = as_list(draft.look(container.at(container.shape.mounts)))
    return any(str(as_map(mount).get("mountPath")).rstrip("/") == directory for mount in mounts)


def _tell_of_metastore(draft: Draft) -> None:
    draft.tell(
        "note",
        "the new catalog's metastore is a directory of the coordinator: tables are forgotten with its pod.",
        fix="Set hive.metastore.uri, or hive.metastore.catalog.dir to a dataset that can be written.",
    )
