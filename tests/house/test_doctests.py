"""Every example in a docstring is true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

_FRAMEWORKS = ("datafluid.torch", "datafluid.tensorflow")  # their examples are in tests/torch and tests/tensorflow
PACKAGES = ("datafluid", "fluid_fsspec", "fluid_airflow", "fluid_kfp", "fluid_widgets")


def _modules() -> list[str]:
    found = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        found.append(name)
        walked = pkgutil.walk_packages(package.__path__, f"{name}.")
        names = (module.name for module in walked if not module.name.endswith("__main__"))
        found += [name for name in names if name not in _FRAMEWORKS]
    return found


@pytest.mark.parametrize("name", _modules())
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a home and a directory of their own."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
