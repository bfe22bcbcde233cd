"""The `requests` session under connectors/wire.py: connections made to checked addresses, with one end for everything.

Imported only when something is asked: requests and urllib3 cost 100 ms and some megabytes.
"""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from connectors.answers import NotSent, OffLimits, TooMuch, Unanswered
from connectors.base import RetryLater
from connectors.deadline import Deadline
from connectors.lookup import NotFound, addresses_of
from connectors.mail.endpoint import tls_context
from connectors.route import Route

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
_CHUNK = 65536
# They write whole requests into the log, with their tokens, when it is turned up.
for _name in ("urllib3", "requests", "tweepy", "requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_now = threading.local()  # .deadline of the exchange that this thread is in


class _Refusal(NewConnectionError):
    """An address that may not be reached. Its sentence is for people."""

    def __init__(self, connection: HTTPConnection, sentence: str, is_final: bool = False) -> None:
        super().__init__(connection, sentence)
        self.sentence = sentence
        self.is_final = is_final


class _Watched:
    """What both kinds of connection share: every socket is watched by the deadline of the exchange."""

    may_reach: Callable[[str], bool] | None = None  # None: a proxy, which the owner has set

    def _new_conn(self: Any) -> socket.socket:
        deadline: Deadline = _now.deadline
        try:
            addresses = addresses_of(self._dns_host, self.port, min(CONNECT_SECONDS, deadline.left))
        except NotFound as error:
            raise _Refusal(self, f"{self.host} {error}.") from None
        if self.may_reach and not all(self.may_reach(one) for one in addresses):
            raise _Refusal(self, f"{self.host} is no server of the public internet.", is_final=True)
        last: OSError | None = None
        for address in addresses[:8]:
            wait = min(CONNECT_SECONDS, deadline.left)
            if wait <= 0:
                break
            try:
                sock = socket.create_connection((address, self.port), timeout=wait)
            except OSError as error:
                last = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            deadline.watch(sock)
            return sock
        why = "did not answer in time" if last is None or isinstance(last, TimeoutError) else "could not be reached"
        raise _Refusal(self, f"{self.host} {why}.") from None

    def request(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept from an exchange before
            _now.deadline.watch(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


def _pools(may_reach: Callable[[str], bool] | None) -> dict[str, type[HTTPConnectionPool]]:
    checked = staticmethod(may_reach) if may_reach else None
    plain = type("Plain", (_Watched, HTTPConnection), {"may_reach": checked})
    safe = type("Safe", (_Watched, HTTPSConnection), {"may_reach": checked})
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SafePool", (HTTPSConnectionPool,), {"ConnectionCls": safe}),
    }


class Adapter(HTTPAdapter):
    def __init__(self, may_reach: Callable[[str], bool], route: Route) -> None:
        self._may_reach, self._route = may_reach, route
        super().__init__(pool_connections=2, pool_maxsize=4)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        self.poolmanager = PoolManager(
            connections, maxsize=maxsize, block=block, ssl_context=tls_context(self._route.ca_file)
        )
        self.poolmanager.pool_classes_by_scheme = _pools(self._may_reach)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        if proxy not in self.proxy_manager:
            manager = ProxyManager(
                proxy, proxy_headers=self.proxy_headers(proxy), maxsize=4, ssl_context=tls_context(self._route.ca_file)
            )
            manager.pool_classes_by_scheme = _pools(None)
            self.proxy_manager[proxy] = manager
        return self.proxy_manager[proxy]

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Authorities come with the pool's own context, which always verifies."""
        parts = urlsplit(str(request.url))
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        return


def no_cookies() -> DefaultCookiePolicy:
    return DefaultCookiePolicy(allowed_domains=[])


@contextmanager
def _one_end(deadline: Deadline) -> Iterator[None]:
    before = getattr(_now, "deadline", None)
    _now.deadline = deadline
    try:
        with deadline:
            yield
    finally:
        _now.deadline = before


def exchange(
    adapter: Adapter, request: Any, name: str, proxies: Mapping[str, str], seconds: float, max_bytes: int
) -> requests.Response:
    """One request, one answer with its whole body, no redirect followed. Raises NotSent, Unanswered."""
    deadline = Deadline(seconds)
    trouble: RetryLater
    with _one_end(deadline):
        try:
            response = adapter.send(
                request,
                stream=True,
                timeout=(min(CONNECT_SECONDS, seconds), min(READ_SECONDS, seconds)),
                proxies=dict(proxies),
            )
            try:
                read_body(response, name, max_bytes)
            finally:
                response.raw.close()  # a body that was not read to its end cannot stay on a connection
            if not deadline.is_over:
                return response
            trouble = Unanswered(f"{name} did not answer in time.")
        except RetryLater as error:
            trouble = error
        except (requests.RequestException, HTTPError, OSError, http.client.HTTPException, ValueError) as error:
            trouble = _trouble(error, name, deadline)
    # Raised out here, so that what requests raised, with the whole request in it, hangs on nothing.
    raise trouble


def read_body(response: requests.Response, name: str, max_bytes: int) -> None:
    """Takes the body in, at most that much of it, unpacked. Raises Unanswered."""
    declared = response.headers.get("content-length", "0")
    is_too_much = declared.isascii() and declared.isdecimal() and int(declared[:20]) > max_bytes
    parts, size = [], 0
    if not is_too_much and response.request.method != "HEAD":
        for part in response.iter_content(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > max_bytes:
                is_too_much = True
                break
    if is_too_much:
        raise TooMuch(f"{name} answered with far more than such an answer can be.")
    response._content = b"".join(parts)  # where requests itself keeps a body that is read
    response._content_consumed = True  # type: ignore[attr-defined]


def _trouble(error: BaseException, name: str, deadline: Deadline) -> RetryLater:
    """What broke, without a word of what was asked."""
    chain, seen = [error], 0
    while seen < len(chain) <= 12:
        one = chain[seen]
        seen += 1
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *getattr(one, "args", ())]
        chain.extend(more for more in inner if isinstance(more, BaseException) and more not in chain)
    for one in chain:
        if isinstance(one, _Refusal):
            return OffLimits(one.sentence) if one.is_final else NotSent(one.sentence)
        if isinstance(one, ssl.SSLCertVerificationError):
            return NotSent(f"The certificate of {name} is not trusted: {one.verify_message}.")
    if deadline.is_over or any(isinstance(one, TimeoutError | requests.Timeout) for one in chain):
        return Unanswered(f"{name} did not answer in time.")
    if any(isinstance(one, ssl.SSLError) for one in chain):
        return Unanswered(f"{name} could not be reached safely (TLS).")
    return Unanswered(f"{name} broke off before it had answered.")


def plain_headers(headers: CaseInsensitiveDict[str]) -> dict[str, str]:
    return {name.lower(): value[:16384] for name, value in headers.items()}
