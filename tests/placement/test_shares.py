"""Laws of sharing files out to readers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datafluid.placement.shares import share_out

MACHINES = st.sampled_from(["n0", "n1", "n2"])
HOLDERS = st.lists(st.frozensets(MACHINES), max_size=40)
READERS = st.lists(st.one_of(st.none(), MACHINES), min_size=1, max_size=7)


@given(HOLDERS, READERS)
def test_every_file_once_and_as_many_each(holders: list[frozenset[str]], readers: list[str | None]) -> None:
    """Shares are disjoint, complete, ascending, and differ by one at most."""
    shares = share_out(holders, readers)
    assert sorted(index for share in shares for index in share) == list(range(len(holders)))
    assert all(share == sorted(share) for share in shares)
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1


@given(HOLDERS, READERS)
def test_nobody_reads_far_what_could_be_near_for_nothing(
    holders: list[frozenset[str]], readers: list[str | None]
) -> None:
    """No two readers could exchange a file each and both be nearer."""
    shares = share_out(holders, readers)
    far = [
        (reader, index)
        for reader, share in enumerate(shares)
        for index in share
        if holders[index] and readers[reader] not in holders[index]
    ]
    for reader, index in far:
        for other, theirs in far:
            exchanged = readers[other] in holders[index] and readers[reader] in holders[theirs]
            assert reader == other or not exchanged


def test_locality_is_had_where_it_is_balanced() -> None:
    """Each machine's readers get what it holds."""
    holders = [{f"n{index % 3}"} for index in range(30)]
    shares = share_out(holders, ["n2", "n0", "n1"])
    for reader, machine in enumerate(["n2", "n0", "n1"]):
        assert all(machine in holders[index] for index in shares[reader])
