"""The config file: where it is, and that it is one."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datafluid.errors import Invalid, NotFound

__all__ = ["config_path", "read_config"]


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where the config file is: ``DATAFLUID_CONFIG``, else ``config.toml`` in the platform's config directory."""
    environ = os.environ if environ is None else environ
    if named := environ.get("DATAFLUID_CONFIG"):
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path("datafluid") / "config.toml"


def read_config(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the config file says; nothing when there is none.

    Raises:
        NotFound: ``DATAFLUID_CONFIG`` names a file that is not there.
        Invalid: it cannot be read, or is no such file.
    """
    path = config_path(environ)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if not environ.get("DATAFLUID_CONFIG"):
            return {}
        hint = "Write it, or unset DATAFLUID_CONFIG."
        raise NotFound(f"there is no file {str(path)!r}, which DATAFLUID_CONFIG names.", hint=hint) from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    try:
        config = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not TOML: {error}.", hint="Mend the file or remove it.") from error
    _check_shape(config, str(path))
    return config


def _check_shape(config: Mapping[str, Any], path: str) -> None:
    """A ``default``, and ``contexts`` that are tables."""
    for key, value in config.items():
        if key not in ("default", "contexts"):
            hint = "Write [contexts.NAME] for each context, and default = NAME."
            raise Invalid(f"{path} has an unknown {key!r}.", hint=hint)
        if key == "default" and not isinstance(value, str):
            raise Invalid(f"{path}: default is no name of a context.", hint='Write default = "NAME".')
        if key == "contexts" and not (
            isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())
        ):
            raise Invalid(f"{path}: contexts are no tables.", hint="Write [contexts.NAME] and its settings below.")


def _are_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())
