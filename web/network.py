"""Where a request comes from. Proxy headers count only from peers that BALAS_TRUSTED_PROXIES names."""

from __future__ import annotations

import ipaddress
from functools import cache

from django.conf import settings
from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@cache
def parse_proxies(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between. Raises ValueError for anything else, and for the whole world."""
    found = tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("it would trust everybody")
    return found


def _is_trusted(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in parse_proxies(settings.BALAS.trusted_proxies))


def client_address(request: HttpRequest) -> str:
    """The nearest address that is not one of our own proxies; "" when there is none (a local socket)."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    chain = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while chain and _is_trusted(peer):
        peer = chain.pop()
    return peer


def network_of(address: str) -> str:
    """What shares a throttle: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "local"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def is_direct_loopback(request: HttpRequest) -> bool:
    """From this very machine, and through no proxy: a proxy in front may speak for anybody."""
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")):
        return False
    try:
        return ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", ""))).is_loopback
    except ValueError:
        return False
