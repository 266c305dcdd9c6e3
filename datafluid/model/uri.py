"""``fluid://<namespace>/<dataset>/<path>``: one class parses, prints and walks it."""

from __future__ import annotations

from dataclasses import dataclass

from datafluid.errors import Invalid

__all__ = ["SCHEME", "FluidURI"]

SCHEME = "fluid"
_PREFIX = f"{SCHEME}://"


@dataclass(frozen=True, slots=True, order=True)
class FluidURI:
    """A place in a dataset, in canonical form.

    Canonical means: no trailing slash, no empty, ``.`` or ``..`` segments; percent-encoding is kept as given
    and means nothing here (object keys are bytes, not URLs). The first component of the path is always the
    dataset, never a mount. ``fluid:///x`` has the empty namespace, which stands for the context's own.

    Example:
        >>> uri = FluidURI.parse("fluid://team/imagenet/train/")
        >>> uri.namespace, uri.dataset, uri.path
        ('team', 'imagenet', 'train')
        >>> str(uri.joinpath("a.parquet"))
        'fluid://team/imagenet/train/a.parquet'
        >>> str(uri.parent)
        'fluid://team/imagenet'
    """

    namespace: str = ""
    dataset: str = ""
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> FluidURI:
        """Read a URI, or the same without its scheme.

        Args:
            text: ``fluid://ns/dataset/path``, ``fluid:///dataset`` or ``ns/dataset/path``. A leading slash
                without a scheme (``/ns/dataset``) is dropped, as fsspec callers write it both ways.

        Returns:
            The canonical form.

        Raises:
            Invalid: another scheme, a ``..`` or ``.`` segment, or a NUL byte.

        Example:
            >>> FluidURI.parse("team/imagenet//train")
            FluidURI(namespace='team', dataset='imagenet', path='train')
        """
        if text.startswith(_PREFIX):
            rest = text[len(_PREFIX) :]
            namespace, _, rest = rest.partition("/")
        elif _has_scheme(text):
            raise Invalid(
                f"{text[:200]!r} is not a {_PREFIX} URI.", hint=f"Write {_PREFIX}<namespace>/<dataset>/<path>."
            )
        else:
            namespace, _, rest = text.lstrip("/").partition("/")
        segments = [segment for segment in rest.split("/") if segment]
        _check([namespace, *segments], text)
        dataset = segments[0] if segments else ""
        return cls(namespace, dataset, "/".join(segments[1:]))

    @property
    def parent(self) -> FluidURI:
        """The directory above; the root is its own parent."""
        if self.path:
            return FluidURI(self.namespace, self.dataset, self.path.rpartition("/")[0])
        if self.dataset:
            return FluidURI(self.namespace)
        return FluidURI()

    @property
    def name(self) -> str:
        """The last component."""
        return self.path.rpartition("/")[2] or self.dataset or self.namespace

    def joinpath(self, *parts: str) -> FluidURI:
        """The URI of something below this one.

        Raises:
            Invalid: a part holds a ``..`` or ``.`` segment or a NUL byte.
        """
        segments = [segment for part in parts for segment in part.split("/") if segment]
        _check(segments, "/".join(parts))
        own = [component for component in (self.dataset, *self.path.split("/")) if component]
        whole = own + segments
        if not self.namespace and not self.dataset and whole:
            return FluidURI(whole[0], *_dataset_and_path(whole[1:]))
        return FluidURI(self.namespace, *_dataset_and_path(whole))

    def in_namespace(self, namespace: str) -> FluidURI:
        """The same place with the empty namespace replaced by ``namespace``."""
        return self if self.namespace else FluidURI(namespace, self.dataset, self.path)

    @property
    def bare(self) -> str:
        """Without the scheme, as fsspec passes paths around: ``ns/dataset/path``."""
        return "/".join(part for part in (self.namespace, self.dataset, self.path) if part)

    def __str__(self) -> str:
        below = "/".join(part for part in (self.dataset, self.path) if part)
        return f"{_PREFIX}{self.namespace}/{below}" if below else f"{_PREFIX}{self.namespace}"


def _dataset_and_path(segments: list[str]) -> tuple[str, str]:
    return (segments[0], "/".join(segments[1:])) if segments else ("", "")


def _check(segments: list[str], text: str) -> None:
    for segment in segments:
        if segment in {".", ".."}:
            raise Invalid(f"{text[:200]!r} has a {segment!r} segment.", hint="Write the path that it stands for.")
        if "\0" in segment:
            raise Invalid(f"{text[:200]!r} has a NUL byte.", hint="Remove it: no file name can hold one.")


def _has_scheme(text: str) -> bool:
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()
