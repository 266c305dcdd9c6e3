"""The file prefetcher: a container that reads files before, or while, the pod's own containers run.

What its annotations ask for is checked before anything else is done, and a mistake in them ends the whole
call: the pod is admitted with no affinity, no mounts and no sidecar.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.golang import parse_bool, parse_int32, quoted
from datafluid.model.plain import as_text
from datafluid.model.prefetch import PREFETCH
from datafluid.workload.webhook.draft import PodDraft, name_of
from datafluid.workload.webhook.mounted import MountedDataset
from datafluid.workload.webhook.outcome import Swallowed
from datafluid.workload.webhook.volumes import FUSE_CONTAINER

__all__ = ["prefetch_files"]

_INJECT, _DONE, _IMAGE, _FILES, _ASYNC, _ENVS, _TIMEOUT = (
    PREFETCH + name
    for name in (
        "inject",
        "inject-done",
        "image",
        "file-list",
        "async-prefetch",
        "extra-envs",
        "prefetch-timeout-seconds",
    )
)
_IMAGE_OF_WEBHOOK = "FILE_PREFETCHER_IMAGE"
_CONTAINER = "fluid-file-prefetcher"
_STATUS = {"name": "fluid-file-prefetcher-status-vol", "mountPath": "/tmp/fluid-file-prefetcher/status"}  # noqa: S108 - a path in a container
_ALL, _SCHEME = "<ALL>", "pvc://"
_WAIT = (
    "cnt=0; while [[ $cnt -lt $FILE_PREFETCHER_TIMEOUT_SECONDS ]]; do "
    f'if [[ -e "{_STATUS["mountPath"]}/prefetcher.status" ]]; then exit 0; fi; '
    "cnt=$(expr $cnt + 1); sleep 1; done; "
    'echo "time out waiting for prefetching done"; exit 1'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    image: str
    envs: Mapping[str, str]
    mounts: Mapping[str, str]  # the volume's name and where it is mounted
    globs: tuple[str, ...]
    in_background: bool
    timeout: int


def prefetch_files(draft: PodDraft, datasets: Mapping[str, MountedDataset], env: Mapping[str, str]) -> None:
    """``FilePrefetcher``: add the container that the annotations ask for, if they do.

    Raises:
        Swallowed: they ask for something that cannot be.
    """
    asked = draft.annotations
    if asked.get(_INJECT) != "true" or asked.get(_DONE) == "true":
        return
    try:
        wanted = _wanted(draft, datasets, env)
    except ValueError as error:
        raise Swallowed(f"failed to build file prefetcher config: {error}") from None
    if not wanted.globs:
        return
    if wanted.in_background:
        for container in draft.containers:
            if not name_of(container).startswith(FUSE_CONTAINER):
                container["volumeMounts"] = [*draft.items(container, "volumeMounts"), dict(_STATUS)]
    containers = draft.containers
    fuse = [index for index, each in enumerate(containers) if name_of(each).startswith(FUSE_CONTAINER)]
    containers.insert(fuse[-1] + 1 if fuse else 0, _container(wanted))
    draft.spec["containers"] = containers
    draft.spec["volumes"] = [*draft.volumes, {"name": _STATUS["name"], "emptyDir": {}}]
    draft.annotate(_DONE, "true")


def _wanted(draft: PodDraft, datasets: Mapping[str, MountedDataset], env: Mapping[str, str]) -> _Wanted:
    asked = {str(key): as_text(value) for key, value in draft.annotations.items()}
    image = asked.get(_IMAGE, _image_of_webhook(env))
    if not image:
        raise ValueError(f"file prefetcher's image is required, set it in pod's annotation \"{_IMAGE}=<image>\"")
    envs = dict(_pairs(asked.get(_ENVS, "")))
    files = asked.get(_FILES, _ALL)
    uris = [_SCHEME + claim for claim in datasets] if files == _ALL else files.split(";")
    mounts: dict[str, str] = {}
    globs: list[str] = []
    for volume, pattern in _patterns(uris, draft, datasets):
        mounts[volume] = posixpath.join("/data", volume)
        globs.append(posixpath.normpath(f"{mounts[volume]}/{pattern}"))
    background = parse_bool(asked.get(_ASYNC, "false"))
    if background is None:
        wrong = f"{asked[_ASYNC]}, must either be false or true: strconv.ParseBool: parsing {quoted(asked[_ASYNC])}"
        raise ValueError(f"invalid value for {_ASYNC}: {wrong}: invalid syntax")
    seconds = asked.get(_TIMEOUT, "120")
    timeout, problem = parse_int32(seconds)
    if problem:
        wrong = f"{seconds}, must be of type integer: strconv.ParseInt: parsing {quoted(seconds)}: {problem}"
        raise ValueError(f"invalid value for {_TIMEOUT}: {wrong}")
    return _Wanted(image=image, envs=envs, mounts=mounts, globs=tuple(globs), in_background=background, timeout=timeout)


def _image_of_webhook(env: Mapping[str, str]) -> str:
    image = env.get(_IMAGE_OF_WEBHOOK, "")
    repository, _, tag = image.rpartition(":")
    return image if re.fullmatch(r"\S+:\S+", image) and repository and tag else ""


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split(" ") if text else ():
        key, equals, value = pair.partition("=")
        if not equals or "=" in value:
            form = "'<key1>=<value1> <key2>=<value2> <key3>=<value3>'"
            found = f"but found unexpected key-value pair: {pair}"
            raise ValueError(f"file prefetcher's extra envs is required to be {form}, {found}")
        yield key, value


def _patterns(uris: list[str], draft: PodDraft, datasets: Mapping[str, MountedDataset]) -> Iterator[tuple[str, str]]:
    """The volumes that URIs speak of, and the pattern below each; what is not ours is passed over."""
    for uri in uris:
        if not uri.startswith(_SCHEME):
            continue
        name, slash, path = uri.removeprefix(_SCHEME).partition("/")
        if name in datasets:
            pattern = posixpath.normpath("/" + path.lstrip("/")).lstrip("/") if slash else "**"
            yield from ((volume, pattern) for volume, claim in draft.claims() if claim == name)


def _container(wanted: _Wanted) -> dict[str, Any]:
    env = {
        "FILE_PREFETCHER_FILE_LIST": ";".join(wanted.globs),
        "FILE_PREFETCHER_ASYNC_PREFETCH": "true" if wanted.in_background else "false",
        "FILE_PREFETCHER_TIMEOUT_SECONDS": str(wanted.timeout),
    }
    mounts = [{"name": volume, "mountPath": path} for volume, path in wanted.mounts.items()]
    container: dict[str, Any] = {
        "name": _CONTAINER,
        "image": wanted.image,
        "env": [_variable(name, value) for name, value in (*env.items(), *wanted.envs.items())],
        "volumeMounts": [*mounts, dict(_STATUS)],
    }
    if not wanted.in_background:
        container["lifecycle"] = {"postStart": {"exec": {"command": ["bash", "-c", _WAIT]}}}
    return container


def _variable(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value} if value else {"name": name}
