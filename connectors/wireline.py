"""One server and one log-in: how a request of `connectors.wire.Wire` gets there, again where that is safe, and back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit

from connectors import ratelimits
from connectors.answers import Answer, Dialect, NotSent, OffLimits, TooMuch, Unanswered, failure, read_json
from connectors.base import ConnectorError, Refused, TokenSource
from connectors.egress import is_public
from connectors.lookup import is_loopback
from connectors.metering import Meter, Unmetered
from connectors.registry import AccountSettings
from connectors.route import chosen_route

if TYPE_CHECKING:
    import requests

    from connectors.wiresession import Adapter

_WAITS = (0.3, 1.0)  # seconds before the second and the third attempt
_PASSING = {502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 3
SAFE = {"GET", "HEAD"}


class Line:
    """For one thread at a time; `close` when done."""

    def __init__(
        self,
        dialect: Dialect,
        base_url: str = "",
        *,
        bearer: str = "",
        tokens: TokenSource | None = None,
        meter: Meter | None = None,
        is_insecure: bool = False,
    ) -> None:
        """Raises Refused for an address that is none, or over which a secret would go unencrypted."""
        self.dialect = dialect
        self.base_url = _read_base(base_url or dialect.base_url, dialect.name, is_insecure)
        self.host = urlsplit(self.base_url).netloc
        self.name = dialect.name if not base_url or base_url == dialect.base_url else self.host
        self._bearer, self._tokens = bearer, tokens
        self._meter: Meter = meter or Unmetered()
        self._adapter: Adapter | None = None
        self._ahead: set[str] = set()  # endpoints for whose next call the meter was asked already
        self._is_down = False  # what was asked last found no answer, after all attempts
        self._repeats: dict[str, int] = {}  # endpoint → refusals for its limit in a row
        self._secrets: set[str] = {bearer} - {""}

    @classmethod
    def of(cls, account: AccountSettings, dialect: Dialect, bearer: str = "") -> Self:
        return cls(
            dialect,
            str(account.settings.get("base_url") or ""),
            bearer=bearer,
            tokens=account.tokens,
            meter=account.meter,
            is_insecure=bool(account.settings.get("insecure")),
        )

    def __repr__(self) -> str:
        return f"Wire({self.host})"

    def close(self) -> None:
        if self._adapter:
            self._adapter.close()

    def hide(self, *secrets: str) -> None:
        """These never stand in a sentence, even when the server repeats them."""
        self._secrets.update(one for one in secrets if len(one) >= 4)

    def failure(self, answer: Answer, texts: Collection[str] = (), endpoint: str = "") -> ConnectorError:
        """The error of an answer; `texts` were sent and must not come back in a sentence."""
        repeats = max(0, self._repeats.get(endpoint, 1) - 1)

        def hide(words: str) -> str:
            for one in sorted({*self._secrets, *texts}, key=len, reverse=True):
                words = words.replace(one, "…")
            return words

        return failure(answer, self.name, self.dialect, now=datetime.now(UTC), repeats=repeats, hide=hide)

    def answer_of(self, response: requests.Response) -> Answer:
        """Of a response that came through `session()`."""
        content = response.content
        data, is_json = read_json(content) if content else (None, False)
        headers = {name.lower(): value[:16384] for name, value in response.headers.items()}
        return Answer(response.status_code, headers, content, data, is_json)

    def open_ahead(self, endpoint: str) -> None:
        """Asks the meter for the next call of this endpoint now, before a point of no return. Raises as the meter."""
        self._meter.open(endpoint)
        self._ahead.add(endpoint)

    # --- On the line ------------------------------------------------------------------------------------------------

    def _exchange(
        self,
        request: requests.PreparedRequest,
        endpoint: str,
        may_repeat: bool,
        is_renewable: bool,
        seconds: float,
        max_bytes: int,
    ) -> requests.Response:
        """The last answer there is, of whatever status. Raises NotSent, Unanswered, and as the meter and tokens."""
        ends_at = time.monotonic() + seconds
        name, is_renewed, attempt = self._endpoint(request, endpoint), False, 0
        while True:
            if name in self._ahead:
                self._ahead.discard(name)
            else:
                self._meter.open(name)
            try:
                response = self._once(request, ends_at - time.monotonic(), max_bytes, may_repeat)
            except (NotSent, Unanswered) as error:
                if (
                    isinstance(error, TooMuch | OffLimits)
                    or not may_repeat
                    or not self._may_go_on(request, attempt, ends_at)
                ):
                    self._is_down = may_repeat
                    raise
                attempt += 1
                continue
            self._note(name, response)
            if response.status_code in _PASSING and may_repeat and self._may_go_on(request, attempt, ends_at):
                attempt += 1
                continue
            self._is_down = may_repeat and response.status_code in _PASSING
            if is_renewable and not is_renewed and self._is_expired(response) and self._renew(request):
                is_renewed = True
                continue
            return response

    def _once(
        self, request: requests.PreparedRequest, seconds: float, max_bytes: int, may_follow: bool
    ) -> requests.Response:
        from connectors.wiresession import Adapter, exchange  # loads requests, which is slow

        if self._adapter is None:
            is_own = is_loopback(urlsplit(self.base_url).hostname or "")
            self._adapter = Adapter(is_loopback if is_own else is_public, chosen_route())
        ends_at = time.monotonic() + seconds
        for _ in range(_MOST_REDIRECTS + 1):
            left = ends_at - time.monotonic()
            if left <= 0:
                raise Unanswered(f"{self.name} did not answer in time.")
            response = exchange(self._adapter, request, self.name, self._proxies(), left, max_bytes)
            leads_to = urljoin(str(request.url), response.headers.get("location", "")[:4000])
            if response.status_code not in _REDIRECTS or request.method not in SAFE or not may_follow:
                break
            if not self._is_here(leads_to):
                break
            request.url = leads_to
        return response

    def _proxies(self) -> dict[str, str]:
        proxy = chosen_route().proxy
        host = urlsplit(self.base_url).hostname or ""
        if not proxy or is_loopback(host):
            return {}
        # Through a proxy no name is resolved here; what is an address already can still be looked at.
        if (host.replace(".", "").isdecimal() or ":" in host) and not is_public(host):
            raise OffLimits(f"{host} is no server of the public internet.")
        return {"http": proxy, "https": proxy}

    def _may_go_on(self, request: requests.PreparedRequest, attempt: int, ends_at: float) -> bool:
        """Waits before the next attempt, when there is one."""
        if self._is_down:  # just found out: the next request is asked once
            return False
        if attempt >= len(_WAITS) or ends_at - time.monotonic() < 2 * _WAITS[attempt] or not _rewound(request):
            return False
        time.sleep(_WAITS[attempt])
        return True

    def _endpoint(self, request: requests.PreparedRequest, endpoint: str) -> str:
        return endpoint or self.dialect.endpoint_of(str(request.method), urlsplit(str(request.url)).path)

    def _note(self, endpoint: str, response: requests.Response) -> None:
        headers = {name.lower(): value[:16384] for name, value in response.headers.items()}
        now = datetime.now(UTC)
        windows = ratelimits.windows_of(self.dialect.windows, headers, now)
        refused_for: timedelta | None = None
        if response.status_code == 429:
            repeats = self._repeats.get(endpoint, 0)
            refused_for = ratelimits.wait_of(headers, windows, now, repeats)
            self._repeats[endpoint] = repeats + 1
        elif response.status_code < 400:
            self._repeats.pop(endpoint, None)
        if windows or refused_for is not None:
            self._meter.note(endpoint, windows, refused_for)

    # --- Who we are -------------------------------------------------------------------------------------------------

    def _authorize(self, request: requests.PreparedRequest, token: str | None) -> None:
        if token is None:
            token = self._tokens.current() if self._tokens is not None else self._bearer
        request.headers.setdefault("User-Agent", "Balas")
        if token:
            self.hide(token)
            request.headers["Authorization"] = f"Bearer {token}"

    def _is_expired(self, response: requests.Response) -> bool:
        return response.status_code == 401 or (
            response.status_code >= 400 and self.dialect.is_expired(self.answer_of(response))
        )

    def _renew(self, request: requests.PreparedRequest) -> bool:
        """Whether it can be asked again with another token. Raises AuthFailed, RetryLater."""
        if self._tokens is None or not _rewound(request):
            return False
        refused = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self._authorize(request, self._tokens.renewed(refused))
        return True

    # --- Where ------------------------------------------------------------------------------------------------------

    def _address(self, path: str) -> str:
        if path.startswith("/"):
            return self.base_url + path
        if self._is_here(path):
            return path
        raise Refused(f"{self.name} names an address on another server, which is not asked.")

    def _is_here(self, address: str) -> bool:
        with contextlib.suppress(ValueError):
            here, there = urlsplit(self.base_url), urlsplit(address)
            return (here.scheme, here.hostname, _port(here)) == (there.scheme, there.hostname, _port(there))
        return False


def _port(parts: Any) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _read_base(base_url: str, name: str, is_insecure: bool) -> str:
    try:
        parts = urlsplit(base_url.strip())
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port)
    except ValueError:
        is_address = False
    if not is_address or "@" in parts.netloc or parts.query or parts.fragment or not base_url.isprintable():
        raise Refused(f"The server's address for {name} is none: it must look like https://social.example.")
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not is_insecure:
        raise Refused(f"{parts.netloc} would get the log-in unencrypted. Use https.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _rewound(request: requests.PreparedRequest) -> bool:
    """Whether the body can be sent once more."""
    body = request.body
    if body is None or isinstance(body, bytes | str):
        return True
    try:
        body.seek(request._body_position)
    except (AttributeError, OSError, TypeError):
        return False
    return True
