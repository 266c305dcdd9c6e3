"""Reads a cluster's dataset through libhdfs; in a process of its own, for a JVM runs in it."""

from __future__ import annotations

import hashlib
import json
import sys

import fsspec

import datafluid
from datafluid.testing import InMemoryPlane
from fluid_fsspec import routes
from tests.engines.declaring import declare


def main(endpoint: str) -> None:
    """Declare, read, tell."""
    plane = InMemoryPlane(lively=False)
    client = datafluid.Client(plane)
    routes.client_of = lambda context: client
    declare(plane, "demo", "AlluxioRuntime", {"mountPoint": "s3://bucket/c", "name": "c"}, hcfs=endpoint)
    fs = fsspec.filesystem("fluid")
    told = fs.explain("fluid://team/demo/c/x.bin")
    try:
        fs.info("fluid://team/demo/c/none.bin")
        missing = ""
    except FileNotFoundError as error:
        missing = str(error)
    print(
        json.dumps(
            {
                "route": told.route,
                "skipped": dict(told.skipped),
                "names": fs.ls("fluid://team/demo/c", detail=False),
                "range": fs.cat_file("fluid://team/demo/c/x.bin", 1000, 1010).hex(),
                "digest": hashlib.sha256(fs.cat_file("fluid://team/demo/c/x.bin")).hexdigest(),
                "missing": missing,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
