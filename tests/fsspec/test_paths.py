"""The bare form of a path is found in two ways, quickly or by parsing; they must never differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.model.uri import FluidURI
from fluid_fsspec import paths

_TEXTS = st.lists(st.sampled_from(["fluid://", "s3://", "/", ".", "..", "a", "b.c", ":", "\0", "é", " "]), max_size=9)


@given(_TEXTS)
def test_stripping_is_parsing(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        expected = FluidURI.parse(text)
    except Invalid:
        with pytest.raises(Invalid):
            paths.strip(text, "team")
        return
    if not expected.namespace and expected.dataset:
        expected = expected.in_namespace("team")
    assert paths.strip(text, "team") == expected.bare
    assert paths.strip(expected.bare, "team") == expected.bare
