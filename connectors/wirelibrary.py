"""A `requests.Session` for libraries that bring their own hosts and no timeouts: the same door as `Wire.call`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import requests

from connectors import wiresession
from connectors.base import Refused

if TYPE_CHECKING:
    from connectors.wire import Wire

_SECONDS = 30.0
_MAX_BYTES = 8 * 1024 * 1024
_UPLOAD_SECONDS = 120.0
_LARGE = 256 * 1024


class Session(requests.Session):
    """Whatever the caller says of timeouts, redirects, proxies and certificates counts for nothing."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self.trust_env = False
        self.cookies.set_policy(wiresession.no_cookies())

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Led to the account's server before it is signed, so that a signature is one of the real address."""
        return super().request(method, self._led(url), *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        wire = self._wire
        if not wire._is_here(str(request.url)):
            raise Refused(f"{wire.name} names an address on another server, which is not asked.")
        has_token = request.headers.get("Authorization", "").startswith("Bearer ") and wire._tokens is not None
        if has_token:
            wire._authorize(request, None)
        is_large = int(request.headers.get("Content-Length") or 0) > _LARGE
        is_safe = request.method in {"GET", "HEAD"}
        seconds = _UPLOAD_SECONDS if is_large else _SECONDS
        return wire._exchange(request, "", is_safe, has_token, seconds, _MAX_BYTES)

    def _led(self, url: str | bytes) -> str:
        address = url.decode() if isinstance(url, bytes) else str(url)
        parts = urlsplit(address)
        if parts.hostname not in self._wire.dialect.hosts:
            return address
        return self._wire.base_url + urlunsplit(("", "", parts.path, parts.query, ""))
