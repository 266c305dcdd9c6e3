"""A manifest fit to be shown and sent to others: structure stays, what could be secret does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from datafluid.model.lint.credentials import is_credential_name
from datafluid.redaction import HIDDEN, redact_options, redact_url, scrub

__all__ = ["mask", "mask_text", "masked_values"]

_OPTION_MAPS = {"options", "sharedOptions", "parallelOptions", "properties", "env"}
_VARIABLES = {"env", "httpHeaders"}
_WORDS = {"command", "args", "jvmOptions", "source"}
_URLS = {"mountPoint", "uri"}
_DROPPED = {"managedFields", "kubectl.kubernetes.io/last-applied-configuration"}
_ENVIRONMENT = "file-prefetcher.fluid.io/extra-envs"
_OURS = ("fluid.io", "kubernetes.io", "helm.sh", "datafluid.io")
_USER_IN_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@'\"]+@")
_SETTING = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?P<is>\s*[=:]\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&)\]}\"']+)")


def mask(value: Any, *, key: str = "", secrets: frozenset[str] = frozenset()) -> Any:
    """A manifest, or a part of one, without anything that could be secret.

    Values of options, properties and environments go (a safe list stays), and so do commands, arguments and the
    annotations of others, users and queries of URLs, and ``name=value`` of telling names in any text.

    Args:
        value: The manifest.
        key: The field that it stands in.
        secrets: Values that are secret elsewhere (`masked_values`), to be cut out of messages.

    Example:
        >>> mask({"options": {"region": "eu", "key": "x"}, "mountPoint": "s3://a:b@bucket/d", "args": ["--pw=x"]})
        {'options': {'region': 'eu', 'key': '***'}, 'mountPoint': 's3://bucket/d', 'args': ['***']}
    """
    if key in _WORDS:
        return _hidden(value)
    if key in _OPTION_MAPS and isinstance(value, Mapping):
        return redact_options({str(name): str(each) for name, each in value.items()})
    if key in _VARIABLES and isinstance(value, list):
        return [_variable(each) for each in value]
    if key == "annotations" and isinstance(value, Mapping):
        return {name: _annotation(str(name), each) for name, each in value.items() if name not in _DROPPED}
    if isinstance(value, Mapping):
        return {
            name: mask(each, key=str(name), secrets=secrets) for name, each in value.items() if name not in _DROPPED
        }
    if isinstance(value, list):
        return [mask(each, key=key, secrets=secrets) for each in value]
    if isinstance(value, str):
        return redact_url(value) if key in _URLS else mask_text(value, secrets if key == "message" else frozenset())
    return value


def mask_text(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """Text of others without credentials.

    Args:
        secrets: Values that were hidden elsewhere.

    Example:
        >>> mask_text("mount s3://me:pw@host/b failed: secretKey=abc, region=eu")
        'mount s3://***@host/b failed: secretKey=***, region=eu'
    """
    text = scrub(_USER_IN_URL.sub(rf"\g<scheme>{HIDDEN}@", text), secrets)
    shown, at = "", 0
    while found := _SETTING.search(text, at):  # what follows a harmless name may be a telling one
        telling = is_credential_name(found["name"])
        shown += text[at : found.start("value")] + (HIDDEN if telling else "")
        at = found.end() if telling else found.start("value")
    return shown + text[at:]


def masked_values(value: Any, *, key: str = "") -> frozenset[str]:
    """The values that `mask` hides because their name tells that they are secret: for scrubbing messages.

    Example:
        >>> sorted(masked_values({"options": {"region": "eu-west-1", "fs.s3a.secret.key": "hunter2hunter2"}}))
        ['hunter2hunter2']
    """
    found: set[str] = set()
    if isinstance(value, Mapping):
        for name, each in value.items():
            if key in _OPTION_MAPS and isinstance(each, str):
                found |= {each} if is_credential_name(str(name)) else set()
            else:
                found |= masked_values(each, key=str(name))
        name, text = value.get("name"), value.get("value")
        if key == "env" and isinstance(text, str) and is_credential_name(str(name)):
            found.add(text)
    elif isinstance(value, list):
        for each in value:
            found |= masked_values(each, key=key)
    return frozenset(found)


def _hidden(value: Any) -> Any:
    return [HIDDEN for _ in value] if isinstance(value, list) else HIDDEN if value else value


def _variable(variable: Any) -> Any:
    if not isinstance(variable, Mapping) or "value" not in variable:
        return variable
    return {**variable, "value": HIDDEN}


def _annotation(name: str, value: Any) -> Any:
    if name == _ENVIRONMENT:
        return re.sub(r"(?<==)[^\s=]+", HIDDEN, str(value))  # what is wrong with it is its signs, not its words
    domain = name.partition("/")[0]
    ours = any(domain == each or domain.endswith(f".{each}") for each in _OURS)
    return mask_text(str(value)) if ours or name == "CreatedBy" else HIDDEN
