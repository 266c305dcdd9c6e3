"""A PyTorch DataLoader whose forked workers read ``fluid://`` files straight from the cache."""

from __future__ import annotations

import os

import fsspec
import torch
from torch.utils.data import DataLoader, Dataset

ROOT = os.environ.get("EXAMPLE_ROOT", "fluid://default/images")


class FluidFiles(Dataset):  # type: ignore[misc]  # torch ships no types in some builds
    """Every file below a ``fluid://`` directory as a tensor of bytes."""

    def __init__(self, root: str) -> None:
        self.fs, path = fsspec.core.url_to_fs(root)
        self.paths = self.fs.find(path)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with self.fs.open(self.paths[index], "rb") as file:
            return torch.tensor(list(file.read(64)), dtype=torch.uint8)


def main(workers: int = 2) -> int:
    """Sum the first 64 bytes of every file, read by forked workers."""
    loader = DataLoader(FluidFiles(ROOT), batch_size=8, num_workers=workers)
    return int(sum(int(batch.sum()) for batch in loader))


if __name__ == "__main__":
    print("sum:", main())
