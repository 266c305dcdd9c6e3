"""The filesystem, put together."""

from __future__ import annotations

import atexit

from fluid_fsspec.changing import Changing
from fluid_fsspec.leaving import let_arrow_finish
from fluid_fsspec.looking import Looking
from fluid_fsspec.opening import Opening
from fluid_fsspec.verbs import Verbs

__all__ = ["FluidFileSystem"]

atexit.register(let_arrow_finish)


class FluidFileSystem(Looking, Opening, Changing, Verbs):
    """Fluid datasets as files: ``fluid://<namespace>/<dataset>/<path>``.

    Building one touches nothing: datasets are looked up at the first call, in each process anew. Instances are
    small, may be pickled, and hold no secrets. Every error is an OSError with the right errno, of
    `datafluid.errors`; only a path that no file can have raises Invalid (a ValueError).

    Args:
        context: The context to use; None follows ``DATAFLUID_CONTEXT`` and the config file.
        namespace: What ``fluid:///dataset`` means; None takes the context's namespace.
        **options: Ignored, as readers pass options meant for other filesystems.

    Example:
        >>> FluidFileSystem().unstrip_protocol("team/flights/2013")
        'fluid://team/flights/2013'
    """
