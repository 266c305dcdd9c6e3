"""Where ``encryptOptions`` find their values on a machine without Kubernetes Secrets."""

from __future__ import annotations

import os
import re
import stat

from datafluid.engine.binding import SecretOption
from datafluid.engine.home import Home
from datafluid.errors import Forbidden, Invalid, NotFound

__all__ = ["resolve_secret", "secret_variable"]

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z")


def secret_variable(namespace: str, secret: str, key: str) -> str:
    """The environment variable that stands for one key of a Secret.

    Example:
        >>> secret_variable("default", "s3-creds", "secret.key")
        'DATAFLUID_SECRET_DEFAULT_S3_CREDS_SECRET_KEY'
    """
    return "DATAFLUID_SECRET_" + re.sub(r"[^A-Z0-9]", "_", f"{namespace}_{secret}_{key}".upper())


def resolve_secret(home: Home, namespace: str, wanted: SecretOption) -> str:
    """The value of one encrypted option: from the environment, a keyring, or a file of the home directory.

    Args:
        home: Its ``secrets/<namespace>/<name>/<key>`` files must be the user's own and 0600.
        namespace: The dataset's namespace.
        wanted: Which key of which Secret.

    Raises:
        NotFound: it is nowhere; the message says where it may be put.
        Forbidden: the file may be read by others.
        Invalid: a name that no Secret can have.
    """
    for part in (namespace, wanted.secret, wanted.key):
        if not _NAME.match(part):
            raise Invalid(f"{part!r} cannot name a Secret or a key of one.", hint="Mend encryptOptions.")
    variable = secret_variable(namespace, wanted.secret, wanted.key)
    if value := os.environ.get(variable):
        return value
    if value := _from_keyring(namespace, wanted):
        return value
    path = home.secrets_directory / namespace / wanted.secret / wanted.key
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise NotFound(
            f"secret {namespace}/{wanted.secret} has no key {wanted.key!r} (for option {wanted.option!r}).",
            hint=f"Put its value into {path} (mode 0600) or into ${variable}.",
        ) from error
    with os.fdopen(fd, encoding="utf-8") as file:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise Forbidden(f"{path} may be read by others.", hint=f"Run `chmod 600 {path}`.")
        return file.read().rstrip("\n")


def _from_keyring(namespace: str, wanted: SecretOption) -> str | None:
    try:
        import keyring
    except ImportError:
        return None
    found = keyring.get_password(f"datafluid/{namespace}/{wanted.secret}", wanted.key)
    return str(found) if found else None
