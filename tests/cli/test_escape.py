"""Text from outside on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.cli.escape import safe


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[2J", r"a\x1b[2J"),
        ("a\x9b2J", r"a\x9b2J"),
        ("a\rb", r"a\rb"),
        ("a\nError: forged", r"a\nError: forged"),
        ("a\u202egpj.exe", r"a\u202egpj.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("caf\udce9", r"caf\udce9"),
        ("\x07\x7f\x00", r"\x07\x7f\x00"),
    ],
)
def test_what_could_steer_a_terminal_is_written_as_an_escape(hostile: str, shown: str) -> None:
    """Escape sequences, line breaks, bidirectional overrides and lone surrogates become visible."""
    assert safe(hostile) == shown


@pytest.mark.parametrize("name", ["[/x]", "[bold red]x[/]", "数据/naïve.csv", ":warning:", "a b"])
def test_ordinary_names_and_markup_stay_as_they_are(name: str) -> None:
    """Nothing is lost from names that cannot steer anything, markup included."""
    assert safe(name) == name


@given(st.text())
def test_the_result_is_always_one_printable_line(text: str) -> None:
    """Whatever comes in, what goes out is printable and can be encoded."""
    shown = safe(text)
    assert shown.isprintable()
    shown.encode()
