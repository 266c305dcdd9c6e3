"""A canary on every way out: what is secret is seen nowhere but where it is kept, and where it is used."""

from __future__ import annotations

import base64
import logging
import os
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from datafluid.client import Client, connect
from datafluid.engine.understore.factory import open_store
from datafluid.errors import DatafluidError
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest
from tests.engine.test_load_faults import worker_pid
from tests.relay import Relay

_CANARY = "cAnArY/9+4f1d9c=x"  # of a dataset whose store refuses it; with characters that others would encode
_PATH = "default/data/data.bin"
_SIZE = 1_000_000


class Seen:
    """Everything that was shown, by where."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [form for secret in secrets for form in _forms(secret)]
        self.count = 0

    def see(self, where: str, what: object) -> None:
        """Fail if a secret is in it."""
        text = what.decode("latin-1") if isinstance(what, bytes) else str(what)
        self.count += 1
        for secret in self._secrets:
            assert secret not in text, f"{where} shows a secret"

    def see_error(self, where: str, error: BaseException | None) -> None:
        """Look at an error, how it is printed and pickled, and at those behind it."""
        while error is not None:
            self.see(where, "".join(traceback.format_exception(error)))
            self.see(where, repr(error))
            self.see(where, repr(vars(error)))
            if isinstance(error, DatafluidError):
                self.see(f"{where}, pickled", pickle.dumps(error))
            error = error.__cause__ or error.__context__

    def see_files(self, home: Path) -> None:
        """Look at every file of a home but the secrets themselves."""
        for path in home.rglob("*"):
            if path.is_file() and home / "secrets" not in path.parents:
                self.see(str(path), path.read_bytes())

    def run(self, *words: str) -> int:
        """Look at what a command prints, with all traces; its exit code."""
        from typer.testing import CliRunner

        from datafluid.cli.app import app

        done = CliRunner().invoke(app, words, env={"DATAFLUID_DEBUG": "1"})
        logging.getLogger("datafluid").handlers.clear()
        self.see(f"datafluid {' '.join(words)}", done.output)
        return done.exit_code


def _forms(secret: str) -> set[str]:
    plain = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        base64.b64encode(plain).decode().rstrip("="),
        plain.hex(),
        repr(secret)[1:-1],
    }


def _keep(home: Path, name: str, access: str, secret: str) -> None:
    """Put the two keys of a Secret where the embedded plane looks for them."""
    directory = home / "secrets" / "default" / name
    directory.mkdir(parents=True)
    for key, value in (("access", access), ("secret", secret)):
        (directory / key).touch(mode=0o600)
        (directory / key).write_text(value)


def _manifest(bucket: Bucket, name: str, endpoint: str) -> dict[str, Any]:
    found = dataset_manifest(name, bucket.url, options={**bucket.options, "endpoint": endpoint})
    found["spec"]["mounts"][0]["encryptOptions"] = [
        {"name": option, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        for option, key in (("aws.accessKeyId", "access"), ("aws.secretKey", "secret"))
    ]
    return found


@pytest.fixture
def relay(bucket: Bucket) -> Iterator[Relay]:
    """The server behind a relay that holds back the object."""
    running = Relay(bucket.server.endpoint, limit=200_000)
    yield running
    running.close()


@pytest.fixture
def seen(bucket: Bucket, home: Path, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Two datasets: `data` with the right secret, `wrong` with a canary that the server refuses."""
    bucket.put("data.bin", bytes(_SIZE))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    _keep(home, "data", bucket.server.access_key, bucket.server.secret_key)
    _keep(home, "wrong", bucket.server.access_key, _CANARY)
    client = connect()
    client.apply(_manifest(bucket, "data", relay.endpoint))
    client.dataset("data").wait(timeout=60)
    client.apply(_manifest(bucket, "wrong", bucket.server.endpoint))
    return Seen(_CANARY, bucket.server.secret_key)


