"""Laws of `wrap`: pure, idempotent, independent of order, and never losing what the user wrote. Every kind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.model.documents import parse
from datafluid.model.manifest import dump
from datafluid.model.plain import Path, dotted, look
from datafluid.model.weaving import woven
from datafluid.workload import DatasetUse, Topology, Wrapped, wrap
from datafluid.workload.injection import Mode
from tests.workload.manifests import manifests, templated, topologies, uses

modes: st.SearchStrategy[Mode] = st.sampled_from(["csi", "serverful", "serverless"])
laws = settings(
    max_examples=3 * settings().max_examples, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def wrapped_or_skip(manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology, mode: Mode) -> Wrapped:
    """A wrap; what it refuses (one dataset at two places) is no case for these laws."""
    try:
        return wrap(manifest, wanted, topology=topology, mode=mode)
    except Invalid:
        assume(False)
        raise


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from leaves(below, (*path, index))
    elif value is not None:
        yield path, value


@laws
@given(manifests, uses, topologies, modes)
def test_the_input_is_not_touched(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology, mode: Mode
) -> None:
    """Nor does the result share anything with it."""
    before = copy.deepcopy(manifest)
    wrapped = wrapped_or_skip(manifest, wanted, topology, mode)
    assert manifest == before
    wrapped.manifest.clear()
    for path, _ in leaves(before):
        assert look(manifest, path) == look(before, path)


@pytest.mark.slow
@laws
@given(manifests, uses, topologies, modes)
def test_wrapping_twice_is_wrapping_once(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology, mode: Mode
) -> None:
    """The result is a fixed point, and so is what goes with it; through YAML too."""
    once = wrapped_or_skip(manifest, wanted, topology, mode)
    (read,) = parse(dump([once.manifest]))
    assert read.data == once.manifest
    twice = wrap(read.data, wanted, topology=topology, mode=mode)
    assert twice.manifest == once.manifest
    assert twice.extras == once.extras


@laws
@given(manifests, uses, topologies, modes, st.randoms(use_true_random=False))
def test_the_order_of_uses_means_nothing(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology, mode: Mode, shuffle: Any
) -> None:
    """Same manifest, same extras, same report."""
    once = wrapped_or_skip(manifest, wanted, topology, mode)
    shuffled = [*wanted, *wanted]
    shuffle.shuffle(shuffled)
    assert wrap(manifest, shuffled, topology=topology, mode=mode) == once


@laws
@given(manifests, uses, topologies, modes)
def test_no_line_of_the_user_is_lost(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology, mode: Mode
) -> None:
    """Each value stands where it stood; a text that grew (a catalog) still has its lines, and is in the report."""
    wrapped = wrapped_or_skip(manifest, wanted, topology, mode)
    told = {entry.path for entry in wrapped.report.of("done")}
    for path, value in leaves(manifest):
        now = look(wrapped.manifest, path)
        if now != value:
            assert dotted(path) in told, dotted(path)
            assert set(value.splitlines()) <= set(now.splitlines())


@settings(max_examples=settings().max_examples // 2)
@given(manifests, uses, topologies)
def test_no_comment_of_the_user_is_lost(manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology) -> None:
    """The lines of the file stay as they are and in order, but for the empty values that something is put into."""
    lines = dump([manifest]).splitlines()
    if not any(line.endswith(("|", "|-")) for line in lines):  # in a text, what looks like a comment is none
        lines = [f"{line}  # {number}" for number, line in enumerate(lines)]
    result = wrapped_or_skip(manifest, wanted, topology, "csi").manifest
    text = woven("# head\n" + "\n".join(lines) + "\n# tail", [result])
    assert text is not None
    assert parse(text)[0].data == result
    remaining = iter(text.splitlines())
    for line in ("# head", *lines, "# tail"):
        value, _, comment = line.partition("  # ")
        kept = line if not value.endswith((": null", " []", " {}")) else comment
        if kept or not value:  # where an empty value without a comment stood, anything may stand now
            assert any(now == kept or (kept == comment and now.endswith(f"# {comment}")) for now in remaining), line


@pytest.mark.slow
@laws
@given(templated, uses, topologies)
def test_every_required_dataset_is_required_on_every_way_in(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology
) -> None:
    """Terms are alternatives, so each of them asks for each required dataset, or the report says why not."""
    required = [use for use in wanted if use.locality == "require" and not use.roles]
    wrapped = wrapped_or_skip(manifest, wanted, topology, "csi")
    assume(required)
    spec = wrapped.manifest["spec"]["template"]["spec"]
    node = spec.get("affinity", {}).get("nodeAffinity", {})
    terms = node.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
    home = manifest["metadata"].get("namespace", topology.namespace)
    for use in required:
        key = f"fluid.io/s-{use.namespace(home)}-{use.name}"
        asked = [term for term in terms if key in [each["key"] for each in term.get("matchExpressions", [])]]
        possible = [term for term in terms if term.get("matchExpressions") or term.get("matchFields")]
        if asked != possible or not terms:
            assert wrapped.report.of("not done"), key


def test_what_makes_no_pods_is_refused() -> None:
    """With what to write instead."""
    with pytest.raises(Invalid, match="no pods") as caught:
        wrap({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, ["team/a"])
    assert "templates" in caught.value.hint


_junk = st.sampled_from([None, 0, True, "", "x", [], {}, [None], [[]], {"": None}, {"name": []}, -1.5])


@laws
@given(manifests, uses, topologies, modes, _junk, st.data())
def test_junk_anywhere_is_refused_or_left(
    manifest: dict[str, Any], wanted: list[DatasetUse], topology: Topology, mode: Mode, junk: Any, data: st.DataObject
) -> None:
    """A manifest that is wrong somewhere is told about, or wrapped around what is wrong; nothing else happens."""
    places = [path for path, _ in nodes(manifest) if path]
    path = data.draw(st.sampled_from(places))
    broken = copy.deepcopy(manifest)
    parent = look(broken, path[:-1])
    parent[path[-1]] = junk
    try:
        wrapped = wrap(broken, wanted, topology=topology, mode=mode)
    except Invalid as refused:
        assert refused.hint
    else:
        assert wrap(wrapped.manifest, wanted, topology=topology, mode=mode).manifest == wrapped.manifest


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from nodes(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from nodes(below, (*path, index))
