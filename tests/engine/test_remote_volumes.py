"""Volumes of a cluster's datasets: one for all who ask at once, and what a replaced one held is let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from datafluid.engine.home import Home
from datafluid.engine.remote import volumes
from datafluid.engine.remote.volumes import RemoteVolumes
from datafluid.engine.understore.http_store import HttpStore
from datafluid.errors import Unavailable
from datafluid.testing import InMemoryPlane
from tests.web import Web, serve_web


class _Together(InMemoryPlane):
    """Answers the first question about a dataset when a second one was asked, or a moment has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self._second = threading.Event()

    def get(self, ref: Any) -> Any:
        if ref.kind == "Dataset":
            self.asked += 1
            if self.asked > 1:
                self._second.set()
            self._second.wait(0.3)
        return super().get(ref)


@pytest.fixture
def web() -> Iterator[Web]:
    """Two directories with a file each."""
    with serve_web() as running:
        running.files = {"/one/a.txt": b"one", "/two/a.txt": b"two"}
        yield running


def _put(plane: InMemoryPlane, point: str) -> None:
    mounts = [{"mountPoint": point, "name": "data", "path": "/"}]
    plane.put(
        {
            "apiVersion": "data.fluid.io/v1alpha1",
            "kind": "Dataset",
            "metadata": {"name": "data", "namespace": "team", "uid": "u"},
            "spec": {"mounts": mounts},
            "status": {"phase": "Bound", "mounts": mounts},
        }
    )


def test_many_who_ask_at_once_get_one_volume(tmp_path: Path, web: Web) -> None:
    """And the cluster is asked once."""
    plane = _Together()
    _put(plane, f"{web.url}/one/")
    remote = RemoteVolumes(plane, Home.open(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: remote.volume("team", "data"), range(4)))
    assert len({id(volume) for volume in found}) == 1
    assert plane.asked == 1


def test_a_volume_that_is_replaced_lets_its_connections_go(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the old place; who still reads from it may go on."""
    closed: list[str] = []
    monkeypatch.setattr(volumes, "_LOOK_AGAIN", 0.0)
    monkeypatch.setattr(HttpStore, "close", lambda store: closed.append(store.display_url))
    plane = InMemoryPlane()
    _put(plane, f"{web.url}/one/")
    remote = RemoteVolumes(plane, Home.open(tmp_path))
    before = remote.volume("team", "data")
    assert before.info("a.txt").size == 3
    (tmp_path / "fills the disk").write_bytes(bytes(1 << 20))
    assert remote.volume("team", "data") is before
    closed.clear()
    _put(plane, f"{web.url}/two/")
    after = remote.volume("team", "data")
    assert after is not before
    assert closed.count(before.mounts[0].store.display_url) == 1
    assert before.mounts[0].store.stat("a.txt").size == len(b"one")


def test_what_is_not_known_while_the_store_is_away_names_the_command_that_tells(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`datafluid doctor` looks at the stores of this machine's datasets, not at those of a cluster's."""
    plane = InMemoryPlane()
    _put(plane, f"{web.url}/one/")
    volume = RemoteVolumes(plane, Home.open(tmp_path), serve_stale=True).volume("team", "data")
    monkeypatch.setattr(HttpStore, "stat", _away)
    with pytest.raises(Unavailable, match="`datafluid explain team/data`"):
        volume.info("never/seen.txt")


def _away(*args: Any) -> Any:
    raise Unavailable("it does not answer.")
