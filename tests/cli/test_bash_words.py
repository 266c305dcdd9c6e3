"""URLs on a bash command line."""

from __future__ import annotations

import pytest

from datafluid.cli.bash_words import mend, mend_environment


@pytest.mark.parametrize(
    ("words", "current", "mended", "position"),
    [
        ("datafluid ls", 2, "datafluid ls", 2),
        ("datafluid ls team/im", 2, "datafluid ls team/im", 2),
        ("datafluid ls fluid : //team/im", 4, "datafluid ls //team/im", 2),
        ("datafluid ls fluid :", 3, "datafluid ls //", 2),
        ("datafluid du fluid : //a/b fluid : //c/d", 7, "datafluid du fluid://a/b //c/d", 3),
        ("datafluid du fluid : //a/b --out", 5, "datafluid du fluid://a/b --out", 3),
        ("datafluid get fluid", 2, "datafluid get fluid", 2),
    ],
)
def test_urls_are_whole_words_again(words: str, current: int, mended: str, position: int) -> None:
    """Earlier URLs are joined; the current one keeps what bash will replace."""
    assert mend(words.split(), current) == (mended.split(), position)


def test_the_environment_is_mended_only_when_bash_asks() -> None:
    """Other shells pass whole words."""
    words = "datafluid\nls\nfluid\n:\n//a/b"
    asked = {"_DATAFLUID_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "4"}
    mend_environment(asked)
    assert (asked["COMP_WORDS"], asked["COMP_CWORD"]) == ("datafluid\nls\n//a/b", "2")
    other = {"_DATAFLUID_COMPLETE": "complete_zsh", "COMP_WORDS": words}
    mend_environment(other)
    assert other["COMP_WORDS"] == words
