"""Which way a dataset is reached. The first that fits wins:

    mount    the dataset is mounted on this machine: `MountTree`
    cache    files of this machine's cache: `Volume`, and behind it, for what is missing, one of
    engine   the runtime's own API                  } for datasets of a cluster, the first that answers:
    hcfs     HadoopFileSystem where libhdfs is      } `datafluid.engine.remote`
    direct   the under-store itself

`Volume` decides between cache and direct for each file. Clients are kept for each process, since fsspec makes an
instance a thread and pickles them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.client import Client
    from fluid_fsspec.tree import Tree

__all__ = ["client_of", "mount_point", "tree_of"]

_VARIABLES = tuple(f"DATAFLUID_{name}" for name in ("HOME", "CONTEXT", "CONFIG", "MOUNT_ROOT", "MOUNTS", "NAMESPACE"))
_LOOK_AGAIN = 1.0  # seconds between two looks whether a dataset has been mounted

# The dictionary below os.environ: asking os.environ for what is not set costs 700 ns a variable, and this 30.
_environment: Mapping[Any, Any] = getattr(os.environ, "_data", os.environ)
_names = tuple(map(getattr(os.environ, "encodekey", str), _VARIABLES)) if _environment is not os.environ else _VARIABLES

_Key = tuple[int, str | None, tuple[Any, ...]]
_clients: dict[_Key, Client] = {}
_mounts: dict[tuple[str, str, str], tuple[Tree | None, float]] = {}


def client_of(context: str | None) -> Client:
    """The process's client for a context; the environment is looked at each time."""
    key = (os.getpid(), context, tuple(map(_environment.get, _names)))
    client = _clients.get(key)
    if client is None:
        from datafluid.client import connect

        client = _clients[key] = connect(context)
    return client


def tree_of(context: str | None, namespace: str, dataset: str) -> Tree:
    """The files of a dataset, by the first route that fits.

    Raises:
        NotFound: there is no such dataset.
        Unavailable: it is not Bound; the message says why.
    """
    client = client_of(context)
    mounted = _mounted(client.context.mount_of(namespace, dataset), namespace, dataset)
    return client.volume(namespace, dataset) if mounted is None else mounted


def mount_point(context: str | None, namespace: str, dataset: str) -> str:
    """Where a dataset would be mounted."""
    return client_of(context).context.mount_of(namespace, dataset)


def _mounted(place: str, namespace: str, dataset: str) -> Tree | None:
    key = (place, namespace, dataset)
    now = time.monotonic()
    known = _mounts.get(key)
    if known is not None and now < known[1]:
        return known[0]
    found: Tree | None = None
    if os.path.isdir(place):
        from fluid_fsspec.mount import MountTree

        found = MountTree(place, namespace, dataset)
    _mounts[key] = (found, now + _LOOK_AGAIN)
    return found
