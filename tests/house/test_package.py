"""The wheel, the constraints and the other Pythons."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+(?: ; .+)?")


def test_constraints_are_names_and_versions() -> None:
    """No address, no range, no path."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    wrong = [line for line in lines if line.strip() and not line.startswith("#") and not _PINNED.fullmatch(line)]
    assert wrong == []


@pytest.mark.slow
def test_the_wheel_holds_all_packages_and_nothing_else(tmp_path: Path) -> None:
    """Five packages with their `py.typed`; no tests, no notes."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"datafluid", "fluid_fsspec", "fluid_airflow", "fluid_kfp", "fluid_widgets"}
    assert {f"{top}/py.typed" for top in tops} <= set(names)


def _others() -> list[str]:
    """Interpreters of the other declared versions: on PATH, or where pyenv keeps them."""
    found = [path for version in ("3.12", "3.13") if (path := shutil.which(f"python{version}"))]
    found += map(str, Path.home().glob(".pyenv/versions/3.1[23]*/bin/python3.1[23]"))
    ask = "import sys; print(*sys.version_info[:2], sep='.')"
    versions = {}
    for path in found:
        said = subprocess.run([path, "-c", ask], capture_output=True, text=True)
        if said.returncode == 0:
            versions[said.stdout.strip()] = path
    return sorted(versions.values())


@pytest.mark.slow
@pytest.mark.parametrize("python", _others())
def test_other_pythons_declare_load_and_read(python: str, tmp_path: Path) -> None:
    """The declared versions whose interpreters are here install the package and do the main job with it."""
    environment = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", environment], check=True, capture_output=True, timeout=120)
    install = ["-m", "pip", "install", "--quiet", "-c", REPOSITORY / "constraints.txt", REPOSITORY]
    subprocess.run([environment / "bin/python", *install], check=True, capture_output=True, timeout=280)
    program = Path(__file__).with_name("main_job.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [environment / "bin/python", "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Complete cache b'hello'\n"
