"""A PyTorch DataLoader whose workers read ``fluid://`` files straight from the cache, each rank its own share."""

from __future__ import annotations

import os
from typing import BinaryIO

import torch
from torch.utils.data import DataLoader

from datafluid.torch import FluidFiles, LocalSampler

ROOT = os.environ.get("EXAMPLE_ROOT", "fluid://default/images")


def to_tensor(file: BinaryIO) -> torch.Tensor:
    """The first 64 bytes of a file."""
    return torch.tensor(list(file.read(64)), dtype=torch.uint8)


def main(workers: int = 2) -> int:
    """Sum the first 64 bytes of every file, read by forked workers; RANK and WORLD_SIZE share the files out."""
    files = FluidFiles(ROOT, decode=to_tensor)
    loader = DataLoader(files, batch_size=8, sampler=LocalSampler(files), num_workers=workers)
    return int(sum(int(batch.sum()) for batch in loader))


if __name__ == "__main__":
    print("sum:", main())
