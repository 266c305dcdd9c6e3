"""A dataset that cannot be reached stays NotBound and says why; mending the cause binds it by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client, connect
from datafluid.errors import Timeout, Unavailable
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest

_CANARY = "canary-4f1d9c"


@pytest.fixture
def client() -> Client:
    """A client of this test's home."""
    return connect()


@pytest.fixture
def secret(home: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a secret with a wrong key; nothing in the environment helps."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    directory = home / "secrets" / "default" / "s3"
    directory.mkdir(parents=True)
    file = directory / "secret-key"
    for name, value in (("access-key", bucket.server.access_key), ("secret-key", _CANARY)):
        fd = os.open(directory / name, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, value.encode())
        os.close(fd)
    return file


def manifest(bucket: Bucket) -> dict[str, Any]:
    """A dataset whose credentials come from the secret."""
    found = dataset_manifest("data", bucket.url, options=bucket.options)
    found["spec"]["mounts"][0]["encryptOptions"] = [
        {"name": option, "valueFrom": {"secretKeyRef": {"name": "s3", "key": key}}}
        for option, key in (("aws.accessKeyId", "access-key"), ("aws.secretKey", "secret-key"))
    ]
    return found


def test_a_wrong_secret_keeps_it_notbound_and_mending_binds_it(
    client: Client, bucket: Bucket, secret: Path, home: Path
) -> None:
    """An event says that access was denied; the right key binds without another apply; the value is shown nowhere."""
    bucket.put("a.txt", b"hello")
    client.apply(manifest(bucket))
    dataset = client.dataset("data")
    with pytest.raises(Timeout) as raised:
        dataset.wait(timeout=1)
    assert dataset.status.phase == "NotBound"
    events = dataset.events()
    assert any(event.type == "Warning" and "access denied" in event.message for event in events)
    with pytest.raises(Unavailable, match="access denied"):
        FluidFileSystem().cat("default/data/a.txt")

    secret.write_text(bucket.server.secret_key)
    dataset.wait(timeout=60)
    assert FluidFileSystem().cat("default/data/a.txt") == b"hello"

    shown = [str(raised.value), repr(events), repr(dataset.manifest), repr(dataset.status)]
    shown += [path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file() and path != secret]
    for value in (_CANARY, bucket.server.secret_key):
        assert not any(value in text for text in shown)


def test_a_secret_that_others_may_read_is_refused(client: Client, bucket: Bucket, secret: Path) -> None:
    """With the command that mends it."""
    secret.chmod(0o644)
    client.apply(manifest(bucket))
    assert any("chmod 600" in event.message for event in client.dataset("data").events())
