"""What is added to manifests, in the text that they were read from."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from datafluid.model.documents import parse
from datafluid.model.weaving import woven

_KEYS = st.sampled_from(["a", "b", "c", "y", "0755", "a b", "#", "'", "a: b"])
_WORDS = st.sampled_from(
    ["", "x", "yes", "0755", "# no", "- a", "a: b", "l1\nl2\n", "l1\n\n# l2", " ", "'", '"', "é\u2028"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_KEYS, below, max_size=3),
    max_leaves=8,
)


@st.composite
def _grown(draw: st.DrawFn, value: Any) -> Any:
    """The value with more in it."""
    if isinstance(value, dict):
        return {**{key: draw(_grown(below)) for key, below in value.items()}, **draw(st.just({}) | _more(value))}
    if isinstance(value, list):
        return [*[draw(_grown(below)) for below in value], *draw(st.lists(_VALUES, max_size=2))]
    return draw(st.just(value) | _VALUES)


def _more(value: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(_KEYS.filter(lambda key: key not in value), _VALUES, max_size=2)


@settings(max_examples=settings().max_examples // 2)
@given(st.data(), st.lists(st.dictionaries(_KEYS, _VALUES, min_size=1), min_size=1, max_size=2), st.booleans())
def test_what_comes_out_says_what_it_shall(data: Any, before: list[Any], flow: bool) -> None:
    """However it was written, and whatever was added; and where nothing was, not a character differs."""
    text = yaml.safe_dump_all(before, default_flow_style=None if flow else False, sort_keys=False, allow_unicode=True)
    read = [document.data for document in parse(text)]
    after = [data.draw(_grown(each)) for each in read]
    result = woven(text, after)
    assert result is not None
    assert [document.data for document in parse(result)] == after
    assert woven(text, read) == text


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("a: {}  # c\nb: 1\n", {"a": {"x": 1}, "b": 1}, "a:  # c\n  x: 1\nb: 1\n"),
        ("a:   # c\nb: 1", {"a": [1], "b": 1}, "a:   # c\n- 1\nb: 1"),
        ("a:\n    - x # c\n    # d\nb: 1\n", {"a": ["x", "y"], "b": 1}, "a:\n    - x # c\n    - 'y'\n    # d\nb: 1\n"),
        ("a: |\n  x\n\nb: 0400\n", {"a": "x\nz\n", "b": 256}, "a: |\n  x\n  z\n\nb: 0400\n"),
        ("a:\n  b: |\n    x\n    y", {"a": {"b": "x\ny"}, "c": 1}, "a:\n  b: |-\n    x\n    y\nc: 1"),
        ("--- {a: 1}  # c\n", {"a": 1, "b": 2}, "--- \na: 1\nb: 2  # c\n"),
        ("- a: [1, 2]  # c\n", [{"a": [1, 2, 3]}], "- a:  # c\n  - 1\n  - 2\n  - 3\n"),
        ("a: &n\n  - 1\nb: *n\n", {"a": [1, 2], "b": [1, 2]}, "a: &n\n  - 1\n  - 2\nb: *n\n"),
        ("a: &n\n  - 1\nb: *n  # c\n", {"a": [1], "b": [1, 2]}, "a: &n\n  - 1\nb:  # c\n- 1\n- 2\n"),
        ("a: &n [1]\nb: *n\n", {"a": [1, 2], "b": [1, 2]}, "a: &n\n- 1\n- 2\nb: *n\n"),
        ("a: &n\n  - 1\nb: *n\n", {"a": [1, 2], "b": [1]}, "a: &n\n  - 1\n  - 2\nb:\n- 1\n"),
        ("b: &n {x: 1}\na:\n  <<: *n\n  y: 2\n", {"b": {"x": 1}, "a": {"x": 1, "y": 2, "z": 3}},
         "b: &n {x: 1}\na:\n  <<: *n\n  y: 2\n  z: 3\n"),
    ],
)  # fmt: skip
def test_lines_comments_and_anchors_stay(text: str, after: Any, expected: str) -> None:
    assert woven(text, [after]) == expected


def test_what_goes_in_front_is_a_document_of_its_own() -> None:
    """With one marker between, whether the text begins with one or not."""
    extra = {"kind": "ConfigMap"}
    assert woven("kind: Pod\n", [{"kind": "Pod"}], first=[extra]) == "kind: ConfigMap\n---\nkind: Pod\n"
    marked = "# mine\n---\nkind: Pod\n"
    assert woven(marked, [{"kind": "Pod"}], first=[extra]) == f"kind: ConfigMap\n{marked}"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: 1\nb: 2\n", {"a": 1}),  # nothing is ever taken away
        ("b: &n\n  x: 1\na:\n  <<: *n\n", {"b": {"x": 1, "y": 2}, "a": {"x": 1}}),  # it would grow as well
    ],
)
def test_what_cannot_be_said_by_adding_is_not_said_wrongly(text: str, after: Any) -> None:
    assert woven(text, [after]) is None
