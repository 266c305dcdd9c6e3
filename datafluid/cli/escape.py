"""One function that makes text from outside safe for a terminal."""

from __future__ import annotations

__all__ = ["safe"]


def safe(text: object) -> str:
    r"""Text in which nothing can steer a terminal.

    Object keys, names, event messages and errors of remote servers come from outside. An escape sequence in
    one of them could repaint the screen, a bidirectional override could make ``exe.jpg`` of ``gpj.exe``, a newline
    could forge a line of output, and a lone surrogate (an undecodable file name) could not be printed at all.
    Whatever Python does not call printable is written as its escape instead. Markup needs no care: nothing of ours
    is ever printed with markup switched on.

    Args:
        text: Anything; its ``str`` is used.

    Returns:
        One printable line.

    Example:
        >>> print(safe("a\x1b[2Jb\n[/bold] 数据"))
        a\x1b[2Jb\n[/bold] 数据
    """
    string = str(text)
    if string.isprintable():
        return string
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in string)
