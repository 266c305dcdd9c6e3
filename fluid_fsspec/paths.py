"""Paths as fsspec passes them around: ``namespace/dataset/path``, without scheme, slashes at the ends or dots."""

from __future__ import annotations

from functools import lru_cache

from datafluid.model.uri import SCHEME, FluidURI

__all__ = ["split", "strip", "url"]

_PREFIX = f"{SCHEME}://"


@lru_cache(4096)
def strip(text: str, namespace: str | None) -> str:
    """The bare form of a URL or path; stripping again changes nothing.

    Args:
        namespace: What ``fluid:///dataset`` means; None for the default context's namespace.

    Raises:
        Invalid: another scheme, a ``.`` or ``..`` segment, or a NUL byte.

    Example:
        >>> strip("fluid://team/flights//2013/", None), strip("fluid:///flights", "team"), strip("fluid://", None)
        ('team/flights/2013', 'team/flights', '')
    """
    bare = text.removeprefix(_PREFIX)
    if _is_canonical(bare):
        return bare
    uri = FluidURI.parse(text)
    if not uri.namespace and uri.dataset:
        uri = uri.in_namespace(namespace or _default_namespace())
    return uri.bare


@lru_cache(8192)
def split(path: str) -> tuple[str, str, str]:
    """Namespace, dataset and what is below, of a bare path.

    Example:
        >>> split("team/flights/2013/01.parquet")
        ('team', 'flights', '2013/01.parquet')
    """
    namespace, _, rest = path.partition("/")
    dataset, _, below = rest.partition("/")
    return namespace, dataset, below


def url(path: str) -> str:
    """The URL of a bare path."""
    return f"{_PREFIX}{path}"


def _is_canonical(text: str) -> bool:
    """Whether a text needs no parsing, as nearly all do not; what only may be in another form is parsed."""
    return (
        text != ""
        and text[0] not in "/."
        and text[-1] != "/"
        and "//" not in text
        and "/." not in text
        and ":" not in text
        and "\0" not in text
    )


def _default_namespace() -> str:
    from datafluid.context import resolve_context

    return resolve_context().namespace
