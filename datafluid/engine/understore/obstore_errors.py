"""What obstore reports, in our own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from datafluid.errors import AlreadyExists, DatafluidError, Forbidden, NotFound, StaleVersion, Unavailable, Unsupported

__all__ = ["StrangeKey", "mapped", "strange_keys"]

_QUOTED = re.compile(r'Path "([^"]*)"')
_METADATA_SERVICE = "//169.254.169.254/"


@contextmanager
def mapped(where: str, *, endpoint: str = "") -> Iterator[None]:
    """Errors of obstore become ours.

    Args:
        where: What was asked for.
        endpoint: Who was asked, without credentials; empty: the provider's own.
    """
    from obstore import exceptions

    try:
        yield
    except FileNotFoundError as error:
        if isinstance(error, DatafluidError):
            raise
        raise NotFound(f"{where} does not exist.", hint="Check the mount point and the path.") from None
    except exceptions.PreconditionError:
        raise StaleVersion(f"{where} has changed.", hint="Open it again.") from None
    except exceptions.AlreadyExistsError:
        raise AlreadyExists(f"{where} exists already.") from None
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError):
        raise Forbidden(f"{where}: access denied.", hint="Check the credentials and the policy.") from None
    except exceptions.InvalidPathError:
        raise NotFound(f"{where} names no object.", hint="Such keys are counted, and cannot be read.") from None
    except exceptions.NotSupportedError as error:
        raise Unsupported(f"{where}: not supported by this store.") from error
    except exceptions.BaseError as error:
        raise _general(where, endpoint, str(error)) from None


class StrangeKey(Exception):
    """A listing holds a key that obstore takes for no path; the text says which, where it is known."""


@contextmanager
def strange_keys() -> Iterator[None]:
    """What obstore says of such a key becomes `StrangeKey`."""
    from obstore import exceptions

    try:
        yield
    except exceptions.InvalidPathError as error:
        found = _QUOTED.search(str(error))
        raise StrangeKey(ascii(found[1]) if found else "one of them") from None
    except exceptions.BaseError as error:
        if "invalid list response" not in str(error):
            raise
        raise StrangeKey("one of them") from None


def _general(where: str, endpoint: str, text: str) -> DatafluidError:
    """Obstore reports the rest as text; the text may hold signed URLs, so none of it is shown."""
    if _METADATA_SERVICE in text:  # the last place where credentials are looked for
        return Unavailable(
            f"{where}: no credentials were found.",
            hint="Name them in encryptOptions or in the environment; option anonymous reads public data.",
        )
    if " 403 " in text or "403 Forbidden" in text or "401 Unauthorized" in text:
        return Forbidden(f"{where}: access denied.", hint="Check the credentials and the policy.")
    if "404 Not Found" in text or "NoSuchBucket" in text:
        return NotFound(f"{where} does not exist.", hint="Check the mount point.")
    if "416 " in text or "412 " in text:
        return StaleVersion(f"{where} has changed.", hint="Open it again.")
    for status in ("429", "500", "502", "503", "504"):
        if f" {status} " in text:
            return Unavailable(f"{where} answered {status}.", hint="Try again later.")
    at = f" at {endpoint}" if endpoint else ""
    return Unavailable(f"{where} cannot be reached{at}.", hint="Check the endpoint and the network.")
