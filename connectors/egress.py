"""The one way by which anything that a stranger wrote is asked for on the network: pictures in mail.

    picture = fetch_picture("https://far.example/logo.png")

Only http and https on their own ports, names resolved once, every address they have checked, and the connection made
to the very address that was checked, with the name kept for TLS and Host. Redirects are followed three times, each
one checked anew. No cookies, no referrer, a deadline for everything, a cap on what is read. Nothing else in Balas
may ask for an address that came from outside.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

import idna

from connectors.deadline import Deadline
from connectors.lookup import NotFound, addresses_of

MAX_ADDRESS = 2000
_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PICTURES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/pjpeg", "image/gif", "image/webp"})
_ASKED = {
    "User-Agent": "Balas picture loader",
    "Accept": "image/webp,image/png,image/jpeg,image/gif",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
# What `is_global` lets through on some Python, what leads to another address inside it, and one cloud's own service.
_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
]


class NotFetched(Exception):
    """str() is a sentence for the log; what is shown is only that there is no picture."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet. False for everything that is no plain address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False  # such as one with a zone: fe80::1%eth0
    return ip.is_global and not any(ip.version == network.version and ip in network for network in _NEVER)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be asked, and how much of it is taken. Tests ask a server of their own."""

    ports: frozenset[int] = frozenset(_PORTS.values())
    may_reach: Callable[[str], bool] = is_public
    redirects: int = 3
    seconds: float = 5.0
    max_bytes: int = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: str
    host: str  # ASCII, without brackets
    port: int
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def fetch_picture(address: str, rules: Rules | None = None) -> bytes:
    """The bytes of a raster picture, as they came: whoever shows them draws them anew first. Raises NotFetched."""
    rules = rules or Rules()
    deadline = time.monotonic() + rules.seconds
    for _ in range(rules.redirects + 1):
        target = _read_target(address, rules)
        status, headers, content = _ask(target, _address_of(target, rules, deadline), rules, deadline)
        if status in _REDIRECTS:
            following = urljoin(address, headers.get("location", "")[:MAX_ADDRESS])
            if target.scheme == "https" and not following.lower().startswith("https:"):
                raise NotFetched("It leads away from a safe address.")
            address = following
            continue
        if status != 200:
            raise NotFetched(f"{target.host} answered {status}.")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _PICTURES:
            raise NotFetched(f"{target.host} answered with something that is no picture.")
        return content
    raise NotFetched("It leads on and on.")


def _read_target(address: str, rules: Rules) -> _Target:
    """Raises NotFetched for whatever two programs could read in two ways."""
    if len(address) > MAX_ADDRESS or any(ord(one) < 33 or ord(one) == 127 or one == "\\" for one in address):
        raise NotFetched("This is no plain address.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise NotFetched("This is no address.") from None
    if parts.scheme not in _PORTS or "@" in parts.netloc or not parts.hostname:
        raise NotFetched("Only http and https addresses of a host are asked.")
    port = port if port is not None else _PORTS[parts.scheme]
    if port not in rules.ports:
        raise NotFetched("Only the usual ports are asked.")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|") if parts.query else ""
    return _Target(parts.scheme, _plain_host(parts.hostname), port, path + query)


def _plain_host(host: str) -> str:
    if ":" in host:
        return host
    try:
        plain = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise NotFetched("The name of the host cannot be read.") from None
    plain = plain.rstrip(".").lower()
    if not plain or len(plain) > 253 or not all(one.isalnum() or one in "-._" for one in plain):
        raise NotFetched("The name of the host cannot be read.")
    return plain


def _address_of(target: _Target, rules: Rules, deadline: float) -> str:
    """The address to connect to. All that the name has must be public: a name with one inside is a trap."""
    try:
        found = addresses_of(target.host, target.port, max(0.0, deadline - time.monotonic()))
    except NotFound as error:
        raise NotFetched(f"{target.host} {error}.") from None
    if not all(rules.may_reach(one) for one in found):
        raise NotFetched(f"{target.host} is no host of the public internet.")
    return found[0]


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _ask(target: _Target, ip: str, rules: Rules, deadline: float) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and the body of a 200. Raises NotFetched."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise NotFetched(f"{target.host} did not answer in time.")
    try:
        with socket.create_connection((ip, target.port), timeout=left) as plain, Deadline(left) as end:
            end.watch(plain)
            found = _exchange(target, plain, rules)
            if end.is_over:  # what was read until then is no answer
                raise TimeoutError
            return found
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotFetched(f"{target.host} could not be asked ({type(error).__name__}).") from None


def _exchange(target: _Target, plain: socket.socket, rules: Rules) -> tuple[int, dict[str, str], bytes]:
    sock = _tls().wrap_socket(plain, server_hostname=target.host) if target.scheme == "https" else plain
    talk = http.client.HTTPConnection(target.host, target.port)
    talk.sock = sock
    try:
        talk.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": target.host_header, **_ASKED}.items():
            talk.putheader(name, value)
        talk.endheaders()
        answer = talk.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        if answer.status != 200:
            return answer.status, headers, b""
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > rules.max_bytes:
            raise NotFetched(f"{target.host} answered with too much.")
        content = answer.read(rules.max_bytes + 1)
        if len(content) > rules.max_bytes:
            raise NotFetched(f"{target.host} answered with too much.")
        return answer.status, headers, content
    finally:
        talk.close()
