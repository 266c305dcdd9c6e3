"""Lint for the plane that manifests are going to: behind `Client.lint`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.client.base import Connected
    from datafluid.model.lint import Finding
    from datafluid.model.lint.subject import Subject

__all__ = ["lint_for", "lint_on"]


def lint_for(client: Connected, source: Any) -> list[Finding]:
    """See `Client.lint`."""
    from datafluid.model.lint.run import subjects_of, why_unread

    try:
        subjects = subjects_of(source)
    except Invalid as error:
        return why_unread(error)
    return lint_on(client, subjects)


def lint_on(client: Connected, subjects: Sequence[Subject]) -> list[Finding]:
    """The same for a source that is read already."""
    from datafluid.model.lint.run import lint_subjects
    from datafluid.plane.surroundings import look_around

    if client.context.plane == "embedded":
        return lint_subjects(subjects, plane="embedded")
    around = look_around(client.plane, subjects, namespace=client.context.namespace)
    return lint_subjects(subjects, plane="kubernetes", surroundings=around)
