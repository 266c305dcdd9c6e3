"""Reports as values: what is worth telling again, and what is believed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.model.node_report import Disk, NodeReport, PageCache, TierFill

DISK = Disk(device="8:1", medium="SSD", filesystem="ext4", capacity=1000, free=500, mounts=("/", "/data"))
CACHE = PageCache(memory=1000, available=800, cached=100, dirty=0)
REPORT = NodeReport(
    node="n0",
    as_of="2026-01-01T00:00:00+00:00",
    disks=(DISK,),
    page_cache=CACHE,
    tiers=(TierFill(path="/data", quota=200, used=50, device="8:1"),),
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"as_of": "2027-01-01T00:00:00+00:00"}, False),
        ({"disks": (replace(DISK, free=451),)}, False),
        ({"disks": (replace(DISK, free=450),)}, True),
        ({"disks": ()}, True),
        ({"tiers": (replace(REPORT.tiers[0], used=59),)}, False),
        ({"tiers": (replace(REPORT.tiers[0], used=60),)}, True),
        ({"tiers": (replace(REPORT.tiers[0], used=None),)}, True),
        ({"page_cache": replace(CACHE, cached=149)}, False),
        ({"page_cache": replace(CACHE, cached=150)}, True),
        ({"page_cache": None}, True),
        ({"disks": (replace(DISK, capacity=2000),)}, True),
    ],
)
def test_five_percent_are_worth_telling(change: dict[str, object], told: bool) -> None:
    """Of the disk, of the quota, of the memory; and whatever comes or goes."""
    changed = replace(REPORT, **change)  # type: ignore[arg-type]
    assert changed.differs(REPORT) is told
    assert REPORT.differs(changed) is told


def test_the_config_map_is_tied_to_the_node() -> None:
    """What one node's agent wrote is not believed under another node's name."""
    manifest = REPORT.config_map()
    assert NodeReport.of_config_map(manifest) == REPORT
    manifest["metadata"]["name"] = "datafluid-node-n1"
    with pytest.raises(Invalid, match="another node"):
        NodeReport.of_config_map(manifest)


def _broken() -> list[str]:
    whole = json.loads(REPORT.to_json())
    disk = whole["disks"][0]
    return [
        "",
        "[]",
        "null",
        "{",
        json.dumps({"node": "n0"}),
        json.dumps({**whole, "node": 7}),
        json.dumps({**whole, "disks": [{**disk, "free": -1}]}),
        json.dumps({**whole, "disks": [{**disk, "free": True}]}),
        json.dumps({**whole, "disks": [{**disk, "mounts": [1]}]}),
        json.dumps({**whole, "disks": ["x"]}),
        json.dumps({**whole, "disks": [{key: disk[key] for key in ("device", "free")}]}),
        json.dumps({**whole, "tiers": [{"path": "/x", "used": "1"}]}),
        "[" * 100_000,
    ]


@pytest.mark.parametrize("text", _broken(), ids=range(len(_broken())))
def test_nonsense_is_refused(text: str) -> None:
    """Whatever stands in a ConfigMap is an error of ours and nothing worse."""
    with pytest.raises(Invalid, match="no report"):
        NodeReport.parse(text)


def test_what_a_newer_agent_adds_is_left_out() -> None:
    """Fields that this version does not know."""
    data = json.loads(REPORT.to_json())
    data["disks"][0]["wear"] = 3
    data["colour"] = "red"
    assert NodeReport.parse(json.dumps(data)) == REPORT


_KEYS = ["node", "as_of", "disks", "tiers", "page_cache", "mounts", "device"]


def _nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner) | st.dictionaries(st.sampled_from(_KEYS) | st.text(), inner)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _nested))
def test_any_json_is_a_report_or_refused(data: object) -> None:
    """Never another exception."""
    try:
        NodeReport.parse(json.dumps(data))
    except Invalid:
        return
