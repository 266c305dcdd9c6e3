"""Declare, load, read: what must work on every Python. `test_package` runs it elsewhere."""

import functools
import http.server
import pathlib
import threading

import datafluid
from fluid_fsspec import FluidFileSystem

pathlib.Path("data").mkdir()
pathlib.Path("data/a.txt").write_text("hello")
manifest = {
    "apiVersion": "data.fluid.io/v1alpha1",
    "kind": "Dataset",
    "metadata": {"name": "job"},
    "spec": {"mounts": [{"mountPoint": "", "name": "job", "path": "/"}]},
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves `data`, and says nothing."""

    def log_message(self, *args: object) -> None:
        """Nothing."""


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory="data")) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    manifest["spec"]["mounts"][0]["mountPoint"] = f"http://127.0.0.1:{server.server_port}/"  # type: ignore[index]
    client = datafluid.connect()
    client.apply(manifest).wait(timeout=60)
    load = client.dataset("job").load("/a.txt")
    load.wait(timeout=60)
    server.shutdown()
fs = FluidFileSystem()
print(load.status.phase, fs.explain("default/job/a.txt").route, fs.cat("default/job/a.txt"))