def _helpers(home: Path) -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and str(home).encode() in _read(entry / "cmdline")
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_processes_do_not_carry_it(seen: Seen, home: Path, relay: Relay) -> None:
    """Neither as arguments nor in their environments: a load that runs, and the helper of a forked child."""
    connect().dataset("data").load()
    assert relay.blocked.wait(timeout=60)
    pid = worker_pid(home)
    for name in ("cmdline", "environ"):
        seen.see(f"the load's {name}", _read(Path(f"/proc/{pid}/{name}")))
    relay.release()
    fs = FluidFileSystem(skip_instance_cache=True)
    fs.invalidate_cache("default/data")
    assert fs.info(_PATH)["size"] == _SIZE
    ask, tell = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        right = fs.cat_ranges([_PATH], [0], [100], on_error="raise") == [bytes(100)] and fs.ls("default/data") != []
        fs.invalidate_cache("default/data")
        right = right and fs.info(_PATH)["size"] == _SIZE
        os.write(tell[1], b"1" if right else b"0")
        os.read(ask[0], 1)
        os._exit(0)
    assert os.read(tell[0], 1) == b"1"
    helpers = [pid for pid in _helpers(home) if b"datafluid.engine.forked" in _read(Path(f"/proc/{pid}/cmdline"))]
    assert helpers
    for pid in helpers:
        for name in ("cmdline", "environ"):
            seen.see(f"the helper's {name}", _read(Path(f"/proc/{pid}/{name}")))
    os.write(ask[1], b"x")
    os.waitpid(child, 0)
    for fd in (*ask, *tell):
        os.close(fd)


def test_commands_do_not_print_it(seen: Seen, relay: Relay, tmp_path: Path, home: Path) -> None:
    """Whatever is asked, however verbosely, of the dataset that works and of the one that does not."""
    relay.release()
    for name in ("data", "wrong"):
        for words in (
            ("get", "dataset", name, "-o", "yaml"),
            ("get", "dataset", name, "-o", "json"),
            ("describe", "dataset", name, "-vv"),
            ("load", name, "--wait", "-vv", "--timeout", "3"),
            ("ls", "-vv", name),
            ("cat", "-vv", f"default/{name}/data.bin"),
            ("explain", f"default/{name}/data.bin"),
            ("wait", name, "--timeout", "1"),
        ):
            seen.run(*words)
    for words in (("doctor",), ("cache", "status"), ("run-due", "-vv"), ("cache", "pack", str(tmp_path / "a.tar"))):
        seen.run(*words)
    seen.see("the archive", (tmp_path / "a.tar").read_bytes())
    seen.see_files(home)
    assert seen.count > 25


