"""``datafluid doctor``."""

from __future__ import annotations

import json
from pathlib import Path

from datafluid.client import Client
from datafluid.engine.home import Home
from datafluid.engine.serving import serve_lock
from tests.cli.conftest import Run
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset


def checks(run: Run, code: int = 0) -> dict[str, tuple[str, str]]:
    """Status and message of each check by its name."""
    found = json.loads(run("doctor", "-o", "json", code=code).stdout)
    return {each["name"]: (each["status"], each["message"]) for each in found}


def test_a_fresh_machine_is_fine_and_nothing_is_made(home: Path, run: Run) -> None:
    """Looking changes nothing: the home does not exist afterwards."""
    assert checks(run)["registry"] == ("ok", "nothing was declared yet")
    assert not home.exists()


def test_each_dataset_is_reached(bucket: Bucket, client: Client, run: Run) -> None:
    """Its store answers; its tiers are looked at."""
    apply_bucket_dataset(client, bucket, "flights")
    found = checks(run)
    assert found["dataset default/flights"] == ("ok", "every mount answers (1)")
    assert any(name.startswith("tier ") for name in found)


def test_a_store_that_is_gone_fails_with_the_reason(tmp_path: Path, client: Client, run: Run) -> None:
    """Exit code 1; the other checks are still told."""
    data = tmp_path / "data"
    data.mkdir()
    apply_local_dataset(client, data, "files")
    data.rmdir()
    status, message = checks(run, code=1)["dataset default/files"]
    assert status == "fail"
    assert "mount" in message
    assert "versions" in checks(run, code=1)


def test_schedules_that_nobody_runs_are_a_warning(tmp_path: Path, client: Client, run: Run, home: Path) -> None:
    """Until a serve holds the lock."""
    apply_local_dataset(client, tmp_path, "files")
    run("load", "files", "--schedule", "0 3 * * *", "--name", "nightly")
    status, message = checks(run)["serve"]
    assert status == "warn"
    assert "nightly" in message
    with serve_lock(Home(home)):
        assert checks(run)["serve"][0] == "ok"


def test_a_damaged_registry_fails_and_does_not_crash(home: Path, client: Client, tmp_path: Path, run: Run) -> None:
    """Somebody wrote over it."""
    apply_local_dataset(client, tmp_path, "files")
    client.plane.registry.close()  # type: ignore[attr-defined]
    registry = home / "registry.db"
    registry.write_bytes(b"not a database" * 1000)
    assert checks(run, code=1)["registry"][0] == "fail"


def test_a_home_that_others_can_write_fails(home: Path, run: Run) -> None:
    """With the command that mends it."""
    home.mkdir(parents=True)
    home.chmod(0o777)
    result = run("doctor", code=1)
    assert f"chmod 700 {home}" in result.stdout


def test_an_unknown_context_fails_as_a_check(run: Run) -> None:
    """Doctor never ends with anything but its table."""
    found = json.loads(run("doctor", "--context", "moon", "-o", "json", code=1).stdout)
    assert [(each["name"], each["status"]) for each in found] == [("context", "fail")]
