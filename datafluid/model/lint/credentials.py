"""Secrets where everybody can read them. Their values are looked at here and shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_map, as_text, show
from datafluid.redaction import has_password

__all__ = ["has_credentials", "is_credential_name", "show_url"]

_SECRET_WORD = re.compile(
    r"secret|passw|passphrase|token|accesskey|accountkey|privatekey|credential|^sas$|saskey|apikey|"
    r"^(sig|signature|xamzsignature|xamzcredential)$"
)
_HARMLESS_END = re.compile(r"(provider|providers|file|path|name|names|enabled|expiry|expiration|duration|class|type)$")
_ENCRYPT = "Move it to encryptOptions and name the Secret and key that hold it."
_OPTION_MAPS = (("spec", "options"), ("spec", "parallelOptions"))
_RUNTIME_MAPS = ("properties", "options", "env")
_COMPONENTS = (
    "master",
    "worker",
    "jobMaster",
    "jobWorker",
    "apiGateway",
    "fuse",
    "client",
    "initUsers",
    "initFuse",
)


def is_credential_name(name: str) -> bool:
    """Whether an option of this name holds something secret.

    Example:
        >>> is_credential_name("aws.secretKey"), is_credential_name("fs.s3a.aws.credentials.provider")
        (True, False)
    """
    folded = re.sub(r"[^a-z0-9]", "", name.lower())
    return bool(_SECRET_WORD.search(folded)) and not _HARMLESS_END.search(folded)


def has_credentials(url: str) -> bool:
    """Whether a URL carries a password, a key or a signature.

    Example:
        >>> has_credentials("redis://:pw@host/1"), has_credentials("sftp://user@host/x")
        (True, False)
    """
    if has_password(url):
        return True
    try:
        query = parse_qsl(urlsplit(url).query)
    except ValueError:
        return False
    return any(is_credential_name(name) and value for name, value in query)


def show_url(url: str) -> str:
    """A URL as it may stand in a message: not at all when it carries credentials."""
    return "the URL, which carries credentials," if has_credentials(url) else show(url)


def _plain(path: Path, options: Any) -> Iterator[Path]:
    for name, value in as_map(options).items():
        text = as_text(value)
        if text and ((is_credential_name(str(name)) and not text.startswith("$")) or has_credentials(text)):
            yield (*path, str(name))


@rule(
    "DF105",
    "Credentials in the URL of a mount",
    "error",
    kinds=("Dataset",),
    source="datafluid: secrets",
)
def mount_url(subject: Subject, scope: Scope) -> Hits:
    for path, mount in subject.maps("spec", "mounts"):
        if has_credentials(as_text(mount.get("mountPoint"))):
            yield Hit((*path, "mountPoint"), "the mount point carries credentials in its URL.", _ENCRYPT)


@rule(
    "DF106",
    "Credentials in plain options of a dataset",
    "error",
    kinds=("Dataset",),
    source="datafluid: secrets",
)
def dataset_options(subject: Subject, scope: Scope) -> Hits:
    found = [*_plain(("spec", "sharedOptions"), subject.at("spec", "sharedOptions"))]
    for path, mount in subject.maps("spec", "mounts"):
        found += _plain((*path, "options"), mount.get("options"))
    for path in found:
        where = "sharedEncryptOptions" if path[1] == "sharedOptions" else "encryptOptions"
        yield Hit(
            path,
            f"the option {show(path[-1])} holds a credential in plain text.",
            f"Move it to {where} and name the Secret and key that hold it.",
        )


@rule(
    "DF214",
    "Credentials in plain properties or options of a runtime",
    "error",
    kinds=tuple(RUNTIMES),
    source="datafluid: secrets",
)
def runtime_options(subject: Subject, scope: Scope) -> Hits:
    places: list[tuple[Path, Mapping[str, Any]]] = [(("spec",), subject.spec)]
    places += [(("spec", part), as_map(subject.spec.get(part))) for part in _COMPONENTS]
    for place, component in places:
        for field in _RUNTIME_MAPS:
            for path in _plain((*place, field), component.get(field)):
                yield Hit(
                    path,
                    f"{show(path[-1])} holds a credential in plain text.",
                    "Put it into encryptOptions of the dataset's mount, which names a Secret.",
                )


@rule(
    "DF338",
    "Credentials in plain options or URLs of an operation",
    "error",
    kinds=("DataLoad", "DataMigrate"),
    source="datafluid: secrets",
)
def operation_options(subject: Subject, scope: Scope) -> Hits:
    for side in ("from", "to"):
        path: Path = ("spec", side, "externalStorage", "uri")
        if has_credentials(as_text(subject.at(*path))):
            yield Hit(path, "the URI of the external storage carries credentials.", _ENCRYPT)
    for place in _OPTION_MAPS:
        for path in _plain(place, subject.at(*place)):
            yield Hit(
                path,
                f"the option {show(path[-1])} holds a credential in plain text.",
                "Put it into encryptOptions of the dataset's mount, which names a Secret.",
            )
