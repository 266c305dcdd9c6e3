"""Rules about our own settings, which Fluid's CRDs have no field for: annotations ``datafluid.io/<name>``."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from datafluid.model.lint.facts import OPERATIONS, closest
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_map, show

_PREFIX = "datafluid.io/"
_DURATION = re.compile(r"\d{1,9}(ms|s|m|h)?", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)

Check = Callable[[str], bool]


def _one_of(*words: str) -> tuple[Check, str]:
    return (lambda text: text in words), f"Write {' or '.join(words)}."


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


_WHOLE: tuple[Check, str] = (
    lambda text: bool(_COUNT.fullmatch(text)),
    'Write a whole number in quotes, such as "3".',
)
_CRON_SETTINGS: dict[str, tuple[Check, str]] = {
    "time-zone": (_is_zone, "Use an IANA name such as UTC, Europe/Berlin or Asia/Shanghai."),
    "suspend": _one_of("true", "false"),
    "concurrency-policy": _one_of("Forbid", "Allow", "Replace"),
    "starting-deadline-seconds": _WHOLE,
    "successful-history-limit": _WHOLE,
    "failed-history-limit": _WHOLE,
}
_OPERATION = {**_CRON_SETTINGS, "cancel": _one_of("true", "false")}
_SETTINGS: dict[str, dict[str, tuple[Check, str]]] = {
    **dict.fromkeys(OPERATIONS, _OPERATION),
    "DataBackup": {**_OPERATION, "accept-backup": _one_of("true", "false")},
    "Dataset": {
        "refresh": (
            lambda text: text in ("never", "open") or bool(_DURATION.fullmatch(text)),
            "Write never, open, or a time such as 60s.",
        ),
        "offline": _one_of("serve-stale", "fail"),
        "s3-gateway": (
            lambda text: text.startswith(("http://", "https://")),
            "Write where a JuiceFS S3 gateway serves it: http://host:port/bucket.",
        ),
        # What `datafluid submit` writes itself.
        "pinned": _one_of("true"),
        "made-for-workloads": _one_of("true"),
    },
}


def _ours(subject: Subject) -> list[tuple[str, str, object]]:
    annotations = as_map(subject.at("metadata", "annotations"))
    return [
        (str(key), str(key).removeprefix(_PREFIX), value)
        for key, value in annotations.items()
        if str(key).startswith(_PREFIX)
    ]


@rule(
    "DF020",
    "A setting that does not exist",
    "warning",
    kinds=tuple(_SETTINGS),
    source="settings of datafluid",
)
def unknown(subject: Subject, scope: Scope) -> Hits:
    known = _SETTINGS[subject.kind]
    for key, name, _ in _ours(subject):
        if name in known:
            continue
        meant = closest(name, list(known))
        hint = f"Did you mean {_PREFIX}{meant}?" if meant else f"{subject.kind} has {', '.join(known)}."
        yield Hit(("metadata", "annotations", key), f"{subject.kind} has no setting {show(name)}.", hint)


@rule("DF021", "A setting of wrong value", "error", kinds=tuple(_SETTINGS), source="settings of datafluid")
def wrong_value(subject: Subject, scope: Scope) -> Hits:
    for key, name, value in _ours(subject):
        check, hint = _SETTINGS[subject.kind].get(name, (lambda text: True, ""))
        if not isinstance(value, str) or not check(value):
            message = f"{show(value)} is no value for {name}." if hint else "an annotation is text."
            yield Hit(("metadata", "annotations", key), message, hint or "Put it in quotes.")


@rule("DF022", "A cron setting without policy Cron", "warning", kinds=OPERATIONS, source="settings of datafluid")
def without_cron(subject: Subject, scope: Scope) -> Hits:
    if subject.spec.get("policy") == "Cron":
        return
    for key, name, _ in _ours(subject):
        if name in _CRON_SETTINGS:
            yield Hit(
                ("metadata", "annotations", key),
                f"{name} means nothing for an operation that runs once.",
                "Add spec.policy: Cron and a schedule, or leave it out.",
            )
