"""A real S3 server on loopback, a bucket, and datasets over it, in a directory of their own."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datafluid.client import Client, connect
from datafluid.handles import DatasetHandle
from datafluid.testing.s3 import S3Server, serve_s3
from fluid_fsspec import FluidFileSystem

__all__ = ["BUCKET", "MIB", "Ground", "ground"]

BUCKET = "bench"
MIB = 1 << 20
_DRAWN = 64 * MIB  # Python draws less than 256 MiB at once


@dataclass(frozen=True)
class Ground:
    """What the benchmarks stand on.

    Args:
        base: A directory for whatever is made meanwhile.
    """

    server: S3Server
    client: Client
    fs: FluidFileSystem
    base: Path

    def put(self, key: str, data: bytes) -> None:
        """Store an object of the bucket."""
        self.server.put(BUCKET, key, data)

    def put_random(self, key: str, size: int, *, seed: int) -> None:
        """Store an object of random bytes."""
        source = random.Random(f"{seed} {key}")
        self.put(key, b"".join(source.randbytes(min(_DRAWN, size - start)) for start in range(0, size, _DRAWN)))

    def dataset(self, name: str, prefix: str = "", *, endpoint: str | None = None) -> DatasetHandle:
        """Declare a dataset over a prefix of the bucket, and wait until it is bound.

        Args:
            endpoint: Where the server is reached, if not directly.
        """
        options = self.options | ({} if endpoint is None else {"endpoint": endpoint})
        self.client.apply(
            {
                "apiVersion": "data.fluid.io/v1alpha1",
                "kind": "Dataset",
                "metadata": {"name": name, "annotations": {"datafluid.io/refresh": "1h"}},
                "spec": {
                    "mounts": [{"mountPoint": f"s3://{BUCKET}/{prefix}", "name": name, "path": "/", "options": options}]
                },
            }
        )
        handle = self.client.dataset(name)
        handle.wait(timeout=60)
        return handle

    @property
    def options(self) -> dict[str, str]:
        """Mount options of the server; the credentials are in the environment."""
        return {
            "endpoint": self.server.endpoint,
            "region": self.server.region,
            "allow_http": "true",
            "virtual_hosted_style_request": "false",
        }

    def gets(self) -> int:
        """How many objects the server has been asked for; listings are not among them."""
        prefix = f"/{BUCKET}/"
        self.server.settle()
        return sum(request.path != prefix for request in self.server.requests("GET", below=prefix))


@contextmanager
def ground() -> Iterator[Ground]:
    """Start the server with an empty bucket and an empty home; nothing of the user's is read or written."""
    with tempfile.TemporaryDirectory(prefix="datafluid-bench-") as name:
        base = Path(name)
        (base / "s3").mkdir()
        with serve_s3(base / "s3") as server:
            os.environ |= {
                "DATAFLUID_HOME": str(base / "home"),
                "DATAFLUID_CONFIG": os.devnull,
                "AWS_ACCESS_KEY_ID": server.access_key,
                "AWS_SECRET_ACCESS_KEY": server.secret_key,
                "AWS_REGION": server.region,
            }
            for variable in ("DATAFLUID_CONTEXT", "DATAFLUID_NAMESPACE", "DATAFLUID_MOUNT_ROOT"):
                os.environ.pop(variable, None)
            server.create_bucket(BUCKET)
            yield Ground(server, connect(), FluidFileSystem(skip_instance_cache=True), base)
