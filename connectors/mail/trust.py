"""Whether the receiving server vouches for the sender (RFC 8601), judged by one header and strictly.

Only the topmost Authentication-Results of the one configured server counts: every other one could have been written
by anybody, and that server removes forged ones that carry its own name (RFC 8601 §5).
"""

from __future__ import annotations

import re

from connectors.mail.decode import decode_header
from connectors.mail.fields import Fields
from connectors.messages import Flag

MAX_HEADERS = 50

_RESULT = re.compile(r"\s*([a-z0-9-]{1,40})\s*(?:/\s*\d+\s*)?=\s*([a-z]{1,20})\b", re.I)
_PROPERTY = re.compile(r"\b(header\.(?:from|d|i))\s*=\s*\"?([^\s;\"]{1,320})", re.I)
_VOUCHED = "pass"
_FAILED = frozenset(("fail", "softfail", "permerror", "policy"))


def check_sender(fields: Fields, domain: str, authserv_id: str) -> tuple[bool | None, Flag | None]:
    """True: vouched for, aligned with `domain` of From. None: no verifying server configured. False: all else."""
    if not authserv_id:
        return None, None
    results = _results(fields, authserv_id)
    if results is None or not domain:
        return False, Flag.UNVERIFIED_SENDER
    domain = domain.lower()
    failed = False
    for method, result, properties in results:
        if method == "dmarc":
            is_ours = properties.get("header.from", domain).lower().rpartition("@")[2] == domain
            if result == _VOUCHED and is_ours:
                return True, None
            failed |= result in _FAILED and is_ours
        elif method == "dkim" and _is_aligned(_signer(properties), domain):
            if result == _VOUCHED:
                return _unless_dmarc_failed(results, domain)
            failed |= result in _FAILED
        elif method == "spf":
            failed |= result == "fail"
    return False, Flag.FAILED_SENDER_CHECK if failed else Flag.UNVERIFIED_SENDER


def _unless_dmarc_failed(results: list[tuple[str, str, dict[str, str]]], domain: str) -> tuple[bool, Flag | None]:
    """A server that says dmarc=fail knows more than we see, such as a second From."""
    if any(method == "dmarc" and result in _FAILED for method, result, _ in results):
        return False, Flag.FAILED_SENDER_CHECK
    return True, None


def _signer(properties: dict[str, str]) -> str:
    return (properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]).lower()


def _is_aligned(signer: str, domain: str) -> bool:
    """The signing domain is the From domain or a parent of it. A child is not: a host's customer is not the host."""
    return bool(signer) and (signer == domain or ("." in signer and domain.endswith("." + signer)))


def _results(fields: Fields, authserv_id: str) -> list[tuple[str, str, dict[str, str]]] | None:
    for raw in fields.get(b"authentication-results", [])[:MAX_HEADERS]:
        statements = _statements(decode_header(raw))
        name = statements[0].split()
        if name and name[0].strip('"').lower() == authserv_id.lower():
            return [read for statement in statements[1:100] if (read := _read(statement)) is not None]
    return None


def _read(statement: str) -> tuple[str, str, dict[str, str]] | None:
    found = _RESULT.match(statement)
    if found is None:
        return None
    properties: dict[str, str] = {}
    for name, value in _PROPERTY.findall(statement):
        properties.setdefault(name.lower(), value)
    return found.group(1).lower(), found.group(2).lower(), properties


def _statements(text: str) -> list[str]:
    """Split at semicolons outside quotes, with comments taken out: a comment may say anything."""
    statements: list[str] = []
    current: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text[:16_384]:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
            continue
        elif quoted:
            quoted = character != '"'
        elif character == '"' and not depth:
            quoted = True
        elif character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            continue
        elif character == ";" and not depth:
            statements.append("".join(current))
            current = []
            continue
        if not depth:
            current.append(" " if quoted and character in "=;" else character)
    statements.append("".join(current))
    return statements