def test_programs_do_not_get_to_see_it(seen: Seen, relay: Relay, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Logs of every level, reprs, pickles, statuses, events, errors and what is behind them, the files of the home."""
    relay.release()
    caplog.set_level(logging.NOTSET)
    client = connect()
    fs = FluidFileSystem(skip_instance_cache=True)
    assert len(fs.cat_file(_PATH)) == _SIZE
    client.dataset("data").load().wait(timeout=60)
    for what in (fs, fs.open(_PATH)):
        seen.see("a repr", repr(what))
        seen.see("a pickle", pickle.dumps(what))
    seen.see("to_json", fs.to_json())
    for where, ask in {
        "reading": lambda: fs.cat_file("default/wrong/data.bin"),
        "listing": lambda: fs.ls("default/wrong"),
        "waiting": lambda: client.dataset("wrong").wait(timeout=1),
        "loading": lambda: client.dataset("wrong").load(name="wrong").wait(timeout=5),
        "the volume": lambda: client.volume("default", "wrong"),
    }.items():
        with pytest.raises(Exception) as caught:
            ask()
        seen.see_error(where, caught.value)
    for name in ("data", "wrong"):
        handle = client.dataset(name)
        for what in (handle, handle.manifest, handle.status, handle.events(), vars(handle), client.plane.registry):
            seen.see(name, repr(what))
    _see_stores(seen, client)
    for record in caplog.records:
        seen.see("a log", f"{record.getMessage()} {record.args!r} {record.exc_text!r}")
    seen.see_files(home)


def _see_stores(seen: Seen, client: Client) -> None:
    """Look at the store that really holds the secret, and at what leads to it."""
    plane = client.plane
    binding = plane.registry.binding("default", "data")  # type: ignore[attr-defined]
    seen.see("a binding", repr(binding) + binding.to_json())
    store = open_store(plane.home, binding, binding.mounts[0])  # type: ignore[attr-defined]
    seen.see("a store", repr(store) + repr(vars(store)))


@pytest.mark.parametrize(
    "mount",
    [
        {"mountPoint": "s3://bucket", "options": {"aws.secretKey": _CANARY}},
        {"mountPoint": "s3://bucket", "options": {"fs.s3a.secret.key": _CANARY}},
        {"mountPoint": "s3://bucket", "options": {"sparkle": _CANARY}},
        {"mountPoint": f"s3://AKIA:{_CANARY}@bucket"},
        {"mountPoint": f"https://host/x?signature={_CANARY}"},
        {"mountPoint": f"https://host/x#{_CANARY}"},
        {"mountPoint": f"sftp://user:{_CANARY}@host/x"},
        {"mountPoint": "s3://bucket", "encryptOptions": [{"name": "aws.secretKey", "value": _CANARY}]},
        {"mountPoint": "s3://bucket", "encryptOptions": [{"name": "aws.secretKey", "valueFrom": _CANARY}]},
        {"mountPoint": "s3://bucket", "options": {"aws.secretKey": [_CANARY]}},
        {"mountPoint": "s3://bucket", "options": {"path_style": _CANARY}},
        {"mountPoint": "s3://bucket", "options": {"timeout": _CANARY}},
        {"mountPoint": "s3://bucket", "options": {"endpoint": f"http://user:{_CANARY}@127.0.0.1:9"}},
    ],
    ids=lambda mount: (
        next(iter(mount.get("options", mount.get("encryptOptions", {0: mount["mountPoint"][:5]})))) or "?"
    ),
)
def test_who_writes_it_down_is_told_without_hearing_it(mount: dict[str, Any], home: Path) -> None:
    """Credentials in plain text, in URLs, in the wrong field or type: told, and neither repeated nor stored."""
    seen = Seen(_CANARY)
    manifest = dataset_manifest("data", "s3://bucket")
    manifest["spec"]["mounts"] = [{"name": "data", "path": "/", **mount}]
    client = connect()
    for finding in client.lint(manifest):
        if finding.severity == "error":
            seen.see("lint", repr(finding))
    try:
        client.apply(manifest)
    except DatafluidError as error:
        seen.see_error("apply", error)
        seen.see("findings", repr(getattr(error, "findings", "")))
        seen.see_files(home)  # and nothing was stored
        return
    seen.see("events", repr(client.dataset("data").events()))
    seen.see("the status", repr(client.dataset("data").status))
    with pytest.raises((OSError, DatafluidError)) as caught:
        FluidFileSystem(skip_instance_cache=True).cat_file("default/data/x")
    seen.see_error("reading", caught.value)


@pytest.mark.parametrize("broken", ["'", "]", "\t", "{", "&a *a"])
def test_yaml_that_is_none(broken: str, tmp_path: Path) -> None:
    """Its line is told, and not what stands in it."""
    seen = Seen(_CANARY)
    file = tmp_path / "broken.yaml"
    file.write_text(f"kind: Dataset\nspec:\n  mounts:\n  - options:\n      aws.secretKey: {broken}{_CANARY}\n  - ][\n")
    for words in (("lint", str(file)), ("lint", "-o", "json", str(file)), ("apply", "-f", str(file))):
        assert seen.run(*words) != 0
