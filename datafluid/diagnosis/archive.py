"""A picture and its diagnosis as one file, fit to be sent to somebody who helps."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict

from datafluid.diagnosis.verdict import Diagnosis
from datafluid.model.lint.subject import Subject

__all__ = ["bundle"]

_README = """\
diagnosis.txt    what datafluid found; diagnosis.json is the same for programs
objects/*.json   what it looked at, kind by kind; anything that could be secret reads ***
events.json      events of the namespace
Secrets, ConfigMaps and logs are not in here.
"""


def bundle(diagnosis: Diagnosis) -> bytes:
    """A gzipped tar archive of what was seen and what was made of it.

    Secrets were masked when the picture was taken; no Secret and no ConfigMap is in it at all.

    Example:
        >>> from datafluid.diagnosis.table import diagnose
        >>> from datafluid.diagnosis.picture import Picture
        >>> from datafluid.model.ref import Ref
        >>> picture = Picture(ref=Ref("Dataset", "flights", "team"), namespace="team", now=0.0)
        >>> with tarfile.open(fileobj=io.BytesIO(bundle(diagnose(picture)))) as archive:
        ...     archive.getnames()
        ['README.txt', 'diagnosis.txt', 'diagnosis.json', 'events.json']
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in _files(diagnosis):
            data = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), int(diagnosis.picture.now), 0o600
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _files(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    picture = diagnosis.picture
    yield "README.txt", _README
    yield "diagnosis.txt", diagnosis.text() + "\n"
    yield "diagnosis.json", _json(diagnosis.as_dict())
    told = [{"subject": str(each.subject), **asdict(each.event)} for each in picture.happenings]
    yield "events.json", _json(told)
    for kind, subjects in sorted(picture.objects.items()):
        if subjects:
            yield f"objects/{kind.replace('/', '.')}.json", _json([_plain(each) for each in subjects])


def _plain(subject: Subject) -> object:
    return dict(subject.data)


def _json(data: object) -> str:
    return json.dumps(data, indent=2, default=str) + "\n"
