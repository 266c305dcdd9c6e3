"""``datafluid agent``: what a node has, once or for as long as it lives."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli.metrics import node_metrics
from datafluid.cli.output import as_data, as_yaml, echo, percent, size, table
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid, Unsupported

if TYPE_CHECKING:
    from datafluid.model.node_report import NodeReport

__all__ = ["register"]

_INTERVAL = 60.0


class _Format(StrEnum):
    table = "table"
    yaml = "yaml"
    json = "json"
    prometheus = "prometheus"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""

    @command(app)
    def agent(
        session: Session,
        tiers: Annotated[
            list[str] | None, typer.Option("--tier", metavar="PATH", help="A directory of a cache tier to look into.")
        ] = None,
        files: Annotated[
            list[str] | None,
            typer.Option("--files", metavar="NS/DATASET[/PATH]", help="Tell its cached files one by one."),
        ] = None,
        pages: Annotated[bool, typer.Option("--pages", help="Tell what of each tier is in the page cache.")] = False,
        output: Annotated[_Format, typer.Option("-o", "--output", help="Format.")] = _Format.table,
        host_root: Annotated[str, typer.Option("--host-root", help="Where the node's / is, in a container.")] = "/",
        publish: Annotated[bool, typer.Option("--publish", help="Keep the node's ConfigMap up to date.")] = False,
        listen: Annotated[
            str | None, typer.Option("--listen", metavar="[HOST]:PORT", help="Serve /metrics and /report.json.")
        ] = None,
        interval: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = _INTERVAL,
        manifest: Annotated[bool, typer.Option("--manifest", help="Print the DaemonSet and its rights.")] = False,
        image: Annotated[str | None, typer.Option("--image", help="Image with datafluid[k8s], for --manifest.")] = None,
    ) -> None:
        """Report this machine's disks, page cache and cache tiers: once, or with --publish or --listen for good.

        On a cluster: datafluid agent --manifest --image IMAGE | kubectl apply -f -
        """
        if manifest:
            _print_manifest(image, tiers or [], pages)
            return
        from datafluid.agent import Host, Tier
        from datafluid.local.survey import survey_machine

        def look() -> NodeReport:
            return survey_machine(
                session.client,
                tiers=[Tier(path=_absolute(path, here=host_root == "/")) for path in tiers or ()],
                files=[session.place(place) for place in files or ()],
                host=Host(root=host_root),
                pages=pages,
            )

        if publish or listen:
            _stay(session, look, publish, listen, interval)
        else:
            _show(look(), output)


def _absolute(path: str, *, here: bool) -> str:
    """A path of the node; where this is about the node it runs on, it may be told from the current directory."""
    if os.path.isabs(path) or here:
        return os.path.abspath(path)
    raise Invalid(f"the tier {path!r} is not an absolute path of the node.", hint="Write for example /mnt/ssd.")


def _print_manifest(image: str | None, tiers: list[str], pages: bool) -> None:
    from datafluid.agent import deployment

    if image is None:
        raise Invalid("the DaemonSet needs an image.", hint="Build one with `pip install datafluid[k8s]`; add --image.")
    as_yaml(deployment(image=image, tiers=[_absolute(tier, here=False) for tier in tiers], pages=pages))


def _stay(session: Session, look: Callable[[], NodeReport], publish: bool, listen: str | None, interval: float) -> None:
    from datafluid.agent import publish as keep_published
    from datafluid.plane.port import Cluster

    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda signum, frame: stop.set())
    with _served(listen) as tell:
        if not publish:
            tell(look())
            while not stop.wait(interval):
                tell(look())
            return
        plane = session.client.plane
        if not isinstance(plane, Cluster):
            raise Unsupported(
                f"the {plane.name} plane has no ConfigMaps.",
                hint="Use --context to name a cluster, or leave --publish.",
            )
        keep_published(plane, look, stop=stop, interval=interval, tell=tell)


@contextmanager
def _served(listen: str | None) -> Iterator[Callable[[NodeReport], None]]:
    """Serve the newest report; yields where to hand it in."""
    if listen is None:
        yield lambda report: None
        return
    from datafluid.agent.serving import serve_reports

    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise Invalid(f"{listen!r} is no place to listen at.", hint="Write for example :9808 or 127.0.0.1:9808.")
    with serve_reports(host, int(port), metrics=node_metrics) as (address, tell):
        echo(f"Serving http://{address}/metrics", file=sys.stderr)
        yield tell


def _show(report: NodeReport, output: _Format) -> None:
    if as_data(asdict(report), output):
        return
    if output is _Format.prometheus:
        print(node_metrics(report), end="")
    else:
        _tables(report)


def _tables(report: NodeReport) -> None:
    table(
        ("Mount", "Medium", "Filesystem", "Capacity", "Free", "Full"),
        (
            (
                disk.mounts[0],
                disk.medium or "unknown",
                disk.filesystem,
                size(disk.capacity),
                size(disk.free),
                percent(1 - disk.free / disk.capacity) if disk.capacity else None,
            )
            for disk in report.disks
        ),
    )
    if report.tiers:
        print()
        mounts = {disk.device: disk.mounts[0] for disk in report.disks}
        table(
            ("Tier", "Medium", "Of", "Disk", "Used", "Quota", "In memory"),
            (
                (
                    tier.path,
                    tier.medium,
                    tier.dataset,
                    mounts.get(tier.device),
                    size(tier.used),
                    size(tier.quota),
                    size(tier.resident),
                )
                for tier in report.tiers
            ),
        )
    if report.files:
        print()
        table(("File", "Size", "In memory"), ((f.name, size(f.size), size(f.resident)) for f in report.files))
    if (cache := report.page_cache) is not None:
        print()
        print(f"Page cache: {size(cache.cached)} of {size(cache.memory)} memory, {size(cache.dirty)} to be written.")
    for line in report.unknown:
        echo(f"Not known: {line}", file=sys.stderr)
