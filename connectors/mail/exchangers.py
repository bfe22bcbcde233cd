"""Asks DNS who takes a domain's mail (MX, RFC 1035 §3.3.9): one question, two seconds, no answer is no answer.

It only helps to guess a provider, so nothing here raises and nothing is believed beyond that.
"""

from __future__ import annotations

import re
import secrets
import socket
import struct
import time
from pathlib import Path

_MX, _IN = 15, 1
_MAX_PACKET = 4096
_MAX_RECORDS = 32
_MAX_JUMPS = 16
# RFC 2606, 6761, 6762 and 7686: DNS knows none of them, or they are nobody's.
_RESERVED = (
    *(".example", ".test", ".invalid", ".localhost", ".local", ".onion"),
    *(".example.com", ".example.net", ".example.org"),
)
_NAMESERVER = re.compile(r"^\s*nameserver\s+(\S+)", re.MULTILINE)


def find_exchangers(domain: str, seconds: float = 2.0, server: tuple[str, int] | None = None) -> list[str]:
    """Host names of a domain's MX records, the preferred first, lower case; empty when they cannot be told.

    `domain` is ASCII. `server` is (address, port); default: the system's first name server.
    """
    asked = domain.lower().rstrip(".")
    if not asked or f".{asked}".endswith(_RESERVED) or "." not in asked or len(asked) > 253:
        return []
    where = server or _system_server()
    if where is None:
        return []
    try:
        return _ask(asked, seconds, where)
    except (OSError, ValueError, struct.error, IndexError):
        return []


def _system_server() -> tuple[str, int] | None:
    try:
        found = _NAMESERVER.search(Path("/etc/resolv.conf").read_text(errors="replace"))
    except OSError:
        return None
    return (found[1], 53) if found else None


def _ask(domain: str, seconds: float, server: tuple[str, int]) -> list[str]:
    number = secrets.randbelow(0x10000)
    name = b"".join(bytes([len(label)]) + label for label in domain.encode("ascii").split(b"."))
    query = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + name + b"\0" + struct.pack(">HH", _MX, _IN)
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    ends_at = time.monotonic() + seconds
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(server)  # then only this server's packets arrive
        sock.send(query)
        while (left := ends_at - time.monotonic()) > 0:
            sock.settimeout(left)
            packet = sock.recv(_MAX_PACKET)
            if packet[:2] == query[:2]:
                return _read(packet)
    return []


def _read(packet: bytes) -> list[str]:
    _number, flags, questions, answers = struct.unpack(">HHHH", packet[:8])
    if not flags & 0x8000 or flags & 0xF:
        return []
    at = 12
    for _ in range(questions):
        at = _name(packet, at)[1] + 4
    found: list[tuple[int, str]] = []
    for _ in range(min(answers, _MAX_RECORDS)):
        at = _name(packet, at)[1]
        kind, _class, _ttl, length = struct.unpack(">HHIH", packet[at : at + 10])
        at += 10
        if kind == _MX:
            [preference] = struct.unpack(">H", packet[at : at + 2])
            found.append((preference, _name(packet, at + 2)[0]))
        at += length
    return [host for _, host in sorted(found) if host]


def _name(packet: bytes, at: int) -> tuple[str, int]:
    """A possibly compressed name (RFC 1035 §4.1.4) and where the packet goes on. Raises ValueError for a loop."""
    labels: list[str] = []
    goes_on = 0
    for _ in range(_MAX_JUMPS * 8):
        length = packet[at]
        if length & 0xC0 == 0xC0:
            goes_on = goes_on or at + 2
            at = (length & 0x3F) << 8 | packet[at + 1]
        elif length == 0:
            return ".".join(labels).lower(), goes_on or at + 1
        else:
            labels.append(packet[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
    raise ValueError("a name without end")
