"""`lint`: a source in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.lint.finding import Finding
from datafluid.model.lint.schema import SCHEMA_CODES
from datafluid.model.lint.subject import Plane, Scope, Subject, as_map
from datafluid.model.lint.surroundings import Surroundings
from datafluid.model.lint.table import RULES
from datafluid.model.source import file_of, read_file

__all__ = ["Source", "lint", "lint_subjects", "subjects_of", "why_unread"]

#: YAML text, a path, a dict, a model, or any number of those.
Source = Any

_ORDER = {"error": 0, "warning": 1, "info": 2}


def lint(source: Source, *, plane: Plane | None = None, surroundings: Surroundings | None = None) -> list[Finding]:
    """Everything that is wrong with manifests, or will go wrong.

    Reports on input that no model would take, too. What Fluid's controllers or webhook do to an object on a
    cluster is told for ``plane="embedded"`` as well, one severity milder.

    Args:
        source: YAML text, a path to a file, an object as a dict or model, or an iterable of those.
        plane: Where the objects are going; None when that is open.
        surroundings: What the cluster holds that they are going to, for the rules that need to know
            (`datafluid.Client.lint` collects it); None when nobody looked.

    Returns:
        The findings, by document and line.

    Raises:
        NotFound: the path leads to no file.

    Example:
        >>> head = "apiVersion: data.fluid.io/v1alpha1\\nkind: DataLoad\\nmetadata: {name: warm}\\n"
        >>> [(finding.code, finding.path, finding.line) for finding in lint(head + "spec: {policy: OnEvent}")]
        [('DF302', 'spec', 4), ('DF305', 'spec.policy', 4)]
    """
    try:
        subjects = subjects_of(source)
    except Invalid as error:
        return why_unread(error)
    return lint_subjects(subjects, plane=plane, surroundings=surroundings)


def lint_subjects(
    subjects: Iterable[Subject], *, plane: Plane | None, surroundings: Surroundings | None = None
) -> list[Finding]:
    """`lint` for a source that is read already."""
    subjects = list(subjects)
    scope = Scope(subjects, plane, surroundings)
    found = [finding for subject in subjects for rule in RULES for finding in rule(subject, scope)]
    return sorted(_without_echoes(found), key=_place)


def why_unread(error: Invalid) -> list[Finding]:
    """What `lint` says about a source of which `subjects_of` could make nothing."""
    unsaid = Finding(code="DF001", severity="error", path="", message=error.message, hint=error.hint)
    return list(error.findings) or [unsaid]


def subjects_of(source: Source) -> list[Subject]:
    """The objects of a source, as rules see them.

    Raises:
        Invalid: it is no YAML.
        NotFound: the path leads to no file.
    """
    return list(_subjects(source))


def _place(finding: Finding) -> tuple[int, int, int, str]:
    return finding.document, finding.line or 0, _ORDER[finding.severity], finding.code


def _without_echoes(found: list[Finding]) -> Iterator[Finding]:
    """Leave out what the schema says about a place of which a rule says more."""
    told = {
        (finding.document, finding.path)
        for finding in found
        if finding.severity == "error" and finding.code not in SCHEMA_CODES
    }
    for finding in found:
        if finding.code not in SCHEMA_CODES or (finding.document, finding.path) not in told:
            yield finding


def _subjects(source: Source) -> Iterator[Subject]:
    for number, subject in enumerate(_documents(source)):
        yield from _items(replace(subject, document=number))


def _documents(source: Source) -> Iterator[Subject]:
    if isinstance(source, Mapping):
        yield Subject(data=source)
    elif hasattr(source, "manifest"):
        yield Subject(data=source.manifest())
    elif isinstance(source, str | Path):
        yield from _parsed(source)
    elif isinstance(source, Iterable):
        for part in source:
            yield from _documents(part)
    else:
        raise Invalid(f"a {type(source).__name__} is no manifest.", hint="Give YAML text, a path, a dict or a model.")


def _parsed(source: str | Path) -> Iterator[Subject]:
    from datafluid.model.documents import parse
    from datafluid.model.manifest import refusal

    path = file_of(source)
    file = "" if path is None else str(path)
    text = str(source) if path is None else read_file(path)
    try:
        documents = parse(text)
    except Invalid as error:
        raise refusal([replace(finding, file=file) for finding in error.findings]) from None
    if not documents:
        yield Subject(data={}, file=file)  # of which a rule says that it is none
    for document in documents:
        yield Subject(data=as_map(document.data), line=document.line, lines=document.positions, file=file)


def _items(subject: Subject) -> Iterator[Subject]:
    """The objects of a ``List``, or the object itself."""
    if not subject.kind.endswith("List") or not isinstance(subject.data.get("items"), list):
        yield subject
        return
    for path, item in subject.maps("items"):
        yield replace(subject, data=item, prefix=path)
