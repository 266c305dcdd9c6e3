"""``datafluid ls | cat | du | explain | refresh``: the files of datasets."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datafluid.cli import completion
from datafluid.cli.output import Report, ReportOption, as_data, echo, size, table
from datafluid.cli.session import Session, command

if TYPE_CHECKING:
    from fluid_fsspec import ContentSummary, FluidFileSystem

__all__ = ["register"]

_CHUNK = 1 << 20

_Places = Annotated[
    list[str],
    typer.Argument(
        metavar="URL...", help="fluid://NS/DATASET/PATH or NS/DATASET/PATH.", autocompletion=completion.places
    ),
]
_Place = Annotated[
    str,
    typer.Argument(metavar="URL", help="fluid://NS/DATASET/PATH or NS/DATASET/PATH.", autocompletion=completion.places),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def ls(
        session: Session,
        urls: Annotated[list[str] | None, typer.Argument(metavar="[URL]...", autocompletion=completion.places)] = None,
        long: Annotated[bool, typer.Option("-l", "--long", help="With size and time.")] = False,
        output: ReportOption = Report.table,
    ) -> None:
        """List a directory of a dataset; without URL the datasets of the namespace."""
        fs = _filesystem(session)
        own = [f"fluid://{session.client.context.namespace}"]
        entries: list[dict[str, Any]] = []
        for place in urls or own:
            with session.reading(place) as url:
                entries += fs.ls(url, detail=True)
        if as_data(entries, output):
            return
        if long and output is Report.table:
            table(("Size", "Modified", "Name"), (_long(each) for each in entries))
        else:
            for each in entries:
                echo(_name(each) if output is Report.table else each["name"])

    @command(app)
    def cat(session: Session, urls: _Places) -> None:
        """Write files to standard output, as they are."""
        fs = _filesystem(session)
        for each in urls:
            with session.reading(each) as url, fs.open(url, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer, _CHUNK)
        sys.stdout.buffer.flush()

    @command(app)
    def du(session: Session, urls: _Places, output: ReportOption = Report.table) -> None:
        """Sum up files and bytes below a place, and how much of it is cached."""
        fs = _filesystem(session)
        sums = []
        for each in urls:
            with session.reading(each) as url:
                sums.append(_sum(url, fs.content_summary(url)))
        if as_data(sums, output):
            return
        if output is Report.name:
            for found in sums:
                echo(found["url"])
        else:
            table(
                ("Url", "Files", "Directories", "Size", "Cached"),
                [(s["url"], s["files"], s["directories"], size(s["bytes"]), size(s["cached"])) for s in sums],
            )

    @command(app)
    def explain(session: Session, url: _Place, output: ReportOption = Report.table) -> None:
        """Say which way a read goes, why not a faster one, and what that costs."""
        with session.reading(url) as place:
            explanation = _filesystem(session).explain(place)
        if as_data(asdict(explanation), output):
            return
        for line in [explanation.route] if output is Report.name else str(explanation).splitlines():
            echo(line)

    @command(app)
    def refresh(session: Session, url: _Place) -> None:
        """Forget listings below a place: the next read asks the under-store again."""
        uri = session.inside(url)
        session.client.dataset(uri.dataset, namespace=uri.namespace).refresh(uri.path)
        echo(f"{uri} refreshed")


def _filesystem(session: Session) -> FluidFileSystem:
    from fluid_fsspec import FluidFileSystem

    return FluidFileSystem(context=session.context)


def _name(entry: dict[str, Any]) -> str:
    name = str(entry["name"]).rpartition("/")[2]
    return f"{name}/" if entry["type"] == "directory" else name


def _long(entry: dict[str, Any]) -> tuple[object, ...]:
    return (size(entry.get("size")) if entry["type"] == "file" else None, _when(entry.get("mtime")), _name(entry))


def _when(mtime: float | None) -> str | None:
    """A time of a file. It may be any number; what no calendar has is not known."""
    try:
        return None if mtime is None else datetime.fromtimestamp(mtime, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _sum(url: str, summary: ContentSummary) -> dict[str, Any]:
    return {"url": url, **asdict(summary)}
