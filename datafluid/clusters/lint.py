"""Lint for the plane that manifests are going to: behind `Client.lint`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.model.lint import Finding

__all__ = ["lint_for"]


def lint_for(client: Client, source: Any) -> list[Finding]:
    """See `Client.lint`."""
    from datafluid.model.lint import lint
    from datafluid.model.lint.run import subjects_of
    from datafluid.plane.surroundings import look_around

    if client.context.plane == "embedded":
        return lint(source, plane="embedded")
    source = list(source) if isinstance(source, Iterator) else source
    try:
        subjects = subjects_of(source)
    except Invalid:
        return lint(source, plane="kubernetes")  # it says what is wrong with the text
    around = look_around(client.plane, subjects, namespace=client.context.namespace)
    return lint(source, plane="kubernetes", surroundings=around)
