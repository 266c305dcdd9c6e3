"""Redirects, addresses, chained URLs, tier paths and links that lead out of their place: refused, with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from datafluid.client import connect
from datafluid.engine.understore import http_client
from datafluid.engine.understore.addresses import is_link_local
from datafluid.engine.understore.http_client import HttpClient
from datafluid.engine.understore.http_store import HttpStore
from datafluid.errors import DatafluidError, Forbidden, Unavailable
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest, runtime_manifest
from tests.faults.sentinels import tree_of
from tests.web import Web, serve_web


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server that may send its visitors elsewhere."""
    with serve_web() as running:
        running.files = {"/a.txt": b"here"}
        yield running


def _store(web: Web) -> HttpStore:
    return HttpStore(web.url, HttpClient(connect=2, silent=2))


def test_a_redirect_to_another_host_is_followed_without_anything_secret(web: Web) -> None:
    """That is how web servers hand on large files."""
    with serve_web("localhost") as other:
        other.files = {"/elsewhere/a.txt": b"there"}
        web.redirect = lambda path: f"{other.url}/elsewhere{path}"
        assert _store(web).stat("a.txt").size == 5
        assert not {"authorization", "cookie", "referer"} & other.asked[0].headers.keys()


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1/a.txt",
        "ftp://127.0.0.1/a.txt",
        "file:///etc/passwd",
        "//169.254.169.254/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "http://2852039166/latest/meta-data",
        "http://0xa9fea9fe/latest/meta-data",
        "http://[::ffff:169.254.169.254]/latest/meta-data",
        "http://[fe80::1%25eth0]/x",
        "http://user:password@127.0.0.1/a.txt",
        "",
    ],
)
def test_redirects_that_leave_their_place(web: Web, target: str) -> None:
    """Another scheme, a link-local address, credentials: neither HEAD nor GET nor the probe follows."""
    store = _store(web)
    info = store.stat("a.txt")
    web.redirect = lambda path: target
    for ask in (store.probe, lambda: store.stat("a.txt"), lambda: store.read(http_fetch(info))):
        with pytest.raises(Forbidden, match=r"\. [A-Z]") as caught:
            ask()
        assert "password" not in str(caught.value)


def http_fetch(info: object) -> object:
    """All of a file."""
    from datafluid.engine.understore.port import Fetch

    return Fetch(info=info, start=0, length=info.size)  # type: ignore[arg-type,attr-defined]


def test_redirects_in_a_circle(web: Web) -> None:
    """They end."""
    web.redirect = lambda path: path
    with pytest.raises(Forbidden, match="again and again"):
        _store(web).stat("a.txt")


