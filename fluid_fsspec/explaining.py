"""Which way a read goes, why not the ways before it, and what that costs: ``fs.explain(url)``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datafluid.engine.mounted import Entry, Source
    from fluid_fsspec.tree import Tree

__all__ = ["Explanation", "Route", "explain"]

Route = Literal["mount", "cache", "engine", "hcfs", "direct"]
_OF_CLUSTERS = "datasets of a cluster have it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which way a read goes, and why.

    Args:
        url: What was asked about.
        route: The way it goes.
        why: Why that way.
        cost: What a read costs there.
        skipped: The ways before it, each with the reason why not.
        size: Bytes of the file, or of all files below the directory.
        cached: How many of them are cached, as a fraction; None where that cannot be known, or is not needed.
        as_of: When what is known of it was true, seconds since the epoch; None for "now".

    Example:
        >>> why, cost = "all of it is complete in the cache", "a local file"
        >>> skipped = (("mount", "nothing is mounted"),)
        >>> print(Explanation(url="fluid://team/flights/1.parquet", route="cache", why=why, cost=cost,
        ...                   skipped=skipped, size=10, cached=1.0, as_of=None))
        fluid://team/flights/1.parquet
          route:       cache: all of it is complete in the cache
          cost:        a local file
          not mount:   nothing is mounted
          cached:      100.0% of 10 bytes
    """

    url: str
    route: Route
    why: str
    cost: str
    skipped: tuple[tuple[Route, str], ...]
    size: int
    cached: float | None
    as_of: float | None

    def rows(self) -> Iterator[tuple[str, str]]:
        """Label and text, line by line."""
        yield "route", f"{self.route}: {self.why}"
        yield "cost", self.cost
        for route, why in self.skipped:
            yield f"not {route}", why
        if self.cached is not None:
            yield "cached", f"{int(self.cached * 1000) / 10:.1f}% of {self.size} bytes"
        if self.as_of is not None:
            yield "as of", datetime.fromtimestamp(self.as_of, UTC).isoformat(" ", "seconds")

    def __str__(self) -> str:
        lines = [self.url, *(f"  {label + ':':<12} {text}" for label, text in self.rows())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        cells = "".join(
            f"<tr><th style='text-align:left'>{escape(label)}</th><td>{escape(text)}</td></tr>"
            for label, text in self.rows()
        )
        return f"<table><caption>{escape(self.url)}</caption>{cells}</table>"


def explain(tree: Tree, below: str, *, url: str, mount_point: str) -> Explanation:
    """Explain a read of ``below``.

    Raises:
        NotFound: nothing is there.
    """
    from fluid_fsspec.mount import MountTree

    entry = tree.info(below)
    files = [entry] if entry.type == "file" else list(tree.walk(below))
    size = sum(file.size for file in files)
    cached = tree.cached_bytes(files)
    route, why, cost, skipped = (
        _by_mount(tree) if isinstance(tree, MountTree) else _by_engine(tree, entry, files, size, cached or 0)
    )
    unmounted: tuple[tuple[Route, str], ...] = (("mount", f"nothing is mounted at {mount_point}"),)
    return Explanation(
        url=url,
        route=route,
        why=why,
        cost=cost,
        skipped=() if route == "mount" else unmounted + skipped,
        size=size,
        cached=None if cached is None or route == "direct" else cached / size if size else 1.0,
        as_of=tree.as_of(below),
    )


_Answer = tuple[Route, str, str, tuple[tuple[Route, str], ...]]


def _by_mount(tree: Tree) -> _Answer:
    root = getattr(tree, "root", "")
    return "mount", f"the dataset is mounted at {root}", "what the mount costs: the engine behind it caches", ()


def _by_engine(tree: Tree, entry: Entry, files: list[Entry], size: int, cached: int) -> _Answer:
    first = next(iter(files), None)
    blocks = tree.blocks(first.path) if first is not None else []
    if blocks and blocks[0].tier == "under-store":
        skipped: tuple[tuple[Route, str], ...] = (
            ("cache", "the under-store is a directory of this machine, so a copy would gain nothing"),
            ("engine", _OF_CLUSTERS),
            ("hcfs", _OF_CLUSTERS),
        )
        return "direct", "the original file is opened in place", "a local file", skipped
    if cached >= size:
        what = "all of it is complete in the cache" if files else "the directory is empty"
        return "cache", what, "a local file: no request leaves this machine", ()
    source: Source | None = getattr(tree, "source", None)
    missing = f"{size - cached} of {size} bytes are fetched from the {_kind_of(source)}, once, and kept"
    state = "partly cached" if cached else "not cached yet, but it will be"
    if source is None:
        return "cache", state, missing, ()
    return source.route, source.why, missing, (("cache", state), *source.skipped)


def _kind_of(source: Source | None) -> str:
    return "under-store" if source is None or source.route == "direct" else "engine"
