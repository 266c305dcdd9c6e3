"""Manifests in and out: strict when authored, without loss, bounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Invalid, NotFound
from datafluid.model import Dataset, manifest

DATASET = """\
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata:
  name: flights
spec:
  mounts:
  - mountPoint: s3://bucket/flights
    name: flights
"""
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


def test_several_documents_come_in_order() -> None:
    """Empty documents and comments between them do not count."""
    text = DATASET + "---\n# nothing\n---\n" + DATASET.replace("flights", "planes") + "...\n"
    assert [each.metadata.name for each in manifest.load(text)] == ["flights", "planes"]


def test_json_is_yaml() -> None:
    """What kubectl prints with -o json is taken as it is."""
    as_json = json.dumps(yaml.safe_load(DATASET))
    assert manifest.load(as_json)[0].manifest() == manifest.load(DATASET)[0].manifest()


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), _WORDS, max_size=4))
def test_what_is_dumped_loads_to_the_same(options: dict[str, str]) -> None:
    """Round trip: any text of an option survives, whatever YAML 1.1 or 1.2 would make of it."""
    (model,) = manifest.load(DATASET)
    data = model.manifest()
    data["spec"]["mounts"][0]["options"] = options
    (again,) = manifest.load(manifest.dump([data]))
    kept = again.manifest()["spec"]["mounts"][0].get("options", {})
    assert kept == options


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", True), ("y", True), ("On", True), ("NO", False), ("n", False), ("tRUE", "tRUE"), ("~", None),
        ("0400", 256), ("0755", 493), ("089", 89), ("0o17", 15), ("0X1F", 31), ("0b11", 3), ("-012", -10), ("00", 0),
        ("1_000", 1000), ("0777_1", 4089), ("0_8", 8), ("1_0.5", 10.5), ("1e3", 1000.0), (".5", 0.5), ("+5", 5),
        ("1e400", "1e400"), (".inf", ".inf"), (".5_0", 0.5), ("1:30", "1:30"), ("2020-01-01", "2020-01-01"),
        ("=", "="), ("_1", "_1"), ("9" * 65, "9" * 65),
    ],
)  # fmt: skip
def test_a_plain_word_means_what_kubectl_takes_it_for(word: str, value: object) -> None:
    """A secret of mode 0400 is not one of mode 400; and in quotes, or written by us, a word is text."""
    (plain,) = manifest.parse(f"a: {word}")
    assert (plain.data["a"], type(plain.data["a"])) == (value, type(value))
    for text in (f"a: '{word}'", manifest.dump([{"a": word}])):
        (quoted,) = manifest.parse(text)
        assert quoted.data == {"a": word}


def test_a_list_loads_from_a_file(tmp_path: Path) -> None:
    """By path, as str or Path."""
    file = tmp_path / "flights.yaml"
    file.write_text(DATASET, encoding="utf-8")
    for source in (file, str(file)):
        assert [each.kind for each in manifest.load(source)] == ["Dataset"]
    with pytest.raises(NotFound, match=r"nothing\.yaml"):
        manifest.load(str(tmp_path / "nothing.yaml"))


def test_an_unknown_field_suggests_the_right_one() -> None:
    """Strict when authored."""
    with pytest.raises(Invalid, match="Did you mean mountPoint"):
        manifest.load(DATASET.replace("mountPoint", "mountpoint"))


def test_an_unknown_field_is_kept_when_read_back() -> None:
    """Lenient when read back: what a newer Fluid writes is not lost."""
    data = {**yaml.safe_load(DATASET), "status": {"conditions": [], "phase": "Bound", "brandNew": {"deep": 1}}}
    assert Dataset.from_server(data).manifest()["status"]["brandNew"] == {"deep": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "YAML"),
        ("a: 1\na: 2\nkind: Dataset", "twice"),
        ("- 1\n- 2", "manifest"),
        ("kind: Dataset\napiVersion: v1\nmetadata: {name: x}", "Fluid kind"),
        ("&a [*a, *a]", ""),
        ("x" * 3_000_000, ""),
    ],
    ids=["unfinished", "a key twice", "a list", "another API", "an alias of itself", "too long"],
)
def test_what_is_no_manifest_is_invalid(text: str, words: str) -> None:
    """Each with a message and a hint; nothing hangs or recurses."""
    with pytest.raises(Invalid) as raised:
        manifest.load(text)
    assert words in str(raised.value)
    assert raised.value.hint


def test_a_billion_laughs_are_refused() -> None:
    """Aliases are bounded."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(Invalid):
        manifest.load("\n".join(lines))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | _WORDS, lambda each: st.lists(each) | st.dictionaries(_WORDS, each)
    )
)
def test_any_value_is_a_manifest_or_invalid(value: Any) -> None:
    """No input makes the loader fail in another way."""
    try:
        manifest.load(yaml.safe_dump(value))
    except Invalid as error:
        assert error.message


_ODD = st.text(st.sampled_from(list("ab \n\t:#-|>'\"\\é\u2028\x85{}[]&*!%@`\r")), max_size=12)


@given(st.recursive(_ODD, lambda below: st.lists(below, max_size=3) | st.dictionaries(_ODD, below, max_size=3)))
def test_text_of_any_lines_is_read_back(value: Any) -> None:
    """Blocks, quotes, and the ends of lines that only some programs take for such."""
    (document,) = manifest.parse(manifest.dump([{"a": value}]))
    assert document.data == {"a": value}


def test_lines_stay_lines() -> None:
    """What people read in a ConfigMap is not folded into one line."""
    assert manifest.dump([{"text": "<a>\n  <b/>\n</a>\n"}]) == "text: |\n  <a>\n    <b/>\n  </a>\n"
