"""Python packages that tests need and the development set must not have: installed once below the user's cache."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from platformdirs import user_cache_path

__all__ = ["packages"]

_SECONDS = 900


def packages(*requirements: str, alone: bool = False) -> Path:
    """A directory for ``PYTHONPATH`` with some packages.

    Args:
        requirements: ``name==version``.
        alone: Without what they depend on.

    Returns:
        The directory. Where pip cannot install them the test is skipped with the reason.
    """
    told = f"{sys.version_info[:2]} {sorted(requirements)} {alone}"
    place = user_cache_path("datafluid-tests") / "packages" / hashlib.sha256(told.encode()).hexdigest()[:16]
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        target = Path(work) / "packages"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), *requirements]
        done = subprocess.run(
            [*pip, *(["--no-deps"] if alone else [])], capture_output=True, text=True, timeout=_SECONDS
        )
        if done.returncode:
            pytest.skip(f"pip cannot install {' '.join(requirements)}: {done.stderr[-300:]}")
        try:
            target.rename(place)
        except OSError:  # another process was first
            if not place.is_dir():
                raise
    return place
