"""Rules about ``tieredstore``: the media, paths and sizes of a cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_text, show
from datafluid.model.quantity import parse_quantity

# CacheRuntime has tiers of another shape.
_TIERED = tuple(kind for kind in RUNTIMES if kind != "CacheRuntime")
_ALL_SPELLINGS = ("tieredstore", "tieredStore", "TieredStore", "tiered_store", "tiredstore", "tieredstores")
_MOST_BITS = 128
_LEVEL_KEYS = {"high": "high", "low": "low"}


def _levels(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    return subject.maps("spec", "tieredstore", "levels")


def _is_size(value: Any) -> bool:
    if not isinstance(value, str | int) or (isinstance(value, int) and value.bit_length() > _MOST_BITS):
        return False
    try:
        return parse_quantity(value) > 0
    except Invalid:
        return False


@rule(
    "DF204",
    "A cache level without a size",
    "error",
    kinds=_TIERED,
    source="Fluid: either quota or quotaList must be set",
)
def no_quota(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        if level.get("quota") in (None, "") and not level.get("quotaList"):
            yield Hit(path, "the level has neither quota nor quotaList.", "Add quota, for example 10Gi.")


@rule("DF205", "A cache size that is none", "error", kinds=_TIERED, source="Fluid: quota")
def bad_quota(subject: Subject, scope: Scope) -> Hits:
    hint = "Write a quantity larger than zero, such as 512Mi, 10Gi or 1Ti."
    for path, level in _levels(subject):
        quota = level.get("quota")
        if quota not in (None, "") and not _is_size(quota):
            yield Hit((*path, "quota"), f"{show(quota)} is no size for a cache.", hint)
        parts = as_text(level.get("quotaList")).split(",")
        if len(parts) > 1 and not all(_is_size(part) for part in parts):
            yield Hit((*path, "quotaList"), f"{show(level['quotaList'])} is no list of sizes.", hint)


@rule("DF206", "A quotaList of one size", "error", kinds=_TIERED, source="Fluid")
def quota_list_of_one(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        quotas = as_text(level.get("quotaList"))
        if quotas and "," not in quotas:
            hint = f"Write quota: {show(quotas)} instead."
            yield Hit((*path, "quotaList"), "a quotaList of one size is refused by the API server.", hint)


@rule(
    "DF207",
    "As many sizes as paths",
    "error",
    kinds=_TIERED,
    source="pkg/ddc/base/runtime.go, convertToTieredstoreInfo",
)
def quotas_and_paths(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        quotas, paths = as_text(level.get("quotaList")), as_text(level.get("path"))
        if "," in quotas and paths and quotas.count(",") != paths.count(","):
            yield Hit(
                (*path, "quotaList"),
                f"{quotas.count(',') + 1} sizes for {paths.count(',') + 1} paths.",
                "Give one size for each path, or one quota that is divided among them.",
            )


@rule("DF208", "Both quota and quotaList", "warning", kinds=_TIERED, source="pkg/ddc/base/runtime.go")
def two_quotas(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        if level.get("quota") not in (None, "") and "," in as_text(level.get("quotaList")):
            yield Hit((*path, "quota"), "quota means nothing beside quotaList.", "Keep one of the two.")


def _fraction(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return None
    return number if 0 < number <= 1 else None


@rule("DF209", "A watermark that is no fraction", "error", kinds=_TIERED, source="Fluid: high and low")
def watermark(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        for key in _LEVEL_KEYS:
            if level.get(key) not in (None, "") and _fraction(level[key]) is None:
                yield Hit(
                    (*path, key),
                    f"{show(level[key])} is no fraction of the quota.",
                    'Write a number between 0 and 1 in quotes, such as "0.95".',
                )


@rule("DF210", "A high watermark below the low one", "error", kinds=_TIERED, source="Fluid: high and low")
def watermarks_swapped(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        high, low = _fraction(level.get("high")), _fraction(level.get("low"))
        if high is not None and low is not None and high <= low:
            yield Hit(
                (*path, "high"),
                "high is not above low.",
                'Eviction goes from high down to low: "0.95", "0.7".',
            )


@rule(
    "DF211",
    "A cache level in an emptyDir",
    "warning",
    kinds=("AlluxioRuntime",),
    source="Fluid: short-circuit",
    plane="kubernetes",
)
def empty_dir(subject: Subject, scope: Scope) -> Hits:
    for path, level in _levels(subject):
        if level.get("volumeType") == "emptyDir":
            yield Hit(
                (*path, "volumeType"),
                "a level in an emptyDir switches short-circuit reads off for all levels.",
                "Use volumeType: hostPath unless the cluster forbids it; for MEM the path /dev/shm.",
            )


@rule(
    "DF212",
    "tieredstore spelled wrong",
    "error",
    kinds=tuple(RUNTIMES),
    source="Fluid: unknown fields are pruned",
)
def spelling(subject: Subject, scope: Scope) -> Hits:
    if subject.kind == "CacheRuntime":
        for part in ("worker", "client"):
            if subject.at("spec", part, "tieredstore") is not None:
                hint = "Write tieredStore: CacheRuntime alone has a capital S."
                yield Hit(("spec", part, "tieredstore"), "CacheRuntime has no field of this spelling.", hint)
        return
    for key in _ALL_SPELLINGS[1:]:
        if key in subject.spec:
            also = " beside tieredstore" if "tieredstore" in subject.spec else ""
            yield Hit(
                ("spec", key),
                f"{key}{also} is dropped without a word, and the cache with it.",
                "Write tieredstore, all in lower case.",
            )
