"""Tables, JSON, YAML, sizes and ages."""

from __future__ import annotations

import json

import pytest
import yaml

from datafluid.cli.output import age, as_json, as_yaml, percent, size, table

HOSTILE = "x\x1b]0;owned\x07\u202e[/x]\n"


def test_columns_line_up_with_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """A Chinese character takes two cells, as terminals draw it."""
    table(("Name", "Phase"), [("数据", "Bound"), ("abcdef", None)])
    assert capsys.readouterr().out.splitlines() == ["NAME     PHASE", "数据     Bound", "abcdef   -"]


def test_a_table_cannot_be_steered_by_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are escaped and markup is literal: one row stays one line."""
    table(("Name",), [(HOSTILE,), ("[/x]",)])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["NAME", r"x\x1b]0;owned\x07\u202e[/x]\n", "[/x]"]


def test_json_and_yaml_keep_the_value_and_show_no_control_character(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Programs get the exact name back; a terminal gets escapes only."""
    as_json({"name": HOSTILE + "\x7f"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"name": HOSTILE + "\x7f"}
    assert text.replace("\n", "").isprintable()
    as_yaml([{"name": HOSTILE}, {"name": "数据"}])
    text = capsys.readouterr().out
    assert list(yaml.safe_load_all(text)) == [{"name": HOSTILE}, {"name": "数据"}]
    assert text.replace("\n", "").isprintable()
    assert "数据" in text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, None), (0, "0.00B"), (1536, "1.50KiB"), (1 << 60, "1024.00PiB"), (1023, "1023.00B")],
)
def test_sizes_are_written_as_fluid_writes_them(count: int | None, text: str | None) -> None:
    """Two decimals and binary units up to PiB; unknown stays unknown."""
    assert size(count) == text


def test_an_incomplete_fraction_never_reads_as_complete() -> None:
    """99.99 % is not shown as 100 %."""
    assert percent(0.99999) == "99.9%"


def test_ages_have_two_units_at_most() -> None:
    """As kubectl: 2d7h, not 2d7h33m20s; nothing is below 0."""
    assert [age(seconds) for seconds in (-3, 0, 59.9, 60, 86400, 90061)] == [
        "0s",
        "0s",
        "59s",
        "1m",
        "1d",
        "1d1h",
    ]


def test_rows_that_come_later_stay_below_their_header(capsys: pytest.CaptureFixture[str]) -> None:
    """One header; a column is as wide as it has been."""
    widths: list[int] = []
    for row in (("flights-of-2013", "Bound"), ("a", "NotBound"), ("b", "x")):
        table(("Name", "Phase"), [row], widths=widths)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "flights-of-2013", "a", "b"]
    assert {line.index(line.split()[1]) for line in lines} == {18}
