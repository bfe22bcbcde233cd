"""What came back from a platform's server, and which error of the contract it means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.base import AuthFailed, ConnectorError, Refused, RetryLater
from connectors.mail.sentences import one_line
from connectors.ratelimits import RateHeaders, wait_of, windows_of

_LINK = re.compile(r"<([^<>]{1,4000})>\s*((?:;[^,<>]{0,300})*)")
_REL = re.compile(r"\brel\s*=\s*\"?([^\";]{1,100})")
_DIGIT, _VERSION = re.compile(r"\d"), re.compile(r"v\d(\.\d)?")
_WORDS = ("error_description", "detail", "message", "error", "title")
_MAX_LINKS = 20


class NotSent(RetryLater):
    """No connection was made: nothing of the request can have reached the server."""


class OffLimits(NotSent):
    """The name leads to an address that is no business of ours: it was not asked, and is not asked again."""


class Unanswered(RetryLater):
    """The request may have arrived, and no answer came that can be read."""


class TooMuch(Unanswered):
    """Far larger than such an answer can be: it was not read, and asking again brings the same."""


class Throttled(RetryLater):
    """The platform's limit is reached. `after` is never empty."""


class Gone(Refused):
    """There is no such thing there, or not any more (404, 410)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by lower-case name. `data` is the JSON, None when there is none or it was not asked for."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    data: Any = field(repr=False, default=None)
    is_json: bool = False

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object, an empty one when it is something else."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The objects of a JSON list; what is none is left out."""
        return [one for one in self.data if isinstance(one, dict)] if isinstance(self.data, list) else []

    @property
    def is_page(self) -> bool:
        """A web page instead of an answer: a proxy, a wall, a maintenance notice."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return not self.is_json and (
            kind in {"text/html", "application/xhtml+xml"} or self.content[:64].lstrip().lower().startswith(b"<")
        )

    @property
    def links(self) -> dict[str, str]:
        """Addresses by relation ("next", "prev") of the Link header (RFC 8288)."""
        found: dict[str, str] = {}
        for address, rest in _LINK.findall(self.headers.get("link", "")[:16384])[:_MAX_LINKS]:
            relation = _REL.search(rest)
            for name in relation.group(1).split() if relation else ():
                found.setdefault(name.lower(), address)
        return found


def plain_endpoint(method: str, path: str) -> str:
    """ "GET /2/users/:id/mentions" of a path: parts that hold a digit and are no version name an individual."""
    first, *rest = path.lstrip("/").split("/")
    parts = [":id" if _DIGIT.search(one) and not _VERSION.fullmatch(one) else one for one in rest]
    return f"{method.upper()} /{'/'.join([first, *parts])}"


def usual_words(data: Mapping[str, Any]) -> str:
    """A platform's own words for what went wrong, of the places where platforms put them."""
    for name in _WORDS:
        if isinstance(data.get(name), str) and data[name].strip():
            return str(data[name])
    errors = data.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return usual_words({**first, "errors": None}) if isinstance(first, dict) else ""


def no_expiry(answer: Answer) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between platforms on the way to them.

    `words` takes the JSON object of a refusal. `is_expired` knows refusals other than 401 that a new access token
    mends. `hosts` are fixed hosts of a library that are to be the account's server instead.
    """

    name: str
    base_url: str = ""  # the platform's own; "" where every account names its server
    windows: Sequence[RateHeaders] = ()
    words: Callable[[Mapping[str, Any]], str] = usual_words
    is_expired: Callable[[Answer], bool] = no_expiry
    endpoint_of: Callable[[str, str], str] = plain_endpoint
    hosts: frozenset[str] = frozenset()


def read_json(content: bytes) -> tuple[Any, bool]:
    """(data, whether it was JSON). NaN and infinities become None: no database keeps them."""
    try:
        return json.loads(content, parse_constant=lambda _: None), True
    except (ValueError, RecursionError):
        return None, False


def failure(
    answer: Answer,
    name: str,
    dialect: Dialect,
    *,
    now: datetime | None = None,
    repeats: int = 0,
    hide: Callable[[str], str] = str,
) -> ConnectorError:
    """The error of an answer that is none of success. `name` is the server for sentences; `hide` takes out secrets."""
    now = now or datetime.now(UTC)
    status, words = answer.status, one_line(hide(dialect.words(answer.object)[:4000]), 160).rstrip(". ")
    said = f": “{words}”" if words else ""
    if status == 429:
        wait = wait_of(answer.headers, windows_of(dialect.windows, answer.headers, now), now, repeats)
        return Throttled(f"{name} lets us go on later: its limit is reached.", wait)
    if answer.is_page:
        return Unanswered(f"{name} answered with a web page instead of data ({status}).")
    if status >= 500 or status in {408, 425}:
        after = wait_of(answer.headers, (), now) if "retry-after" in answer.headers else None
        return Unanswered(f"{name} has trouble of its own just now ({status}){said}.", after)
    if status == 401:
        return AuthFailed(f"{name} no longer accepts this log-in{said}. Connect the account again.")
    if status in {404, 410}:
        return Gone(f"{name} has no such thing, or not any more ({status}){said}.")
    if status < 400:
        return Refused(f"{name} sends us on to another address ({status}). Is the server's address right?")
    return Refused(f"{name} refuses this ({status}){said}.")
