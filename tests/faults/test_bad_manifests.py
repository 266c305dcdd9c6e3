"""Manifests and addresses that are nearly right, or nothing at all: told with a sentence, never a bug, never stored."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from datafluid.client import connect
from datafluid.errors import DatafluidError
from datafluid.model.uri import FluidURI
from fluid_fsspec import FluidFileSystem
from tests.datasets import dataset_manifest, runtime_manifest

_GOOD = [
    dataset_manifest("data", "local:///nowhere/at/all", options={"region": "eu-west-1"}),
    runtime_manifest("data", Path("/nowhere/tier")),
    {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "DataLoad",
        "metadata": {"name": "load", "namespace": "default"},
        "spec": {
            "dataset": {"name": "data", "namespace": "default"},
            "target": [{"path": "/a", "replicas": 1}],
            "policy": "Cron",
            "schedule": "0 3 * * *",
        },
    },
]
_POISON: list[Any] = [
    None,
    "",
    0,
    -1,
    1 << 70,
    1.5,
    float("nan"),
    True,
    [],
    {},
    [[]],
    "\x1b[2J",
    "[/x]",
    "a" * 5_000,
    "../../..",
    "\0",
    "数据",
    "${HOME}",
    "99999999999Ei",
    {"valueFrom": {"secretKeyRef": {}}},
    [{"mountPoint": "x"}],
]


def _mutated(source: random.Random) -> Any:
    """A good manifest with one thing wrong, somewhere."""
    manifest: Any = copy.deepcopy(source.choice(_GOOD))
    place: Any = manifest
    while True:
        key = source.choice(list(place)) if isinstance(place, dict) else source.randrange(len(place))
        if isinstance(place[key], (dict, list)) and place[key] and source.random() < 0.75:
            place = place[key]
            continue
        match source.randrange(4):
            case 0:
                place[key] = copy.deepcopy(source.choice(_POISON))
            case 1:
                del place[key]
            case 2 if isinstance(place, dict):
                place[source.choice(["sparkle", "", "mountPiont", "Spec", "\x1b[31m", "a" * 300])] = place.pop(key)
            case _:
                place[key] = [place[key]] if source.random() < 0.5 else {"x": place[key]}
        return manifest


def _garbled(source: random.Random) -> bytes:
    """The text of good manifests with a few bytes wrong."""
    data = bytearray(yaml.safe_dump_all(_GOOD).encode())
    for _ in range(source.choice([1, 1, 3, 20])):
        place = source.randrange(len(data))
        match source.randrange(3):
            case 0:
                data[place] = source.randrange(256)
            case 1:
                del data[place : place + source.randrange(1, 30)]
            case 2:
                data[place:place] = source.choice([b"\t", b"---\n", b"&a ", b"*a", b"!!x ", b"{", b"'", b"\xff", b"\0"])
    return bytes(data)


def test_fuzzed_manifests(seed: int, long: bool) -> None:
    """One thing is wrong: what passes lint can be applied or is refused with a reason; nothing else ever happens."""
    source, client = random.Random(seed), connect()
    refused = 0
    for turn in range(10_000 if long else 300):
        manifest = _mutated(source)
        errors = [finding for finding in client.lint(manifest) if finding.severity == "error"]
        really = turn % 5 == 0
        try:
            applied = client.apply(manifest, dry_run=not really, replace=True)
        except DatafluidError as error:
            refused += 1
            assert str(error).strip(), turn
        else:
            assert errors == [], f"turn {turn}: {manifest}"
            for ref in applied.refs if really else ():
                client.plane.delete(ref)
    assert refused > 50
    assert client.datasets() == []


@pytest.mark.parametrize("kind", ["Dataset", "AlluxioRuntime", "DataLoad", "DataMigrate"])
def test_an_object_without_a_spec_is_harmless(kind: str, tmp_path: Path) -> None:
    """Fluid's definitions allow it; whatever becomes of it, the others in the home go on."""
    client = connect()
    try:
        client.apply({"apiVersion": "data.fluid.io/v1alpha1", "kind": kind, "metadata": {"name": "bare"}})
    except DatafluidError as error:
        assert str(error)
    (tmp_path / "a.bin").write_bytes(b"a")
    client.apply(dataset_manifest("data", f"local://{tmp_path}"))
    assert client.dataset("data").wait(timeout=60).phase == "Bound"
    client.run_due()
    assert [each.name for each in client.datasets() if each.name != "bare"] == ["data"]


