"""What Fluid's real controllers left behind is diagnosed for what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datafluid.diagnosis import Diagnosis, collect, diagnose
from datafluid.model.ref import Ref, qualified_kind
from datafluid.testing import InMemoryPlane

RECORDED = Path(__file__).parents[3] / "shared" / "reference" / "fluid" / "transcripts"
pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="needs the transcripts of Fluid in ../shared/reference/fluid/transcripts"
)

#: Transcript, second, dataset, the cause that must come first ("" for none).
MOMENTS = [
    ("01-thin-bound", 50, "s01/demo", ""),
    ("02-reference-dataset", 5, "s02-ref/ref", ""),
    ("02-reference-dataset", 75, "s02/demo", "referenced"),
    ("02-reference-dataset", 999, "s02-ref/refsub", "leaked-finalizer"),
    ("03-dataprocess-once", 999, "s03/demo", "failed"),
    ("04b-dataprocess-cron-failing", 240, "s04b/demo", "runs-fail"),
    ("05-notsupported-on-thin", 999, "s05/demo", "unsupported"),
    ("07-runafter", 100, "s07/demo", "waits-for"),
    ("08-onevent-loop", 20, "s08/demo", "on-event"),
    ("09a-delete-dataset-in-use", 20, "s09a/demo", "in-use"),
    ("09c-delete-dataset-with-operations", 60, "s09d/demo", "in-use"),
    ("10-notbound-then-runtime", 20, "s10/demo", "no-runtime"),
    ("11-names", 100, "s11/1demo", "bad-name"),
    ("11-names", 100, "s11/noprof", "no-profile"),
    ("11-names", 300, "s11/demo", "second-runtime"),
    ("16-juicefs-bound-and-ops", 60, "s16/jfs", ""),
    ("17a-alluxio-bound", 100, "s17a/demo", ""),
    ("17g-alluxio-no-capacity", 40, "s17g/nonode", "no-node-fits"),
    ("17g-alluxio-no-capacity", 40, "s17g/noquota", "no-quota"),
    ("17g-alluxio-no-capacity", 120, "s17g/ex2", "exclusive"),
    ("17k-alluxio-ha-apigateway", 60, "s17k/demo", ""),
    ("18-databackup-crash", 60, "s18/demo", "backup-crash"),
    ("22-webhook-denials", 20, "s20/other", "webhook-denied"),
    ("20-webhook-preferred", 999, "s20/demo", ""),
    ("28b-dataflow-affinity-dataload", 60, "s28b/demo", "helm-failure"),
]


def _objects(name: str, until: float) -> Iterator[dict[str, Any]]:
    """The objects that were there at a moment, as they were then."""
    there: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()[1:]
    for line in map(json.loads, lines):
        manifest = line["object"]
        metadata = manifest["metadata"]
        key = (line["kind"], metadata.get("namespace"), metadata["name"])
        if line["t"] > until:
            continue
        if line["event"] == "DELETED":
            there.pop(key, None)
        else:
            there[key] = {"kind": line["kind"], **manifest}
    yield from there.values()


def at(name: str, until: float, dataset: str) -> Diagnosis:
    """The diagnosis of a dataset at a moment of a transcript."""
    plane = InMemoryPlane(lively=False)
    for each in _objects(name, until):
        plane.put(each)
    namespace, _, bare = dataset.partition("/")
    return diagnose(collect(plane, Ref("Dataset", bare, namespace)))


@pytest.mark.parametrize(("name", "until", "dataset", "code"), MOMENTS)
def test_the_recorded_trouble_is_found(name: str, until: float, dataset: str, code: str) -> None:
    """The first cause is the one that the transcript is about; nothing is certain where nothing was wrong."""
    found = at(name, until, dataset)
    codes = [cause.code for cause in found.causes if cause.certain or code]
    assert codes[:1] == ([code] if code else []), found.text()


def test_kinds_of_the_transcripts_are_known() -> None:
    """Objects carry their apiVersion, which is how they are found again."""
    kinds = {qualified_kind(each["apiVersion"], each["kind"]) for each in _objects("17a-alluxio-bound", 100)}
    assert {"Dataset", "AlluxioRuntime", "v1/Pod", "apps/v1/StatefulSet", "v1/Event"} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.jsonl")), ids=lambda path: path.stem)
def test_no_moment_of_any_transcript_makes_it_fail(file: Path) -> None:
    """At twelve moments of each, for every dataset that was there: an answer, and a Bound one is not called unbound."""
    end = max(json.loads(line)["t"] for line in file.read_text().splitlines()[1:])
    for moment in range(1, 13):
        until = end * moment / 12
        for each in list(_objects(file.stem, until)):
            if each["kind"] == "Dataset":
                found = at(file.stem, until, f"{each['metadata']['namespace']}/{each['metadata']['name']}")
                codes = {cause.code for cause in found.causes if cause.certain}
                if found.picture.phase == "Bound":
                    assert not codes & {"no-runtime", "no-quota", "runtime-error", "bad-name", "controller-down"}
