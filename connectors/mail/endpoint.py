"""Where a mail server is reached: scheme, host, port and user, read from an account's settings."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from connectors.base import Refused

_PORTS = {"imaps": 993, "imap": 143, "imap+starttls": 143, "smtps": 465, "smtp": 25, "smtp+starttls": 587}
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server. `ca_file` names a private certificate authority; certificates are always verified."""

    scheme: str
    host: str
    port: int
    user: str
    ca_file: str = ""

    @property
    def is_tls_from_start(self) -> bool:
        return self.scheme in {"imaps", "smtps"}

    @property
    def is_starttls(self) -> bool:
        return self.scheme.endswith("+starttls")

    @property
    def name(self) -> str:
        """Host and, where it is not the usual one, the port: for sentences."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


def read_endpoint(settings: Mapping[str, Any], key: str, address: str) -> Endpoint:
    """The endpoint under `key` ("imap" or "smtp"). Raises Refused with a sentence when it cannot be used."""
    found = settings.get(key) or {}
    scheme = str(found.get("scheme") or f"{key}s")
    host = str(found.get("host") or "").strip()
    if scheme not in _PORTS or not scheme.startswith(key):
        raise Refused(f"“{scheme}” is no way to reach a mail server: use {key}s, {key}+starttls or {key}.")
    if not host:
        raise Refused(f"The {key.upper()} server of {address} is not set.")
    endpoint = Endpoint(
        scheme=scheme,
        host=host,
        port=_port(found.get("port") or _PORTS[scheme]),
        user=str(found.get("user") or address),
        ca_file=str(settings.get("ca_file") or ""),
    )
    is_plain = not endpoint.is_tls_from_start and not endpoint.is_starttls
    if is_plain and host.lower() not in _LOOPBACK and not settings.get("insecure"):
        raise Refused(
            f"{endpoint.name} would get the password unencrypted. "
            f"Use {key}s or {key}+starttls, or allow it with --insecure."
        )
    return endpoint


def _port(value: Any) -> int:
    text = str(value)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Refused(f"“{text[:20]}” is no port.")
    return int(text)


@lru_cache(maxsize=32)
def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """A context that verifies certificate and host name, against the system's authorities or the account's own."""
    # Reading the system's authorities takes 20 ms and more, so a context is made once per authority file.
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise Refused(f"The certificate authority {ca_file} cannot be read. Does the file exist?") from error
