"""What a dataset of a cluster may say that must not be believed, shown or followed for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafluid.engine.home import Home
from datafluid.engine.remote.volumes import RemoteVolumes
from datafluid.engine.remote.ways import GATEWAY, Dataset, ways
from datafluid.errors import Unavailable
from datafluid.testing import InMemoryPlane


def _dataset(name: str, point: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": name, "namespace": "team", "uid": name, "annotations": more.pop("annotations", {})},
        "spec": {"mounts": [{"mountPoint": point, "name": "data"}]},
        "status": {"phase": "Bound", **more},
    }


@pytest.mark.parametrize("chain", [("a",), ("a", "b"), ("a", "b", "c")])
def test_references_in_a_circle_lead_nowhere(tmp_path: Path, chain: tuple[str, ...]) -> None:
    """They are told, and not followed until the stack is full."""
    plane = InMemoryPlane()
    for name, following in zip(chain, (*chain[1:], chain[0]), strict=True):
        plane.put(_dataset(name, f"dataset://team/{following}"))
    with pytest.raises(Unavailable, match="refers to"):
        RemoteVolumes(plane, Home.open(tmp_path)).volume("team", "a")


@pytest.mark.parametrize("point", ["https://me:hunter2@host/x?sig=hunter2", "s3://AKIA:hunter2@bucket/x"])
def test_a_way_shows_no_password_of_a_mount(point: str) -> None:
    """Nobody but Fluid's own API refused it."""
    assert "hunter2" not in " ".join(
        way.why for way in ways(Dataset(manifest=_dataset("a", point), physical={}), libhdfs=False)
    )


def test_a_gateway_with_a_password_is_refused_and_not_shown() -> None:
    """The credentials of a gateway come from this machine, never from an annotation that all may read."""
    manifest = _dataset(
        "a",
        "juicefs:///",
        annotations={GATEWAY: "http://key:hunter2@host:9000/bucket"},
        runtimes=[{"name": "a", "namespace": "team", "type": "juicefs"}],
    )
    engine = next(way for way in ways(Dataset(manifest=manifest, physical={}), libhdfs=False) if way.route == "engine")
    assert not engine.mounts
    assert "hunter2" not in engine.why
