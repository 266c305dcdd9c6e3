"""A ``tf.data`` source over ``fluid://`` files.

    from datafluid.tensorflow import files

    files("fluid://team/images/train", rank=0, world=8).map(lambda name, data: decode(data)).batch(64)

TensorFlow's own readers take paths: give them ``fs.local_path(url)`` of what is cached, for example
``tf.data.TFRecordDataset``; nothing of Python is on their way then.
"""

from __future__ import annotations

from typing import Any

import fsspec
import tensorflow as tf

from datafluid.errors import Invalid, NotFound

__all__ = ["files"]


def files(url: str, *, rank: int = 0, world: int = 1, context: str | None = None) -> Any:
    """Every file below a ``fluid://`` directory as a pair of its URL and its bytes, both string tensors.

    Files are read in parallel, as many as ``tf.data`` finds best. Share them out here: ``shard`` of what comes back
    would read every file and throw most of them away.

    Args:
        url: A directory, or a pattern with ``*``.
        rank: Which share of the files: every ``world``-th one, from this one on.
        world: How many shares there are.
        context: The context to read in; None follows the usual precedence.

    Returns:
        A ``tf.data.Dataset``.

    Raises:
        NotFound: no file is there.
        Invalid: there is no such rank.

    Example:
        >>> from datafluid.tensorflow import files  # doctest: +SKIP
        >>> next(iter(files("fluid://team/images/train")))[0]  # doctest: +SKIP
        <tf.Tensor: shape=(), dtype=string, numpy=b'fluid://team/images/train/0.jpg'>
    """
    if not 0 <= rank < world:
        raise Invalid(f"there is no rank {rank} of {world}.", hint="Ranks are counted from 0.")
    options = {"context": context} if context else {}
    fs, path = fsspec.core.url_to_fs(url, **options)
    found = fs.glob(path) if "*" in path else [path]
    names = [fs.unstrip_protocol(each) for place in found for each in fs.find(place)]
    if not names:
        raise NotFound(f"no file is below {url}.", hint="See `datafluid ls -l`.")

    def read(name: Any) -> bytes:
        data: bytes = fs.cat_file(name.numpy().decode())
        return data

    def with_bytes(name: Any) -> tuple[Any, Any]:
        data = tf.py_function(read, [name], tf.string)
        data.set_shape(())
        return name, data

    mine = tf.data.Dataset.from_tensor_slices(names[rank::world])
    return mine.map(with_bytes, num_parallel_calls=tf.data.AUTOTUNE)
