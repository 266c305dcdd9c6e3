"""A tf.data pipeline over ``fluid://`` files: the sizes of this worker's share of them."""

from __future__ import annotations

import os

import tensorflow as tf

from datafluid.tensorflow import files

ROOT = os.environ.get("EXAMPLE_ROOT", "fluid://default/images")


def main() -> int:
    """Sum the sizes of the files that are this worker's (RANK of WORLD_SIZE)."""
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    sizes = files(ROOT, rank=rank, world=world).map(lambda name, data: tf.strings.length(data)).batch(8)
    return int(sum(int(tf.reduce_sum(batch)) for batch in sizes))


if __name__ == "__main__":
    print("bytes:", main())
