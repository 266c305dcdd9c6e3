"""Nothing is written or deleted outside of the home, the tiers' own directories, and what the user named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Bucket
from tests.datasets import dataset_manifest, runtime_manifest
from tests.faults.sentinels import tree_of

_SESSION = """
import json, os, sys
from pathlib import Path
import datafluid
from fluid_fsspec import FluidFileSystem

manifests, archive, exported = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
client = datafluid.connect()
for manifest in manifests:
    client.apply(manifest)
data, place = client.dataset("data"), client.dataset("place")
data.wait(timeout=60)
place.wait(timeout=60)
fs = FluidFileSystem()
for path in fs.find("default/data"):                      # more than the quota holds: evictions
    fs.cat_file(path)
    with fs.open(path) as file:
        file.read(10)
place.load().wait(timeout=60)
place.export(exported)
place.unexport(exported)
try:
    fs.cat_file("default/place/../outside")
except (OSError, ValueError):
    pass
client.cache.pin("default/place")
client.cache.unpin("default/place")
client.cache.pack(archive)
client.cache.verify()
client.cache.evict("default/data")
data.refresh()
fs.cat_file(fs.find("default/data")[0])
client.cache.unpack(archive)
client.run_due(wait=True)
client.cache.clear(pinned=True)
data.delete()
place.delete()
client.cache.status()
print("right")
"""


def test_a_whole_session_touches_its_own_places_only(bucket: Bucket, tmp_path: Path) -> None:
    """Apply, read, evict, load, export, pack, unpack, clear, delete: all the rest of the tree is as it was."""
    for number in range(8):
        bucket.put(f"{number}.bin", bytes([number]) * (1 << 20))
    top = tmp_path / "tree"
    for name in ("tier", "place", "user", "temporary", "config", "cwd"):
        (top / name).mkdir(parents=True)
        (top / name / "precious").write_bytes(name.encode())
    foreign = top / "tier" / ".datafluid-000000000000" / "00"
    foreign.mkdir(parents=True, mode=0o700)
    (foreign / ("0" * 64)).write_bytes(b"another home's")
    (top / "outside").write_bytes(b"outside")
    (top / "place" / "link").symlink_to(top / "outside")
    (top / "out").mkdir()

    manifests = [
        dataset_manifest("data", bucket.url, options=bucket.options),
        runtime_manifest("data", top / "tier", quota="4Mi"),
        dataset_manifest("place", f"local://{top / 'place'}"),
    ]
    before = tree_of(top)
    environ = {
        **os.environ,
        "DATAFLUID_HOME": str(tmp_path / "home"),
        "HOME": str(top / "user"),
        "TMPDIR": str(top / "temporary"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **{f"XDG_{kind}_HOME": str(top / "config") for kind in ("CONFIG", "DATA", "CACHE", "STATE")},
    }
    import json

    command = [sys.executable, "-c", _SESSION, json.dumps(manifests), str(tmp_path / "a.tar"), str(tmp_path / "links")]
    done = subprocess.run(command, cwd=top / "cwd", env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "right\n"

    after = tree_of(top)
    ours = {name for name in after if name.startswith("tier/.datafluid-") and "/.datafluid-000000000000" not in name}
    assert ours  # the tier was used
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - ours
    assert changed <= {"tier"}  # a directory's own time changes when ours is made in it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "home", "tree"]
