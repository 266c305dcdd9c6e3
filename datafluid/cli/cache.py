"""``datafluid cache …``: what the cache holds, and changing that."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.errors import ExitCode
from datafluid.cli.metrics import prometheus
from datafluid.cli.output import as_data, counted, echo, percent, size, table
from datafluid.cli.progress import meter
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.engine.cache.upkeep import Removed
    from datafluid.local.cache_status import CacheStatus
    from datafluid.model.uri import FluidURI

__all__ = ["register"]

_Places = Annotated[list[str], typer.Argument(metavar="NS/DATASET[/PATH]...", autocompletion=completion.places)]


class _Format(StrEnum):
    table = "table"
    yaml = "yaml"
    json = "json"
    prometheus = "prometheus"


_GROUP = typer.Typer(help="Look at the cache, and change what it holds.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(_GROUP, name="cache")


@command(_GROUP)
def status(
    session: Session,
    output: Annotated[_Format, typer.Option("-o", "--output", help="Format.")] = _Format.table,
) -> None:
    """Show what is cached, by tier and by dataset, and hits and misses."""
    now = session.client.cache.status()
    if as_data(asdict(now), output):
        return
    if output is _Format.prometheus:
        print(prometheus(now), end="")
    else:
        _tables(now)


@command(_GROUP)
def evict(session: Session, places: _Places) -> None:
    """Remove cached files of datasets or below paths; what is pinned stays."""
    for place in places:
        _removed(place, session.client.cache.evict(session.inside(place)))


@command(_GROUP)
def pin(session: Session, places: _Places) -> None:
    """Keep what is cached of datasets or below paths from being evicted."""
    for place in places:
        uri = session.inside(place)
        pinned, absent = session.client.cache.pin(uri)
        echo(f"{uri}: {counted(pinned, 'file')} pinned")
        if absent:
            echo(f"{absent} more are not cached; run `datafluid load {uri}` first.", file=sys.stderr)


@command(_GROUP)
def unpin(session: Session, places: _Places) -> None:
    """Undo pin; what an export holds stays pinned."""
    for place in places:
        uri = session.inside(place)
        session.client.cache.unpin(uri)
        echo(f"{uri}: unpinned")


@command(_GROUP)
def verify(
    session: Session,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NS/DATASET[/PATH]]...", autocompletion=completion.places),
    ] = None,
) -> None:
    """Read cached files again and compare them with their checksums.

    Damaged ones are removed, and the next read fetches them again. Exit code 1 when there were any.
    """
    uris: list[FluidURI | None] = [session.inside(place) for place in places or ()]
    damaged: list[str] = []
    for uri in uris or [None]:
        with meter(f"verify {uri or 'everything'}") as report:
            damaged += session.client.cache.verify(uri, progress=report)
    for path in damaged:
        echo(f"damaged, removed: {path}")
    echo(f"{counted(len(damaged), 'damaged file')}.", file=sys.stderr)
    if damaged:
        raise typer.Exit(ExitCode.FAILURE)


@command(_GROUP)
def pack(
    session: Session,
    datasets: Annotated[
        list[str],
        typer.Argument(
            metavar="[NS/DATASET]...",
            autocompletion=completion.datasets,
            default_factory=list,
            show_default=False,
        ),
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Replaced when the new one is whole.")],
) -> None:
    """Write what is declared and cached into one file, for a site without a link; see unpack.

    Values of secrets are not in it, and no under-store is asked.
    """
    with meter(f"pack {file}") as report:
        uris = [session.dataset(each).uri for each in datasets]
        done = session.client.cache.pack(file, uris, progress=report)
    for path in done.damaged:
        echo(f"damaged, left out: {path}", file=sys.stderr)
    if done.absent:
        known = counted(done.absent, "known file")
        echo(f"{known} not cached completely, left out; run `datafluid load` first to have all.", file=sys.stderr)
    echo(f"{file}: {counted(len(done.objects), 'object')}, {counted(done.files, 'file')}, {size(done.bytes)}")


@command(_GROUP)
def unpack(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What pack wrote.")],
) -> None:
    """Declare and cache what is in a file that pack wrote; every byte is checked on arrival.

    One that was interrupted is unpacked again. Read it in a context with `offline = "serve-stale"`.
    """
    with meter(f"unpack {file}") as report:
        done = session.client.cache.unpack(file, progress=report)
    for name in done.objects:
        echo(f"{name} declared")
    echo(f"{file} of {done.packed}: {counted(done.files, 'file')}, {size(done.bytes)}")
    if done.present:
        echo(f"{counted(done.present, 'file')} cached already.", file=sys.stderr)


@command(_GROUP)
def clear(
    session: Session,
    pinned: Annotated[bool, typer.Option("--pinned", help="Also what is pinned.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything from the cache; datasets stay declared and are fetched again when read."""
    if not yes:
        if not sys.stdin.isatty():
            raise Invalid("clear removes the whole cache.", hint="Add --yes.")
        typer.confirm("Remove everything from the cache?", abort=True)
    _removed("cache", session.client.cache.clear(pinned=pinned))


def _removed(what: str, removed: Removed) -> None:
    echo(f"{what}: {counted(removed.files, 'file')} removed, {size(removed.allocated)} freed")
    if removed.kept:
        echo(f"{counted(removed.kept, 'file')} pinned or being filled, kept.", file=sys.stderr)


def _tables(now: CacheStatus) -> None:
    if not now.tiers:
        echo("Nothing was ever cached here.", file=sys.stderr)
        return
    table(
        ("Medium", "Path", "Of", "Files", "Used", "Quota", "Full"),
        (
            (
                tier.medium,
                tier.path,
                tier.dataset or "all",
                tier.files,
                size(tier.used),
                size(tier.quota),
                percent(tier.used / tier.quota) if tier.quota else None,
            )
            for tier in now.tiers
        ),
    )
    print()
    table(
        ("Dataset", "Files", "Partial", "Used", "Pinned"),
        (
            (each.dataset or "(deleted)", each.files, each.partial, size(each.used), each.pinned)
            for each in now.datasets
        ),
    )
    if now.metrics:
        print()
        table(("Metric", "Value"), now.metrics.items())
