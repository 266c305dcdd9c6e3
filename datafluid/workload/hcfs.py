"""``fluid://`` for Hadoop: Spark, Presto, Trino, Hive and ``hadoop fs`` read datasets through ViewFs.

Hadoop's own ``ViewFileSystemOverloadScheme`` maps ``fluid://<namespace>/<dataset>/…`` onto whatever holds the
bytes: a mounted PVC, ``alluxio://``, ``s3a://``. It is in every Hadoop 3 client, so no jar is needed: the
namespace is the name of a mount table, each dataset a link in it.

Directories are linked as ``rawfile:``, a second name for Hadoop's raw local file system. ``file:`` would
write ``.crc`` files beside the data and then refuse every file that somebody else changed; and making
``file:`` itself raw breaks ``sc.textFile``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from datafluid.errors import Invalid
from datafluid.model.uri import SCHEME

__all__ = ["Link", "core_site_xml", "spark_properties", "view_fs_properties"]

_RAW = "rawfile"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_URI = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*):((?://[^/\x00-\x20<>\"{}|\\^`]*)?)((?:/[^\x00-\x20<>\"{}|\\^`]*)?)", re.ASCII
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BASE = {
    f"fs.{SCHEME}.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
    f"fs.{_RAW}.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    # Without it no engine could rename a result from its staging directory into another dataset.
    "fs.viewfs.rename.strategy": "SAME_FILESYSTEM_ACROSS_MOUNTPOINT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One dataset and where a Hadoop client finds its bytes.

    Args:
        namespace: The dataset's namespace.
        dataset: The dataset's name.
        target: An absolute path that exists on the driver and every executor, or a URI with a scheme that
            the client can load (``alluxio://``, ``s3a://``, ``hdfs://``, ``file:///``).
        path: What of the dataset is there, when it is not all of it.

    Raises:
        Invalid: a name that no URI can carry, a relative path, or a target that is ``fluid:`` again.

    Example:
        >>> Link(namespace="team", dataset="flights", target="/mnt/flights").target
        '/mnt/flights'
    """

    namespace: str
    dataset: str
    target: str
    path: str = ""

    def __post_init__(self) -> None:
        for name in (self.namespace, self.dataset):
            if not _NAME.fullmatch(name):
                raise Invalid(
                    f"{name!r} cannot stand in a {SCHEME}:// URI.",
                    hint="Use letters, digits, dashes and dots, as Kubernetes does.",
                )
        _hadoop_uri(self.target)


def view_fs_properties(links: Iterable[Link]) -> dict[str, str]:
    """The Hadoop properties that make ``fluid://`` work for these datasets.

    Only link what is mounted: a link to a missing directory makes ``-ls fluid://<namespace>/`` fail for all.
    A URI without a namespace, ``fluid:///x``, means the namespace ``default`` to Hadoop.

    Args:
        links: The datasets. The same link twice is one.

    Returns:
        Property names and values, for ``core-site.xml``; the same for any order of the links.

    Raises:
        Invalid: one dataset has two targets.

    Example:
        >>> table = view_fs_properties([Link(namespace="team", dataset="demo", target="/mnt/fluid/team/demo")])
        >>> table["fs.viewfs.mounttable.team.link./demo"]
        'rawfile:///mnt/fluid/team/demo'
    """
    table: dict[str, str] = {}
    for link in sorted(links, key=lambda link: (link.namespace, link.dataset, link.path)):
        below = f"/{link.path.strip('/')}" if link.path else ""
        key = f"fs.viewfs.mounttable.{link.namespace}.link./{link.dataset}{below}"
        target = _hadoop_uri(link.target)
        if table.setdefault(key, target) != target:
            raise Invalid(
                f"the dataset {link.namespace}/{link.dataset}{below} is linked to two places.",
                hint="Keep one of them.",
            )
    return {**_BASE, **table}


def spark_properties(properties: Mapping[str, str]) -> dict[str, str]:
    """Hadoop properties as Spark wants them: it passes on what begins with ``spark.hadoop.``.

    Example:
        >>> spark_properties({"fs.s3a.path.style.access": "true"})
        {'spark.hadoop.fs.s3a.path.style.access': 'true'}
    """
    return {f"spark.hadoop.{name}": value for name, value in properties.items()}


def core_site_xml(properties: Mapping[str, str]) -> str:
    """A ``core-site.xml`` with these properties, for ``HADOOP_CONF_DIR`` or ``hive.config.resources``.

    Raises:
        Invalid: a character that XML cannot hold.

    Example:
        >>> print(core_site_xml({"a": "<b>"}))
        <?xml version="1.0" encoding="UTF-8"?>
        <configuration>
          <property><name>a</name><value>&lt;b&gt;</value></property>
        </configuration>
        <BLANKLINE>
    """
    rows = [
        f"  <property><name>{_text(name)}</name><value>{_text(value)}</value></property>"
        for name, value in properties.items()
    ]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<configuration>", *rows, "</configuration>", ""])


def _text(value: str) -> str:
    if _NOT_XML.search(value):
        raise Invalid(f"{value[:80]!r} has a character that XML cannot hold.", hint="Remove it.")
    return escape(value, {"\r": "&#13;"})


def _hadoop_uri(target: str) -> str:
    """The target as a URI with a scheme; ViewFs fails on anything else with a NullPointerException."""
    if target.startswith("/") and "\0" not in target:
        return f"{_RAW}://" + quote(_trim(target), safe="/:@!&'()*+,;=~", errors="surrogateescape")
    matched = _URI.fullmatch(target)
    if matched is None or not (matched[2] or matched[3]):
        raise Invalid(
            f"{target[:200]!r} is no place that Hadoop could link to.",
            hint="Give an absolute path or a URI with a scheme, percent-encoded.",
        )
    scheme = matched[1].lower()
    if scheme in (SCHEME, "viewfs"):
        raise Invalid(f"{target[:200]!r} would link to a link.", hint="Link to the place that holds the bytes.")
    if scheme in ("file", _RAW):
        return f"{_RAW}://{_local_path(matched[2], matched[3], target)}"
    return f"{matched[1]}:{matched[2]}{_trim(matched[3])}"


def _local_path(authority: str, path: str, target: str) -> str:
    if authority not in ("", "//", "//localhost"):
        raise Invalid(f"{target[:200]!r} names a host, which a file cannot.", hint="Write file:///path.")
    return _trim(path)


def _trim(path: str) -> str:
    return path.rstrip("/") or "/"