def test_garbled_text(seed: int, long: bool, tmp_path: Path) -> None:
    """Broken YAML is an error of ours, with a sentence, and lint does not stumble over it."""
    source, client = random.Random(seed), connect()
    file = tmp_path / "broken.yaml"
    refused = 0
    for turn in range(10_000 if long else 100):
        file.write_bytes(_garbled(source))
        client.lint(file)
        try:
            client.apply(file, dry_run=True)
        except DatafluidError as error:
            refused += 1
            assert str(error).strip(), turn
    assert refused > 20


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0",
        b"\xff\xfe\x00d",
        b"{" * 10_000,
        b"- " * 5_000,
        b"a: &a [*a]",
        b"a: *b",
        b"a: &x [1]\n" + b"b: [" + b"*x," * 10_000 + b"]",
        b"!!python/object/apply:os.system ['true']",
        b"kind: Dataset\nkind: DataLoad",
        b"---\n" * 1_000,
        b"? [a]\n: b",
        b"a: 2026-99-99",
        b"a: .nan",
        b"\xef\xbb\xbfkind: Dataset",
        b"a: " + b"9" * 10_000,
        b"just text",
        b"[1, 2]",
    ],
    ids=lambda text: ascii(text[:20].decode("latin-1")),
)
def test_texts_that_are_no_manifest(text: bytes, tmp_path: Path) -> None:
    """Refused quickly, with a finding, or empty; nothing is executed and nothing grows."""
    file = tmp_path / "text.yaml"
    file.write_bytes(text)
    client = connect()
    findings = client.lint(file)
    try:
        applied = client.apply(file)
    except DatafluidError:
        assert any(finding.severity == "error" for finding in findings)
    else:
        assert applied.refs == ()


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/",
        "//",
        "fluid:",
        "fluid://",
        "fluid:///",
        "fluid://a",
        "fluid://a/",
        "fluid://a//b",
        "fluid://a/b/../../c",
        "fluid://a/b/..",
        "fluid://A/b",
        "fluid://a/b?x=1",
        "fluid://a/b#x",
        "fluid://user:pw@a/b/c",
        "fluid://a:80/b",
        "fluid://a/b/c::file:///etc/passwd",
        "fluid://[::1]/b",
        "fluid://a/b/\0",
        "fluid://a/b/\n",
        "fluid://a/b/" + "x" * 10_000,
        "fluid://a/b/%2e%2e/%2e%2e/etc/passwd",
        "fluid://..%2f/b",
        "fluid://a/b/\ud800",
        "s3://bucket/x",
        "file:///etc/passwd",
        "../../etc/passwd",
        "\x1b[2J",
        "[/x]",
    ],
    ids=ascii,
)
def test_odd_addresses(uri: str) -> None:
    """Parsed, or an error of ours, or an OSError; a path never climbs out of its dataset."""
    for ask in (FluidURI.parse, lambda text: connect().dataset(text)):
        try:
            parsed = ask(uri)
        except (DatafluidError, ValueError) as error:
            assert str(error)
        else:
            assert ".." not in getattr(parsed, "path", "").split("/")
    fs = FluidFileSystem(skip_instance_cache=True)
    for verb in (fs.cat_file, fs.info, fs.ls, fs.open, fs.exists, fs.explain):
        try:
            found = verb(uri)
        except (DatafluidError, OSError, ValueError) as error:
            assert str(error)
        else:
            assert found is not None
