"""PyTorch datasets over ``fluid://`` files: each sample once, however many ranks and workers share the reading.

    from torch.utils.data import DataLoader
    from datafluid.torch import FluidFiles, FluidStream

    DataLoader(FluidFiles("fluid://team/images/train", decode=to_tensor), sampler=..., num_workers=4)
    DataLoader(FluidStream("fluid://team/records/train", samples=read_records), num_workers=4)

Both pickle, and their workers may be forked, spawned or forkserver's. Everything else (batches, collating, pinning) is
PyTorch's own business.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Generic, TypeVar

import fsspec
from torch import distributed
from torch.utils.data import Dataset, IterableDataset, Sampler, get_worker_info

from datafluid.errors import Invalid, NotFound
from datafluid.placement.shares import share_out

__all__ = ["FluidFiles", "FluidStream", "LocalSampler"]

_T = TypeVar("_T")


class FluidFiles(Dataset, Generic[_T]):  # type: ignore[misc]  # torch ships no types in some builds
    """Every file below a ``fluid://`` directory is a sample: a map-style dataset.

    Args:
        url: A directory, or a pattern with ``*``.
        decode: Makes a sample of an open binary file; its bytes when not given.
        context: The context to read in; None follows the usual precedence.

    Raises:
        NotFound: no file is there.

    Example:
        >>> from datafluid.torch import FluidFiles  # doctest: +SKIP
        >>> len(FluidFiles("fluid://team/images/train"))  # doctest: +SKIP
        1281167
    """

    def __init__(self, url: str, *, decode: Callable[[BinaryIO], _T] | None = None, context: str | None = None) -> None:
        self.fs, path = fsspec.core.url_to_fs(url, **({"context": context} if context else {}))
        found = self.fs.glob(path) if "*" in path else [path]
        self.paths = [each for place in found for each in self.fs.find(place)]
        if not self.paths:
            raise NotFound(f"no file is below {url}.", hint="See `datafluid ls -l`.")
        self._decode = decode

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> _T | bytes:
        with self.fs.open(self.paths[index], "rb") as file:
            return file.read() if self._decode is None else self._decode(file)

    def hosts(self) -> list[frozenset[str]]:
        """For each file the machines that have its first block cached."""
        return [
            frozenset(host for block in self.fs.block_locations(path, 0, 1) for host in block.hosts)
            for path in self.paths
        ]


class LocalSampler(Sampler):  # type: ignore[misc]  # likewise
    """This rank's indices of a `FluidFiles`: each file goes to one rank, one whose machine has it cached if possible.

    The shares are made once, by rank 0 where `torch.distributed` is up (all ranks must make their sampler then); they
    differ by one file at most. Each epoch puts a rank's own files in another order.

    Args:
        files: The dataset.
        shuffle: Whether the order changes with `set_epoch`.
        seed: What the order is drawn from; the same on all ranks or not, as you like.
        rank: This rank; None asks `torch.distributed`, else ``RANK`` in the environment, else 0.
        world: How many ranks there are; likewise, ``WORLD_SIZE``, 1.

    Raises:
        Invalid: there is no such rank.
    """

    def __init__(
        self,
        files: FluidFiles[Any],
        *,
        shuffle: bool = True,
        seed: int = 0,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        self._mine = _share(files, *_rank_of(rank, world))
        self._shuffle = shuffle
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Begin another epoch: another order."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._mine)

    def __iter__(self) -> Iterator[int]:
        return iter(_ordered(self._mine, self._shuffle, self._seed, self._epoch))


class FluidStream(IterableDataset, Generic[_T]):  # type: ignore[misc]  # likewise
    """Samples of all files below a ``fluid://`` directory, one file after the other: an iterable dataset.

    Files are shared out to ranks as `LocalSampler` does, and within a rank to the workers of its loader.

    Args:
        url: A directory, or a pattern with ``*``.
        samples: Makes samples of an open binary file; its bytes as one sample when not given.
        shuffle: Whether the order of files changes with `set_epoch`.
        seed: What it is drawn from.
        rank: As of `LocalSampler`.
        world: As of `LocalSampler`.
        context: The context to read in; None follows the usual precedence.

    Raises:
        NotFound: no file is there.
        Invalid: there is no such rank.
    """

    def __init__(
        self,
        url: str,
        *,
        samples: Callable[[BinaryIO], Iterable[_T]] | None = None,
        shuffle: bool = False,
        seed: int = 0,
        rank: int | None = None,
        world: int | None = None,
        context: str | None = None,
    ) -> None:
        self._files: FluidFiles[Any] = FluidFiles(url, context=context)
        self._sampler = LocalSampler(self._files, shuffle=shuffle, seed=seed, rank=rank, world=world)
        self._samples = samples

    def set_epoch(self, epoch: int) -> None:
        """Begin another epoch: another order. Workers that persist keep the order they were started with."""
        self._sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[_T | bytes]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for index in list(self._sampler)[first::step]:
            with self._files.fs.open(self._files.paths[index], "rb") as file:
                if self._samples is None:
                    yield file.read()
                else:
                    yield from self._samples(file)


def _is_group() -> bool:
    return bool(distributed.is_available() and distributed.is_initialized())


def _rank_of(rank: int | None, world: int | None) -> tuple[int, int]:
    if rank is None:
        rank = distributed.get_rank() if _is_group() else _number("RANK", 0)
    if world is None:
        world = distributed.get_world_size() if _is_group() else _number("WORLD_SIZE", 1)
    if not 0 <= rank < world:
        raise Invalid(f"there is no rank {rank} of {world}.", hint="Ranks are counted from 0.")
    return rank, world


def _number(variable: str, default: int) -> int:
    said = os.environ.get(variable, str(default))
    if not said.isdecimal():
        raise Invalid(f"{variable} is {said[:80]!r}.", hint="Unset it, or let torchrun set it.")
    return int(said)


def _share(files: FluidFiles[Any], rank: int, world: int) -> list[int]:
    """The indices of one rank. Ranks may see different caches, so in a group one of them decides for all."""
    if world == 1:
        return list(range(len(files)))
    nowhere: list[frozenset[str]] = [frozenset()] * len(files)
    if not _is_group() or (rank, world) != (distributed.get_rank(), distributed.get_world_size()):
        return share_out(nowhere, [None] * world)[rank]
    machines: list[Any] = [None] * world
    distributed.all_gather_object(machines, socket.gethostname())
    decided: list[Any] = [None]
    if rank == 0:
        try:
            holders = files.hosts()
        except OSError:  # the others wait for an answer: one without locality is better than none
            holders = nowhere
        decided = [share_out(holders, machines)]
    distributed.broadcast_object_list(decided, src=0)
    mine: list[int] = decided[0][rank]
    return mine


def _ordered(indices: Sequence[int], shuffle: bool, seed: int, epoch: int) -> list[int]:
    from random import Random

    ordered = list(indices)
    if shuffle:
        Random(f"{seed}/{epoch}").shuffle(ordered)  # noqa: S311  # an order, not a secret
    return ordered
