"""The one HTTP door to social platforms: every request of every kind but mail goes through a `Wire`.

    MASTODON = Dialect("Mastodon", windows=MASTODON_HEADERS)
    wire = Wire.of(account, MASTODON, bearer=secrets.get("access_token", ""))     # lazily: opens nothing yet

    answer = wire.call("GET", "/api/v1/notifications", params={"limit": 40}, endpoint="GET /api/v1/notifications")
    answer.rows, answer.object, answer.links.get("next"), answer.status, answer.headers["date"], answer.content
    answer = wire.call("GET", answer.links["next"])          # whole addresses only on the same server
    answer = wire.call("GET", path, takes={404})             # 404 comes back instead of raising Gone
    media = wire.call("POST", "/api/v2/media", files={"file": (name, bytes, type)}, seconds=120)
    answer = wire.create("POST", "/api/v1/statuses", commit, json=body, headers={"Idempotency-Key": key})

`endpoint` is the name under which the meter counts; left out, parts of the path that hold a digit become “:id”. The
meter's `open` is asked before each attempt and told by `note` after it; `reserve` and `settle` are the connector's.

- One end for the whole call (`seconds`), however slowly a server trickles; 10 s to connect, 20 s for a read.
- At most `max_bytes` of an answer, unpacked. `raw=True` takes any bytes; else what is no JSON raises Unanswered.
- GET, HEAD, and what the caller calls `idempotent`, is tried up to three times over broken lines and 502, 503, 504.
  Anything else once.
- Redirects are followed for GET on the same server only. Cookies and the environment's proxies count for nothing.
- `account.settings["base_url"]` is the server. Its name is resolved once, every address must be public, and that very
  address is connected to; a base address on this machine (localhost, 127.0.0.1, ::1) may reach only this machine.
  Plain http goes to this machine, or anywhere with `settings["insecure"]`.
- With `account.tokens`, its token is sent, and a refusal for its age (401, `Dialect.is_expired`) renews it once and
  repeats. `token=""` sends none, another one sends that and renews nothing.
- What is raised: NotSent (nothing left), Unanswered (who knows), Throttled(after), AuthFailed, Gone, Refused, all
  with a sentence and without tokens, query or text. `takes=EVERY` returns all answers; `wire.failure(answer)` makes
  the error later.

`create` is for what must not happen twice: it calls `commit` once, asks once, and whatever is no clear answer then
raises OutcomeUnknown. A library with a `requests.Session` gets `wire.session()`: the same door, with `Dialect.hosts`
(a library's fixed hosts) led to the account's server before anything is signed; an `Authorization: Bearer` there is
replaced by the living token. It raises for broken lines, and leaves statuses to the library.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from connectors.answers import Answer, Dialect, Gone, NotSent, Throttled, TooMuch, Unanswered
from connectors.base import OutcomeUnknown
from connectors.ratelimits import BLUESKY_HEADERS, MASTODON_HEADERS, X_HEADERS
from connectors.wireline import SAFE, Line

__all__ = [
    "BLUESKY_HEADERS",
    "EVERY",
    "MASTODON_HEADERS",
    "X_HEADERS",
    "Answer",
    "Dialect",
    "Gone",
    "NotSent",
    "Throttled",
    "TooMuch",
    "Unanswered",
    "Wire",
]

SECONDS = 30.0
MAX_BYTES = 8 * 1024 * 1024
EVERY: Collection[int] = range(100, 600)
_HIDDEN_FROM = 8  # characters; a shorter text in a request could be any word of an answer


class Wire(Line):
    """The way to one server with one account's log-in. For one thread at a time; `close` when done."""

    # --- Asking -----------------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        endpoint: str = "",
        takes: Collection[int] = (),
        raw: bool = False,
        idempotent: bool | None = None,
        seconds: float = SECONDS,
        max_bytes: int = MAX_BYTES,
        fresh: bool = False,
    ) -> Answer:
        """A 2xx answer, or one whose status is in `takes`. `data` is bytes or an open file, sent as it is. `fresh`
        uses no kept connection. Raises as the module says."""
        import requests  # slow to load

        address = self._address(path)
        request = requests.Request(
            method.upper(),
            address,
            params=params,
            json=json,
            data=form if form is not None else data,
            files=files,
            headers={"Accept": "*/*" if raw else "application/json", "Accept-Encoding": "gzip", **(headers or {})},
        )
        prepared = request.prepare()
        self._authorize(prepared, token)
        is_renewable = token is None and self._tokens is not None
        may_repeat = method.upper() in SAFE if idempotent is None else idempotent
        if fresh and self._adapter:
            self._adapter.close()
        response = self._exchange(prepared, endpoint, may_repeat, is_renewable, seconds, max_bytes)
        answer = self.answer_of(response)
        is_taken = 200 <= answer.status < 300 or answer.status in takes
        if not is_taken:
            raise self.failure(answer, _texts(json, form), endpoint=self._endpoint(prepared, endpoint))
        if not raw and not answer.is_json and answer.content.strip() and 200 <= answer.status < 300:
            what = "a web page" if answer.is_page else "something else"
            raise Unanswered(f"{self.name} answered with {what} instead of data.")
        return answer

    def create(self, method: str, path: str, commit: Callable[[], None], **more: Any) -> Answer:
        """The one call that makes something others can see. Arguments as of `call`.

        `commit` is called once, right before. A clear refusal raises as ever (Refused, AuthFailed, Throttled; NotSent
        when no connection could be made); everything else after `commit` raises OutcomeUnknown.
        """
        self.open_ahead(more.get("endpoint") or self.dialect.endpoint_of(method, urlsplit(self._address(path)).path))
        if self._tokens is not None and more.get("token") is None:
            self._tokens.current()  # a token that must be renewed first is no reason for doubt
        commit()
        try:
            return self.call(method, path, fresh=True, **{"idempotent": False, **more})
        except NotSent:
            raise
        except Unanswered as error:
            why = error.sentence
        raise OutcomeUnknown(f"{why} Whether it was posted is being found out.")

    def session(self) -> Any:
        """A `requests.Session` for a library, through this door. Typed Any: requests is loaded only here."""
        from connectors.wirelibrary import Session  # loads requests, which is slow

        return Session(self)


def _texts(*bodies: Any) -> set[str]:
    """Every longer text of a request."""
    found: set[str] = set()
    waiting = list(bodies)
    for _ in range(1000):
        if not waiting:
            break
        one = waiting.pop()
        if isinstance(one, str) and len(one) >= _HIDDEN_FROM:
            found.add(one[:4000])
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return found
