"""Addresses that no dataset has business with: 169.254.169.254 and its kin hand out a machine's own credentials."""

from __future__ import annotations

import ipaddress
import socket

from datafluid.errors import Forbidden

__all__ = ["is_link_local", "refuse_link_local"]


def is_link_local(host: str) -> bool:
    """Whether a host is written as a link-local address, in any of the spellings that are understood as one.

    Example:
        >>> [is_link_local(host) for host in ("169.254.169.254", "2852039166", "[::ffff:a9fe:a9fe]", "10.0.0.1", "a.b")]
        [True, True, True, False, False]
    """
    bare = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        try:  # 2852039166, 0xa9fea9fe and 169.254.43518 are addresses, too
            address = ipaddress.IPv4Address(socket.inet_aton(bare))
        except (OSError, UnicodeError):
            return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_link_local)


def refuse_link_local(host: str | None) -> None:
    """Raise when a host is a link-local address.

    Raises:
        Forbidden: it is.
    """
    if host is not None and is_link_local(host):
        raise Forbidden(f"{host} is a link-local address.", hint="Name the object store's own address.")
