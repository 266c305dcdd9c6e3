"""URIs and quantities: laws."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.model import FluidURI
from datafluid.model.quantity import format_quantity, format_size, parse_quantity, parse_size

_SEGMENT = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..") and "://" not in text
)


@given(_SEGMENT, _SEGMENT, st.lists(_SEGMENT, max_size=4))
def test_a_uri_prints_and_parses_back(namespace: str, dataset: str, rest: list[str]) -> None:
    """Whatever characters its parts have; also without the scheme, and with slashes at the ends."""
    uri = FluidURI(namespace, dataset, "/".join(rest))
    assert FluidURI.parse(str(uri)) == uri
    assert FluidURI.parse(f"{uri}/") == uri
    assume(not namespace.startswith("fluid:"))
    assert FluidURI.parse(uri.bare) == uri
    assert FluidURI.parse(f"/{uri.bare}//") == uri


@given(_SEGMENT, _SEGMENT)
def test_a_child_has_its_parent(dataset: str, name: str) -> None:
    """Joining and going up are each other's opposite."""
    uri = FluidURI("team", dataset)
    assert uri.joinpath(name).parent == uri
    assert uri.joinpath(name).name == name


@pytest.mark.parametrize("text", ["s3://bucket/x", "fluid://ns/ds/../x", "fluid://ns/./x", "ns/ds/a\0b", "ns/.."])
def test_what_is_no_place_is_invalid(text: str) -> None:
    """Other schemes, dots and NUL."""
    with pytest.raises(Invalid):
        FluidURI.parse(text)


@given(st.integers(0, 2**60))
def test_quantities_print_and_parse_back(number: int) -> None:
    """What is printed exactly comes back exactly."""
    assert parse_quantity(format_quantity(number)) == number
    assert parse_quantity(str(number)) == number


@given(st.integers(0, 2**60))
def test_sizes_as_fluid_prints_them_are_close(number: int) -> None:
    """Two decimals: within half a percent."""
    found = parse_size(format_size(number))
    assert found is not None
    assert abs(found - number) <= max(1, number * 0.006)


@pytest.mark.parametrize("text", ["", "1Q", "Gi", "1.2.3", "0x10", "1e99999", "-", "१Gi"])
def test_what_is_no_quantity_is_invalid(text: str) -> None:
    """With a hint that shows one."""
    with pytest.raises(Invalid) as raised:
        parse_quantity(text)
    assert raised.value.hint
