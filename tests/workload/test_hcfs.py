"""The ViewFs mount table: what Spark, Presto and Hive need to read ``fluid://``."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid import workload
from datafluid.errors import Invalid
from datafluid.workload.hcfs import Link, core_site_xml, spark_properties, view_fs_properties


def link(target: str, namespace: str = "default", dataset: str = "demo") -> Link:
    return Link(namespace=namespace, dataset=dataset, target=target)


def only_link(target: str) -> str:
    return view_fs_properties([link(target)])["fs.viewfs.mounttable.default.link./demo"]


def parse(xml: str) -> dict[str, str]:
    """What Hadoop reads from a core-site.xml."""
    root = ET.fromstring(xml)
    return {entry.findtext("name") or "": entry.findtext("value") or "" for entry in root.iter("property")}


def test_the_mount_table_is_the_one_that_was_proven_with_spark() -> None:
    """One table a namespace, one link a dataset, raw local files, renames across links."""
    links = [
        link("/mnt/fluid/default/demo"),
        link("file:///mnt/fluid/default/out", dataset="out"),
        link("alluxio://big-master-0.team:19998/", namespace="team", dataset="big"),
    ]
    assert view_fs_properties(links) == {
        "fs.fluid.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "fs.rawfile.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "fs.viewfs.rename.strategy": "SAME_FILESYSTEM_ACROSS_MOUNTPOINT",
        "fs.viewfs.mounttable.default.link./demo": "rawfile:///mnt/fluid/default/demo",
        "fs.viewfs.mounttable.default.link./out": "rawfile:///mnt/fluid/default/out",
        "fs.viewfs.mounttable.team.link./big": "alluxio://big-master-0.team:19998/",
    }
    assert view_fs_properties(reversed(links)) == view_fs_properties(links)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", "rawfile:///"),
        ("/mnt/a b", "rawfile:///mnt/a%20b"),
        ("/mnt/${user}", "rawfile:///mnt/%24%7Buser%7D"),
        ("/mnt/50%", "rawfile:///mnt/50%25"),
        ("/mnt/ü/", "rawfile:///mnt/%C3%BC"),
        ("file:/mnt/x", "rawfile:///mnt/x"),
        ("file:///mnt/x/", "rawfile:///mnt/x"),
        ("file://localhost/mnt/x", "rawfile:///mnt/x"),
        ("rawfile:///mnt/a%20b", "rawfile:///mnt/a%20b"),
        ("s3a://bucket", "s3a://bucket/"),
        ("s3a://bucket/pre/fix/", "s3a://bucket/pre/fix"),
        ("hdfs://nn:8020/data", "hdfs://nn:8020/data"),
        ("hdfs:///data", "hdfs:///data"),
    ],
)
def test_targets_become_uris_that_hadoop_can_parse(target: str, expected: str) -> None:
    """Paths are percent-encoded and never expanded as variables; URIs pass with their host."""
    assert only_link(target) == expected


@pytest.mark.parametrize(
    "target",
    ["", "mnt/x", "./x", "C:x", "fluid://default/demo", "FLUID://x/y", "viewfs://x/", "file://host/x", "s3a:"]
    + ["s3a://bucket/a b", "s3a://bucket/${x}", "/a\0b", "hdfs://x/\n", "://x"],
)
def test_targets_that_hadoop_would_choke_on_are_refused(target: str) -> None:
    """Where Hadoop answers with a NullPointerException, we answer with what to write."""
    with pytest.raises(Invalid) as caught:
        link(target)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "a\n", "-a", "a=b", "ä"])
def test_names_that_no_uri_can_carry_are_refused(name: str) -> None:
    """Names end up in property keys, so nothing but name characters passes."""
    with pytest.raises(Invalid):
        link("/mnt", namespace=name)
    with pytest.raises(Invalid):
        link("/mnt", dataset=name)


def test_one_dataset_has_one_place() -> None:
    """The same link twice is one; two places for one dataset are a mistake."""
    assert view_fs_properties([link("/mnt/x"), link("file:///mnt/x/")]) == view_fs_properties([link("/mnt/x")])
    with pytest.raises(Invalid, match="two places"):
        view_fs_properties([link("/mnt/x"), link("/mnt/y")])


def test_spark_gets_the_same_properties_with_its_prefix() -> None:
    """Spark hands ``spark.hadoop.*`` to Hadoop."""
    links = [link("/mnt/x")]
    assert spark_properties(view_fs_properties(links)) == {
        f"spark.hadoop.{k}": v for k, v in view_fs_properties(links).items()
    }
    assert workload.spark_properties is spark_properties


_value = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("<>&\"'\t\n\r"), max_size=40)


@given(st.dictionaries(_value.filter(bool), _value))
def test_core_site_says_what_it_was_given(properties: dict[str, str]) -> None:
    """Whatever the names and values, an XML parser reads the same ones back."""
    usable = {k: v for k, v in properties.items() if not any(c in "\ufffe\uffff" for c in k + v)}
    assert parse(core_site_xml(usable)) == usable


def test_core_site_refuses_what_xml_cannot_hold() -> None:
    """A control character would make the file unreadable for every program."""
    with pytest.raises(Invalid, match="XML"):
        core_site_xml({"a": "\x1b[31m"})


def test_the_proven_table_survives_xml() -> None:
    """The mount table goes through core-site.xml unchanged."""
    table = view_fs_properties([link("/mnt/a&b <c>")])
    assert parse(core_site_xml(table)) == table


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_every_absolute_path_keeps_its_meaning(tail: str) -> None:
    """Decoding the link's path gives the directory back."""
    path = f"/{tail}"
    parts = urlsplit(only_link(path))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("rawfile", "", "", "")
    assert unquote(parts.path) == (path.rstrip("/") or "/")
