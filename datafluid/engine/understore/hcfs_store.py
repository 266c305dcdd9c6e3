"""What Hadoop's own clients speak to, through libhdfs and PyArrow: ``alluxio://host:port/``, ``hdfs://…``."""

from __future__ import annotations

from typing import Any

from datafluid.engine.understore.fsspec_store import FsspecStore
from datafluid.errors import Unavailable, Unsupported

__all__ = ["open_hcfs"]


def open_hcfs(url: str) -> FsspecStore:
    """A store behind Hadoop's FileSystem API.

    Raises:
        Unsupported: PyArrow is not installed.
        Unavailable: libhdfs or the client's jars cannot be loaded, or the server does not answer.
    """
    from datafluid.workload.hcfs import Link, view_fs_properties

    # PyArrow lists nothing but HDFS and ViewFs, so what is to be read is linked into a ViewFs of our own.
    link = Link(namespace="datafluid", dataset="engine", target=url)
    settings = {**view_fs_properties([link]), "fs.defaultFS": "viewfs://datafluid"}
    return FsspecStore(_connected(url, settings), "/engine", display_url=url)


def _connected(url: str, settings: dict[str, str]) -> Any:
    try:
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow.fs import HadoopFileSystem
    except ImportError as error:
        raise Unsupported("the hcfs route needs PyArrow.", hint="pip install pyarrow") from error

    class Hadoop(ArrowFSWrapper):  # type: ignore[misc]  # fsspec has no types
        """fsspec's own wrapper opens a stream for ranges that begin at 0, and fails when it asks where that is."""

        def cat_file(self, path: str, start: int, end: int, **kwargs: Any) -> bytes:
            with self.fs.open_input_file(path) as file:
                data: bytes = file.read_at(end - start, start)
                return data

    try:
        return Hadoop(HadoopFileSystem("default", extra_conf=settings))
    except OSError as error:
        raise Unavailable(
            f"libhdfs cannot reach {url}: {str(error)[:200]}",
            hint="CLASSPATH must have the jars of Hadoop and of the engine's client.",
        ) from error