def test_a_name_that_resolves_to_a_link_local_address(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is where the connection has led; nothing is sent there."""
    monkeypatch.setattr(http_client, "is_link_local", lambda host: host == "127.0.0.1")
    with pytest.raises(Unavailable, match="cannot be reached"):
        HttpStore(web.url.replace("127.0.0.1", "localhost"), HttpClient(connect=2, silent=2)).stat("a.txt")
    assert web.asked == []


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://169.254.169.254/latest", {}),
        ("http://2852039166/latest", {}),
        ("http://[::ffff:a9fe:a9fe]/latest", {}),
        ("s3://bucket", {"endpoint": "http://169.254.169.254"}),
        ("s3://bucket", {"endpoint": "http://0xA9.254.43518/"}),
    ],
)
def test_mounts_of_link_local_addresses(url: str, options: dict[str, str]) -> None:
    """However they are written: the dataset stays NotBound and says why."""
    client = connect()
    client.apply(dataset_manifest("data", url, options=options))
    assert client.dataset("data").status.phase == "NotBound"
    assert any("link-local" in event.message for event in client.dataset("data").events())


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "localhost", "1.2.3", "", "[::1]", "x" * 300, "\ud800"])
def test_other_addresses(host: str) -> None:
    """Are none of them."""
    assert not is_link_local(host)


@pytest.mark.parametrize(
    "url",
    [
        "simplecache::s3://bucket",
        "zip://x::file:///etc/passwd",
        "s3://bucket::file:///etc",
        "sftp://host/a::file:///etc/passwd",
        "file:///etc",
        "memory://x",
        "reference://x",
        "local://relative",
        "local:///tmp/../etc",
        "https://user:pw@host/x",
        "https://host/x?signature=1",
    ],
)
def test_mounts_that_are_none(url: str) -> None:
    """Chained URLs, schemes that reach what is no store, climbing paths, credentials: nothing of it is ever Bound."""
    client = connect()
    try:
        client.apply(dataset_manifest("data", url))
    except DatafluidError as error:
        assert "user:pw" not in str(error)
        return
    assert client.dataset("data").status.phase == "NotBound"
    with pytest.raises((OSError, DatafluidError)):
        FluidFileSystem(skip_instance_cache=True).ls("default/data")


def test_links_below_a_local_mount(tmp_path: Path) -> None:
    """One that stays inside is followed; one that leads out is not there; to the root, by a circle, or hanging."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "file").write_bytes(b"inside")
    (outside / "secret").write_bytes(b"outside")
    (inside / "good").symlink_to("file")
    for name, target in {
        "absolute": outside / "secret",
        "relative": "../outside/secret",
        "directory": outside,
        "root": "/",
        "hanging": outside / "nothing",
        "circle": "circle",
    }.items():
        (inside / name).symlink_to(target)
    client = connect()
    client.apply(dataset_manifest("data", f"local://{inside}"))
    client.dataset("data").wait(timeout=60)
    assert client.dataset("data").load().wait(timeout=60).phase == "Complete"
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.find("default/data") == ["default/data/file", "default/data/good"]
    assert fs.cat("default/data/good") == b"inside"
    for path in (
        "absolute",
        "relative",
        "directory/secret",
        "root/etc/passwd",
        "hanging",
        "circle",
        "../outside/secret",
    ):
        with pytest.raises((OSError, DatafluidError)):
            fs.cat(f"default/data/{path}")


@pytest.mark.parametrize("way", ["link to a directory", "link in our place", "file in our place", "open to others"])
def test_a_tier_that_is_not_ours(way: str, bucket: Bucket, tmp_path: Path) -> None:
    """What stands where a tier's own directory should be is neither followed nor touched."""
    bucket.put("a.bin", b"x" * 100_000)
    tier, victim = tmp_path / "tier", tmp_path / "victim"
    tier.mkdir()
    victim.mkdir(mode=0o755)
    (victim / "precious").write_bytes(b"precious")
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", tier))
    client.dataset("data").wait(timeout=60)
    (ours,) = [path for path in _would_be(client, tier)]
    if way == "link to a directory":
        os.rmdir(tier)
        tier.symlink_to(victim)
    elif way == "link in our place":
        ours.symlink_to(victim)
    elif way == "file in our place":
        ours.write_bytes(b"a file")
    else:
        ours.mkdir(mode=0o777)
        ours.chmod(0o777)
    before = tree_of(victim)
    fs = FluidFileSystem(skip_instance_cache=True)
    if way == "link to a directory":  # the user's own link, to a place of the user's own: only our directory is used
        assert fs.cat("default/data/a.bin") == b"x" * 100_000
        client.cache.clear()
    else:
        with pytest.raises(Forbidden, match=r"datafluid made|open to others"):
            fs.cat("default/data/a.bin")
    after = {name: seen for name, seen in tree_of(victim).items() if not name.startswith(".datafluid-")}
    assert after == before


def _would_be(client: object, tier: Path) -> list[Path]:
    """The directory that the home will make in a tier."""
    from datafluid.engine.cache.tiers import owner_name

    store = client.cache.store  # type: ignore[attr-defined]
    binding = client.plane.registry.find_binding("default", "data")  # type: ignore[attr-defined]
    return [tier / f".datafluid-{owner_name(store.home, each.account)}" for each in binding.tiers]
