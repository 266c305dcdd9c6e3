"""Words as bash sees them: it breaks ``fluid://a/b`` at the colon, which would hide the URL from completion."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

__all__ = ["mend", "mend_environment"]


def mend(words: Sequence[str], current: int) -> tuple[list[str], int]:
    """Join what bash took apart.

    Args:
        words: ``COMP_WORDS``: the words of the line, ``:`` being a word of its own.
        current: ``COMP_CWORD``: which of them the cursor is in.

    Returns:
        The words with whole URLs, and where the current one is now. The current word itself begins with ``//``
        and has no scheme, because bash replaces only what follows the colon.

    Example:
        >>> mend(["datafluid", "ls", "fluid", ":", "//team/im"], 4)
        (['datafluid', 'ls', '//team/im'], 2)
    """
    mended: list[str] = []
    position = current
    for index, word in enumerate(words):
        if word == ":" and mended and mended[-1] == "fluid":
            mended[-1] = "//" if index == current else "fluid:"
            position -= index <= current
        elif mended and mended[-1] == "fluid:" and word.startswith("//"):
            mended[-1] = word if index == current else f"fluid:{word}"
            position -= index <= current
        else:
            mended.append(word)
    return mended, position


def mend_environment(environ: MutableMapping[str, str]) -> None:
    """Mend the variables with which bash asks for completions; does nothing when it does not ask."""
    if environ.get("_DATAFLUID_COMPLETE") != "complete_bash" or "COMP_WORDS" not in environ:
        return
    words, current = mend(environ["COMP_WORDS"].split("\n"), int(environ.get("COMP_CWORD", "0")))
    environ["COMP_WORDS"], environ["COMP_CWORD"] = "\n".join(words), str(current)
