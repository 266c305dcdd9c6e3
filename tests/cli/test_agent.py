"""``datafluid agent``: this machine, on the command line."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from datafluid.client import Client
from tests.cli.conftest import Run, Start


def declare(client: Client, source: Path, tier: Path) -> None:
    """A dataset of one file, loaded into a tier of its own."""
    source.mkdir()
    (source / "a.bin").write_bytes(b"x" * 20_000)
    document = f"""
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata: {{name: flights}}
spec: {{mounts: [{{mountPoint: "local://{source}", name: flights, path: /}}]}}
---
apiVersion: data.fluid.io/v1alpha1
kind: AlluxioRuntime
metadata: {{name: flights}}
spec: {{replicas: 1, tieredstore: {{levels: [{{mediumtype: SSD, path: {tier}, quota: 1Mi, high: "0.9", low: "0.5"}}]}}}}
"""
    client.apply(document).wait(timeout=60)


def test_it_tells_disks_tiers_and_files(run: Run, client: Client, tmp_path: Path) -> None:
    """As JSON: the dataset's tier with the disk under it, its file with what of it is in memory."""
    declare(client, tmp_path / "source", tmp_path / "tier")
    client.dataset("flights").load().wait(timeout=60)
    told = json.loads(run("agent", "--files", "default/flights", "-o", "json").stdout)
    assert told["disks"]
    assert told["page_cache"]["memory"] > 0
    tiers = {each["path"]: each for each in told["tiers"]}
    if tiers:  # what lies in a directory of this machine is not copied
        assert tiers[str(tmp_path / "tier")]["device"] in {disk["device"] for disk in told["disks"]}
    assert told["files"] == [{"name": "fluid://default/flights/a.bin", "size": 20_000, "resident": 20_000}]


def test_the_embedded_status_tells_the_disk_under_each_tier(client: Client, tmp_path: Path) -> None:
    """In the Dataset's status, as it is at the moment of looking."""
    declare(client, tmp_path / "source", tmp_path / "tier")
    client.dataset("flights").load().wait(timeout=60)
    client.cache.status()
    (tier,) = client.get("dataset", "flights")["status"]["tiers"]
    assert tier["path"] == str(tmp_path / "tier")
    assert tier["quota"] == "1.00MiB"
    assert tier["diskFree"].endswith("iB")


def test_the_manifest_is_yaml_and_needs_an_image(run: Run) -> None:
    """What kubectl takes; without an image there is nothing to run."""
    documents = list(
        yaml.safe_load_all(run("agent", "--manifest", "--image", "example:1", "--tier", "/mnt/ssd").stdout)
    )
    (daemon_set,) = (each for each in documents if each["kind"] == "DaemonSet")
    assert "--tier=/mnt/ssd" in daemon_set["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--image" in run("agent", "--manifest", code=2).stderr
    relative = run("agent", "--manifest", "--image", "example:1", "--tier", "mnt/ssd", code=2)
    assert "not an absolute path of the node" in relative.stderr


def test_publish_needs_a_cluster(run: Run) -> None:
    """The embedded plane has no ConfigMaps."""
    assert "no ConfigMaps" in run("agent", "--publish", code=1).stderr


def test_it_serves_metrics_until_it_is_told_to_stop(start: Start) -> None:
    """A real process: Prometheus' text, the whole report, 404 for all else; SIGTERM ends it with 0."""
    process = start("agent", "--listen", "127.0.0.1:0", "--interval", "0.2")
    assert process.stderr is not None
    found = re.search(r"http://(\S+)/metrics", process.stderr.readline())
    assert found
    url = f"http://{found[1]}"
    while True:
        try:
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
                text = answer.read().decode()
            break
        except urllib.error.HTTPError as error:
            assert error.code == 503  # no look yet
    assert re.search(r'^datafluid_disk_free_bytes\{mount="/".*\} \d+$', text, re.MULTILINE)
    with urllib.request.urlopen(f"{url}/report.json", timeout=10) as answer:
        assert json.loads(answer.read())["disks"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_a_tier_may_be_told_from_here_but_not_from_a_container(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    """There it is a path of the node."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tier").mkdir()
    told = json.loads(run("agent", "--tier", "tier", "-o", "json").stdout)
    assert str(tmp_path / "tier") in [each["path"] for each in told["tiers"]]
    assert "not an absolute path" in run("agent", "--tier", "tier", "--host-root", "/host", code=2).stderr


def test_a_place_to_listen_at_is_checked(run: Run) -> None:
    """Before anything is looked at."""
    for place in ("9808x", ":99999", "localhost"):
        assert "no place to listen at" in run("agent", "--listen", place, code=2).stderr
