"""The text of a manifest file, read in one way by everybody who takes a path."""

from __future__ import annotations

from pathlib import Path

from datafluid.errors import Invalid, NotFound

__all__ = ["file_of", "read_file"]


def file_of(source: str | Path) -> Path | None:
    """The file that a source names: a ``Path``, or one line that ends in ``.yaml``, ``.yml`` or ``.json``.

    Example:
        >>> file_of("kind: Dataset") is None, file_of("a.yaml").name
        (True, 'a.yaml')
    """
    if isinstance(source, str) and ("\n" in source or not source.endswith((".yaml", ".yml", ".json"))):
        return None
    return Path(source)


def read_file(path: Path) -> str:
    """The text of a manifest file.

    Raises:
        NotFound: it is not there.
        Invalid: it is a directory, or not UTF-8.
        OSError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {str(path)!r}.", hint="Check the path.") from None
    except IsADirectoryError:
        raise Invalid(f"{str(path)!r} is a directory.", hint="Name the files in it.") from None
    except UnicodeDecodeError:
        raise Invalid(f"{str(path)!r} is not UTF-8 text.", hint="Save it as UTF-8.") from None
