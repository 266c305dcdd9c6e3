"""Which dataset a workload uses, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args

from datafluid.errors import Invalid
from datafluid.model.uri import SCHEME, FluidURI

__all__ = ["MOUNT_ROOT", "Api", "DatasetUse", "Locality", "Prefetch", "Via"]

Api = Literal["posix", "hcfs"]
Locality = Literal["prefer", "require", "off"]
Via = Literal["auto", "mount", "engine"]

#: Where datasets are mounted unless a use says otherwise; the mount route of ``fluid://`` looks there.
MOUNT_ROOT = "/mnt/fluid"
_SCHEME = f"{SCHEME}://"
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefetch:
    """Files that Fluid's prefetcher reads into the page cache before the workload starts.

    Args:
        files: Globs below the dataset's root; all files when empty.
        image: The prefetcher's image; None takes the webhook's own, which a cluster may not have.
        wait: Whether the workload waits for it.
        timeout: Seconds that it may take; after them the pod's start fails.

    Example:
        >>> Prefetch(files=("train/*.tar",), timeout=600).files
        ('train/*.tar',)
    """

    files: tuple[str, ...] = ()
    image: str | None = None
    wait: bool = True
    timeout: int = 120

    def __post_init__(self) -> None:
        for glob in self.files:
            if ";" in glob or glob.startswith("/"):
                raise Invalid(f"{glob[:80]!r} is no glob for the prefetcher.", hint="No ';', and no '/' in front.")
        if not 0 < self.timeout < 2**31:
            raise Invalid(f"a timeout of {self.timeout} seconds is none.", hint="Write seconds above 0.")


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """One dataset that a workload uses.

    Args:
        dataset: ``namespace/name``, or a name in the workload's own namespace. A URI
            (``fluid://namespace/name/below``) becomes that, and its path the sub-path.
        mount_path: Where its files appear; None takes ``/mnt/fluid/<namespace>/<dataset>``, and the sub-path below.
        sub_path: A directory of the dataset; only that is mounted.
        read_only: None takes what the dataset's access modes allow.
        api: ``posix``: files; ``hcfs``: Hadoop's FileSystem, at ``fluid://<namespace>/<dataset>``.
        via: Where Hadoop's client finds the bytes: through the ``mount``, or straight from the ``engine``, whose
            client jar it needs then. ``auto`` takes the engine where one is known to serve Hadoop clients.
        locality: ``prefer`` nodes that hold its cache, ``require`` them, or ``off``. Required datasets must meet
            on one node.
        reuse_fuse: Prefer nodes that have its FUSE mount already.
        prefetch: Files to read into the page cache first; needs Fluid's webhook.
        containers: The containers that use it; all but init containers when empty.
        roles: The pods of a workload that use it (``Worker``, ``executor``, a step's name); all when empty.

    Raises:
        Invalid: a name or a path that Kubernetes would not take.

    Example:
        >>> DatasetUse("team/imagenet", locality="require").locality
        'require'
        >>> DatasetUse("fluid://team/imagenet/train").sub_path
        'train'
    """

    dataset: str
    _: KW_ONLY
    mount_path: str | None = None
    sub_path: str = ""
    read_only: bool | None = None
    api: Api = "posix"
    via: Via = "auto"
    locality: Locality = "prefer"
    reuse_fuse: bool = True
    prefetch: Prefetch | None = None
    containers: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _one_of("api", self.api, get_args(Api))
        _one_of("via", self.via, get_args(Via))
        _one_of("locality", self.locality, get_args(Locality))
        if self.dataset.startswith(_SCHEME):
            self._read_uri()
        namespace, slash, name = self.dataset.rpartition("/")
        if not _NAME.fullmatch(name) or (slash and not _NAME.fullmatch(namespace)):
            raise Invalid(f"{self.dataset[:200]!r} is no dataset.", hint="Write namespace/name, or name.")
        if self.mount_path is not None and not _is_path(self.mount_path.removeprefix("/"), self.mount_path[:1] == "/"):
            raise Invalid(f"{self.mount_path[:200]!r} is no mount path.", hint="Write an absolute path without '..'.")
        if self.sub_path and not _is_path(self.sub_path, self.sub_path[:1] != "/"):
            raise Invalid(f"{self.sub_path[:200]!r} is no sub-path.", hint="Write a relative path without '..'.")

    def _read_uri(self) -> None:
        uri = FluidURI.parse(self.dataset)
        if uri.path and self.sub_path not in ("", uri.path):
            raise Invalid(
                f"{self.dataset[:200]!r} has a path, and sub_path is another.", hint="Say which part in one of them."
            )
        object.__setattr__(self, "dataset", f"{uri.namespace}/{uri.dataset}" if uri.namespace else uri.dataset)
        object.__setattr__(self, "sub_path", uri.path or self.sub_path)

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.dataset.rpartition("/")[2]

    def namespace(self, default: str) -> str:
        """The dataset's namespace; ``default`` when the use names none."""
        return self.dataset.rpartition("/")[0] or default

    @classmethod
    def parse(cls, text: str) -> DatasetUse:
        """Read ``NAMESPACE/DATASET[:PATH][,key=value,...]``, as the command line has it, or a URI in front.

        Lists are joined with ``+``. ``prefetch=true`` reads all files first, ``prefetch=GLOB+GLOB`` some, with
        ``prefetch_image=IMAGE``.

        Raises:
            Invalid: it is not of that form; suggests the key that was meant.

        Example:
            >>> DatasetUse.parse("team/imagenet:/data,locality=require,roles=Worker+Master").roles
            ('Worker', 'Master')
        """
        place, *settings = text.split(",")
        scheme = _SCHEME if place.startswith(_SCHEME) else ""
        dataset, colon, mount_path = place.removeprefix(scheme).partition(":")
        values: dict[str, Any] = {"mount_path": mount_path} if colon else {}
        for setting in settings:
            key, equals, value = setting.partition("=")
            key = key.strip().replace("-", "_")
            if key not in _READERS or not equals:
                near = get_close_matches(key, _READERS, n=1)
                hint = f"Did you mean {near[0]}=…?" if near else f"The keys are {', '.join(_READERS)}."
                raise Invalid(f"{setting[:80]!r} says nothing about a use of a dataset.", hint=hint)
            if key in values:
                raise Invalid(f"{place[:80]!r} says {key} twice.", hint="Say it once.")
            values[key] = _READERS[key](value)
        if image := values.pop("prefetch_image", None):
            values["prefetch"] = replace(values.get("prefetch") or Prefetch(), image=image)
        return cls(scheme + dataset, **values)


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Invalid(f"{what} cannot be {value[:80]!r}.", hint=f"Write one of {', '.join(allowed)}.")


def _is_path(path: str, right_start: bool) -> bool:
    steps = path.split("/")
    return right_start and not any(step in {"", ".", ".."} for step in steps) and ":" not in path and "\0" not in path


def _flag(text: str) -> bool:
    _one_of("a yes or no", text, ("true", "false"))
    return text == "true"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split("+") if word)


def _prefetch(text: str) -> Prefetch | None:
    if text in {"true", "false"}:
        return Prefetch() if text == "true" else None
    return Prefetch(files=_words(text))


_READERS: Mapping[str, Callable[[str], Any]] = {
    "api": str,
    "locality": str,
    "via": str,
    "mount_path": str,
    "sub_path": str,
    "read_only": _flag,
    "reuse_fuse": _flag,
    "prefetch": _prefetch,
    "prefetch_image": str,
    "containers": _words,
    "roles": _words,
}
