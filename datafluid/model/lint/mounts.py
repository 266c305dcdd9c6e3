"""Rules about ``spec.mounts`` of a dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.lint.credentials import show_url
from datafluid.model.lint.facts import closest
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_map, as_text, show
from datafluid.model.mount_options import misspelt
from datafluid.model.mount_points import meant_url, scheme_of

_DATASET = ("Dataset",)
_SHORTEST = 5
_KNOWN_SCHEMES = tuple(
    (
        "local pvc dataset http https s3 s3a s3n oss cos cosn obs tos gs gcs az abfs abfss wasb wasbs hdfs "
        "webhdfs viewfs juicefs jfs nfs cephfs ceph glusterfs lustre efs cpfs nas ufs jindo alluxio swift ozone "
        "o3fs ofs kodo ftp ftps sftp smb hf github minio vineyard v6d curvine cubefs git chubaofs "
    ).split()
)
#: Web servers: no listings.
WEB = ("http", "https")
_WITH_STORE = (*WEB, *"s3 s3a s3n gs gcs oss cos cosn obs tos az abfs abfss wasb wasbs ftp ftps sftp".split())
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_NFS_EXPORT = re.compile(r"[A-Za-z0-9.\[\]-]+:/(?!/)", re.ASCII)
_CLAIM_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", re.ASCII)
_LOOKS_LOCAL = re.compile(r"local:(?!///)", re.IGNORECASE)
_LOOKS_PVC = re.compile(r"pvc:", re.IGNORECASE)


def points(subject: Subject) -> Iterator[tuple[Path, str]]:
    """The mount points of a dataset, each with its path."""
    for path, mount in subject.maps("spec", "mounts"):
        if isinstance(mount.get("mountPoint"), str):
            yield (*path, "mountPoint"), mount["mountPoint"]


@rule(
    "DF103",
    "A mount point too short to be one",
    "error",
    kinds=_DATASET,
    source="Fluid: minLength",
)
def too_short(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        if len(point) < _SHORTEST:
            yield Hit(
                path,
                f"the mount point {show_url(point)} has fewer than {_SHORTEST} characters.",
                "Write a URL such as s3://bucket/prefix or local:///data.",
            )


@rule("DF104", "A mount point of unknown scheme", "warning", kinds=_DATASET, source="Fluid: schemes")
def unknown_scheme(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        matched = _SCHEME.match(point)
        scheme = matched[1].lower() if matched else ""
        odd = _LOOKS_LOCAL.match(point) or _LOOKS_PVC.match(point) or len(point) < _SHORTEST
        if odd or scheme in _KNOWN_SCHEMES or (not matched and _NFS_EXPORT.match(point)):
            continue
        yield Hit(path, *_about_scheme(point, scheme))


def _about_scheme(point: str, scheme: str) -> tuple[str, str]:
    if scheme == "file" or point.startswith("/"):
        return (
            "Fluid gives a path of this machine another scheme.",
            f"Write {show_url(meant_url(point))}, and read on which node it has to exist.",
        )
    if not scheme:
        return "the mount point is no URL.", f"Write {show_url(meant_url(point))}."
    meant = closest(scheme, _KNOWN_SCHEMES)
    hint = f"Did you mean {meant}://?" if meant else "Check that the runtime's engine can mount it."
    return f"no engine of Fluid is known to mount {show(scheme + '://')}.", hint


@rule("DF125", "A mount point that names no store", "error", kinds=_DATASET, source="the URLs of stores")
def no_store(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        matched = _SCHEME.match(point)
        rest = point[matched.end() :] if matched else ""
        if matched and matched[1].lower() in _WITH_STORE and rest[:1] in ("", "/", "?", "#"):
            what, example = ("host", "example.com/path") if matched[1].lower() in WEB else ("bucket", "bucket/prefix")
            yield Hit(path, f"{show_url(point)} names no {what}.", f"Write {matched[1]}://{example}.")


@rule(
    "DF107",
    "A local path spelled wrong",
    "error",
    kinds=_DATASET,
    source="Fluid: pkg/common/fluid_ufs_scheme.go",
)
def local_spelling(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        if _LOOKS_LOCAL.match(point):
            rest = point.partition(":")[2].lstrip("/")
            yield Hit(
                path,
                f"{show_url(point)} names no absolute path.",
                f"Write {show_url('local:///' + rest)}: three slashes.",
            )


@rule(
    "DF108",
    "A volume claim spelled wrong",
    "error",
    kinds=_DATASET,
    source="Fluid: pkg/common/fluid_ufs_scheme.go",
)
def pvc_spelling(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        if not _LOOKS_PVC.match(point):
            continue
        claim = point.removeprefix("pvc://").partition("/")[0]
        if not point.startswith("pvc://") or not _CLAIM_NAME.fullmatch(claim):
            yield Hit(
                path,
                f"{show_url(point)} names no claim.",
                "Write pvc://<claim>/<path> with the name of a PersistentVolumeClaim in the same namespace.",
            )


@rule("DF113", "Two mounts of one name", "error", kinds=_DATASET, source="Fluid")
def same_name(subject: Subject, scope: Scope) -> Hits:
    seen: set[str] = set()
    for path, mount in subject.maps("spec", "mounts"):
        name = as_text(mount.get("name"))
        if name and name in seen:
            yield Hit(
                (*path, "name"),
                f"a mount before it is called {show(name)} too.",
                "Give each mount its own name.",
            )
        seen.add(name)


@rule("DF114", "Two mounts at one path", "error", kinds=_DATASET, source="Fluid")
def same_path(subject: Subject, scope: Scope) -> Hits:
    seen: dict[str, str] = {}
    for path, mount in subject.maps("spec", "mounts"):
        place, name = mount_path(mount), as_text(mount.get("name"))
        if place in seen and not (name and seen[place] == name and not mount.get("path")):
            yield Hit(
                (*path, "path") if mount.get("path") else path,
                f"it is mounted at {show(place)}, where another mount already is.",
                "Give each mount a name or a path of its own; without a path it is /<name>.",
            )
        seen.setdefault(place, name)


def mount_path(mount: Mapping[str, Any]) -> str:
    """Where a mount appears in its dataset."""
    return "/" + (as_text(mount.get("path")) or as_text(mount.get("name"))).strip("/")


@rule("DF115", "An option that is given twice", "warning", kinds=_DATASET, source="Fluid: encryptOptions")
def option_twice(subject: Subject, scope: Scope) -> Hits:
    shared = [*_encrypted(subject, ("spec", "sharedEncryptOptions"))]
    yield from _twice(shared, as_map(subject.at("spec", "sharedOptions")))
    for path, mount in subject.maps("spec", "mounts"):
        yield from _twice([*_encrypted(subject, (*path, "encryptOptions"))], as_map(mount.get("options")))


@rule("DF124", "An option that is a slip of another", "warning", kinds=_DATASET, source="under-stores of datafluid")
def option_slip(subject: Subject, scope: Scope) -> Hits:
    mounts = [*subject.maps("spec", "mounts")]
    places: list[tuple[Path, Mapping[str, Any], list[tuple[Path, Mapping[str, Any]]]]]
    places = [(("spec", "sharedOptions"), as_map(subject.at("spec", "sharedOptions")), mounts)]
    places += [((*path, "options"), as_map(mount.get("options")), [(path, mount)]) for path, mount in mounts]
    for place, options, among in places:
        schemes = {scheme_of(as_text(mount.get("mountPoint"))) for _, mount in among}
        for name in map(str, options):
            meant = {misspelt(scheme, name) for scheme in schemes}
            if len(meant) == 1 and (spelling := meant.pop()):
                yield Hit((*place, name), f"nothing is known of an option {show(name)}.", f"Did you mean {spelling}?")


def _encrypted(subject: Subject, path: Path) -> Iterator[tuple[Path, str]]:
    for place, option in subject.maps(*path):
        yield (*place, "name"), as_text(option.get("name"))


def _twice(encrypted: list[tuple[Path, str]], plain: Mapping[str, Any]) -> Hits:
    seen: set[str] = set()
    for path, name in encrypted:
        if name and (name in plain or name in seen):
            yield Hit(path, f"the option {show(name)} is given twice.", "Keep the one that comes from the Secret.")
        seen.add(name)
