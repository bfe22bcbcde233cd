"""One bounded HTTP exchange with JSON as the answer: a deadline for all of it, a cap, no redirects, no cookies.

For the few addresses that the owner has set (token endpoints and their discovery), never for what strangers wrote.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from connectors.base import RetryLater
from connectors.deadline import Deadline
from connectors.mail.endpoint import tls_context
from connectors.route import chosen_route

SECONDS = 20.0
MAX_BYTES = 256 * 1024
_MAX_HEAD = 16 * 1024
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is empty when the body is no JSON object."""

    status: int
    data: Mapping[str, Any]
    is_json: bool


def is_safe(address: str) -> bool:
    """Whether a secret may go there: https, or plain http that never leaves this machine."""
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return bool(parts.hostname) and has_port and (parts.scheme == "https" or is_plain_loopback)


def call(
    address: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """POST a form, or GET without one. Raises RetryLater with a sentence; never names what was sent."""
    parts = urlsplit(address)
    if not is_safe(address):
        raise RetryLater(f"{address} is not asked: only https is, or http on this machine.")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    name = parts.netloc.rpartition("@")[2]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = None if form is None else urlencode(form).encode()
    sent = {"Accept": "application/json", "Connection": "close", **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        proxy = urlsplit("" if host in _LOOPBACK else chosen_route().proxy)
        to = (proxy.hostname, proxy.port or 80) if proxy.hostname else (host, port)
        with socket.create_connection(to, timeout=seconds) as plain, Deadline(seconds) as deadline:
            deadline.watch(plain)
            try:
                if proxy.hostname:
                    _tunnel(plain, host, port, proxy)
                status, content = _exchange(plain, parts.scheme, host, path, body, sent, seconds)
            except (OSError, http.client.HTTPException) as error:
                if deadline.is_over:
                    raise TimeoutError from error
                raise
            if deadline.is_over:  # what was read until then is no answer
                raise TimeoutError
    except ssl.SSLCertVerificationError as error:
        raise RetryLater(f"The certificate of {name} is not trusted: {error.verify_message}.") from error
    except TimeoutError as error:
        raise RetryLater(f"{name} did not answer in time.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RetryLater(f"{name} could not be reached ({type(error).__name__}).") from error
    if len(content) > MAX_BYTES:
        raise RetryLater(f"{name} answered with far more than such an answer can be.")
    return _read(status, content)


def _tunnel(plain: socket.socket, host: str, port: int, proxy: SplitResult) -> None:
    """Has the proxy lead on to the host (RFC 9110 §9.3.6). Raises OSError."""
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if proxy.username:
        pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    plain.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = plain.recv(1)  # not one byte of what comes after it
        if not more or len(head) > _MAX_HEAD:
            raise ConnectionError("the proxy gave no answer")
        head += more
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ConnectionError("the proxy does not lead there")


def _exchange(
    plain: socket.socket,
    scheme: str,
    host: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    seconds: float,
) -> tuple[int, bytes]:
    """Status and at most MAX_BYTES + 1 of the body."""
    sock = plain
    if scheme != "http":
        sock = tls_context(chosen_route().ca_file).wrap_socket(plain, server_hostname=host)
    connection = http.client.HTTPConnection(host, timeout=seconds)
    connection.sock = sock
    with contextlib.closing(connection):
        connection.request("GET" if body is None else "POST", path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read(MAX_BYTES + 1)


def _read(status: int, content: bytes) -> Answer:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return Answer(status, {}, is_json=False)
    return Answer(status, data, is_json=True) if isinstance(data, dict) else Answer(status, {}, is_json=False)
