"""What the tab key offers: contexts, namespaces, kinds, names, datasets and ``fluid://`` paths.

A completion must be quick and must never fail aloud: when something is wrong it offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING

import typer

from datafluid.model.uri import FluidURI

if TYPE_CHECKING:
    from datafluid.client import Client

__all__ = ["contexts", "datasets", "kinds", "names", "namespaces", "places"]

_PREFIX = "fluid://"
_Offer = Callable[[typer.Context, str], Iterable[str]]


def _quiet(offer: _Offer) -> Callable[[typer.Context, str], list[str]]:
    @wraps(offer)
    def offered(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [one for one in offer(ctx, incomplete) if one.startswith(incomplete) and one.isprintable()]
        except Exception:  # noqa: BLE001  # a trace in the middle of a command line helps nobody
            return []

    return offered


def _client(ctx: typer.Context) -> Client:
    from datafluid.cli.session import Session

    outer = ctx.find_root().params
    session = Session(
        context=ctx.params.get("context") or outer.get("context"),
        namespace=ctx.params.get("namespace") or outer.get("namespace"),
    )
    return session.client


@_quiet
def contexts(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The contexts of the config file."""
    from datafluid.context import context_names

    return context_names()


@_quiet
def namespaces(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The namespaces that hold a dataset."""
    return sorted({each.namespace for each in _client(ctx).datasets(namespace=None)})


@_quiet
def kinds(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The kinds, in lower case and the singular, as people type them."""
    from datafluid.model.kinds import KINDS

    return sorted(kind.lower() for kind in KINDS)


@_quiet
def names(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The names of the objects of the kind that was typed before."""
    from datafluid.model.kinds import find_kind

    client = _client(ctx)
    kind = find_kind(str(ctx.params["kind"])).kind
    return [str(each["metadata"]["name"]) for each in client.plane.list(kind, namespace=client.context.namespace)]


@_quiet
def datasets(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Datasets: plain names in the namespace at hand, and ``namespace/name`` for all."""
    client = _client(ctx)
    for each in client.datasets(namespace=None):
        if each.namespace == client.context.namespace:
            yield each.name
        yield f"{each.namespace}/{each.name}"


@_quiet
def places(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Paths in datasets, one level at a time, with or without ``fluid://``.

    Bash breaks words at colons: there the word may begin with ``//``.
    """
    scheme = next((prefix for prefix in (_PREFIX, "//") if incomplete.startswith(prefix)), "")
    if incomplete and _PREFIX.startswith(incomplete):
        return [_PREFIX]
    parent, _, _ = incomplete[len(scheme) :].rpartition("/")
    if "/" not in parent:
        whole = [f"{each.namespace}/{each.name}/" for each in _client(ctx).datasets(namespace=None)]
        return [f"{scheme}{each}" for each in whole]
    return [f"{scheme}{each}" for each in _below(FluidURI.parse(_PREFIX + parent))]


def _below(uri: FluidURI) -> Iterable[str]:
    import fsspec

    for entry in fsspec.filesystem("fluid").ls(str(uri), detail=True):
        yield entry["name"] + ("/" if entry["type"] == "directory" else "")
