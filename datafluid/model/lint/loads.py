"""Rules about what a DataLoad loads."""

from __future__ import annotations

import re

from datafluid.model.lint.facts import is_reference, mount_points, runtimes_of, target_dataset
from datafluid.model.lint.mounts import WEB, mount_path
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_list, as_map, as_text, show
from datafluid.model.mount_points import scheme_of

_REFUSED_IN_ARGUMENTS = "&|;$'`()>"


def _load_paths(subject: Subject) -> list[tuple[Path, str]]:
    return [((*place, "path"), as_text(item.get("path"))) for place, item in subject.maps("spec", "target")]


@rule(
    "DF328",
    "Characters that Fluid refuses in commands",
    "error",
    kinds=("DataLoad",),
    source="Fluid: cmdguard",
    plane="kubernetes",
)
def refused_characters(subject: Subject, scope: Scope) -> Hits:
    options = subject.spec.get("options")
    texts = _load_paths(subject)
    texts += [(("spec", "options", str(key)), as_text(value)) for key, value in as_map(options).items()]
    for path, text in texts:
        bad = sorted(set(text) & set(_REFUSED_IN_ARGUMENTS))
        if bad:
            yield Hit(
                path,
                f"Fluid refuses to run a command with {' '.join(bad)} in it.",
                "Load the directory above it, or rename the file.",
            )


@rule(
    "DF329",
    "A load path that the chart takes apart",
    "error",
    kinds=("DataLoad",),
    source="Fluid",
    plane="kubernetes",
)
def split_paths(subject: Subject, scope: Scope) -> Hits:
    for path, text in _load_paths(subject):
        if re.search(r"[:\s]", text):
            yield Hit(
                path,
                "a colon or blank in a path makes two paths of it.",
                "Load the directory above it, or rename the file.",
            )


@rule("DF347", "A load path that leads out", "error", kinds=("DataLoad",), source="datafluid: no path has '..'")
def path_out(subject: Subject, scope: Scope) -> Hits:
    for path, text in _load_paths(subject):
        if ".." in text.split("/"):
            yield Hit(path, f"{show(text)} has a '..' in it.", "Write the path that it stands for.")


@rule(
    "DF330",
    "A load path outside every mount",
    "warning",
    kinds=("DataLoad",),
    source="Fluid: target paths",
)
def path_in_no_mount(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(*target_dataset(subject))
    mounts = [mount_path(mount) for _, mount in dataset.maps("spec", "mounts")] if dataset else []
    if not mounts or (dataset is not None and is_reference(dataset)):
        mounts = ["/"]
    for path, text in _load_paths(subject):
        inside = any(_is_below(text, mount) or _is_below(mount, text) for mount in mounts)
        if text.startswith("/") and inside:
            continue
        hint = f"Begin it with {' or '.join(show(mount) for mount in mounts[:3])}."
        yield Hit(path, f"{show(text)} is below no mount of the dataset.", hint)


def _is_below(path: str, directory: str) -> bool:
    return (path.rstrip("/") + "/").startswith(directory.rstrip("/") + "/")


@rule(
    "DF348",
    "A load of a web server without targets",
    "warning",
    kinds=("DataLoad",),
    source="web servers list nothing",
    plane="embedded",
)
def unlistable(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(*target_dataset(subject))
    schemes = {scheme_of(point) for point in mount_points(dataset)} if dataset else set()
    if schemes and schemes.issubset(WEB) and not as_list(subject.spec.get("target")):
        yield Hit(("spec",), "a web server lists no files, so nothing says what to load.", "Name them in spec.target.")


@rule(
    "DF331",
    "A load of several mounts without targets",
    "error",
    kinds=("DataLoad",),
    source="Fluid: Jindo, issue 4439",
    plane="kubernetes",
)
def jindo_targets(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(*target_dataset(subject))
    if dataset is None or as_list(subject.spec.get("target")):
        return
    engines = {runtime.kind for runtime in runtimes_of(dataset, scope)}
    if "JindoRuntime" in engines and len(as_list(dataset.at("spec", "mounts"))) > 1:
        yield Hit(
            ("spec",),
            "JindoRuntime cannot load several mounts at once.",
            "List the mounts in spec.target, one path each.",
        )


@rule(
    "DF332",
    "Load options that the engine ignores",
    "warning",
    kinds=("DataLoad",),
    source="Fluid: Alluxio",
    plane="kubernetes",
)
def ignored_options(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(*target_dataset(subject))
    engines = {runtime.kind for runtime in runtimes_of(dataset, scope)} if dataset else set()
    if "AlluxioRuntime" in engines and as_map(subject.spec.get("options")):
        yield Hit(("spec", "options"), "AlluxioRuntime ignores the options of a DataLoad.", "Leave them out.")
