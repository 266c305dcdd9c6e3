"""Who reads which files: every file once, as many each as possible alike, near their blocks where that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

__all__ = ["share_out"]


def share_out(holders: Sequence[Collection[str]], readers: Sequence[str | None]) -> list[list[int]]:
    """Share files out to readers.

    A file goes to a reader on a machine that holds it while that reader has room, else to whoever has least. The
    numbers of files differ by one at most, so nobody waits for a reader whose machine happens to hold more.

    Args:
        holders: For each file the machines that have it cached.
        readers: The machine of each reader; None where it is not known.

    Returns:
        For each reader the indices of its files, ascending. The same arguments give the same shares.

    Example:
        >>> share_out([{"n1"}, {"n0"}, {"n1"}, ()], ["n0", "n1"])
        [[1, 3], [0, 2]]
    """
    shares: list[list[int]] = [[] for _ in readers]
    least, larger = divmod(len(holders), len(readers))
    room = _Room(shares, least, larger)
    left = [index for index, machines in enumerate(holders) if not _give(index, machines, readers, room)]
    for index in left:
        room.put(index, range(len(readers)))
    return [sorted(share) for share in shares]


def _give(index: int, machines: Collection[str], readers: Sequence[str | None], room: _Room) -> bool:
    near = [number for number, machine in enumerate(readers) if machine is not None and machine in machines]
    return room.put(index, near)


class _Room:
    """How much each reader may still get: ``least`` files, and ``larger`` of the readers one more."""

    def __init__(self, shares: list[list[int]], least: int, larger: int) -> None:
        self._shares = shares
        self._least = least
        self._larger = larger

    def put(self, index: int, readers: Sequence[int]) -> bool:
        """Give a file to the one of some readers that has least; False when all are full."""
        reader = min(self._open(readers), key=lambda number: len(self._shares[number]), default=None)
        if reader is None:
            return False
        self._larger -= len(self._shares[reader]) == self._least
        self._shares[reader].append(index)
        return True

    def _open(self, readers: Sequence[int]) -> Iterator[int]:
        for number in readers:
            count = len(self._shares[number])
            if count < self._least or (count == self._least and self._larger > 0):
                yield number
