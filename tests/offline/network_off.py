"""Switches the network off for this Python process: only this machine can be reached."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

REASON = "the network is off in the tests; only this machine can be reached, not"


def is_local(host: Any) -> bool:
    """Whether a host of a socket address or a look-up is this machine; a name counts only if it needs no look-up elsewhere."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def switch_off() -> None:
    """Make connections and look-ups beyond this machine fail at once, as they do without a network; twice does no harm."""
    if getattr(socket.socket, "network_is_off", False):
        return
    socket.socket.network_is_off = True  # type: ignore[attr-defined]
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def reachable(sock: socket.socket, address: Any) -> bool:
        return sock.family not in (socket.AF_INET, socket.AF_INET6) or is_local(address[0])

    def local_connect(sock: socket.socket, address: Any) -> None:
        if not reachable(sock, address):
            raise OSError(errno.ENETUNREACH, f"{REASON} {address[0]}")
        connect(sock, address)

    def local_connect_ex(sock: socket.socket, address: Any) -> int:
        return connect_ex(sock, address) if reachable(sock, address) else errno.ENETUNREACH

    def local_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if not is_local(host):
            raise socket.gaierror(socket.EAI_AGAIN, f"{REASON} {host}")
        return getaddrinfo(host, *arguments, **options)

    socket.socket.connect = local_connect  # type: ignore[assignment, method-assign]
    socket.socket.connect_ex = local_connect_ex  # type: ignore[assignment, method-assign]
    socket.getaddrinfo = local_getaddrinfo
