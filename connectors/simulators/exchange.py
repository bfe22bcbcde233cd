"""One request to a simulator and the answer to it, as plain values. Bodies are read whole and capped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MOST_PARTS = 100


class Malformed(ValueError):
    """The request cannot be read as what it says it is; the server answers 400 unless a route catches it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart/form-data body (RFC 7578)."""

    name: str
    content: bytes
    filename: str = ""
    content_type: str = ""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` by lower-case name; `query` keeps every value of a repeated name; `values` are a pattern's :names."""

    method: str
    path: str  # percent-encoding undone segment by segment
    raw_target: str  # as it came, with the query
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes = b""
    values: Mapping[str, str] = field(default_factory=dict)
    route: str = ""  # such as "GET /2/users/:id/mentions"; "" when nothing fits

    def first(self, name: str, otherwise: str = "") -> str:
        found = self.query.get(name)
        return found[0] if found else otherwise

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def bearer(self) -> str:
        """The token of `Authorization: Bearer …` (RFC 6750), "" without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> Any:
        """Raises Malformed."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Malformed("The body is not JSON.") from error

    def json_object(self) -> dict[str, Any]:
        found = self.json()
        if not isinstance(found, dict):
            raise Malformed("The body is not a JSON object.")
        return found

    def form(self) -> dict[str, tuple[str, ...]]:
        """Of application/x-www-form-urlencoded. Raises Malformed for more than 1,000 fields."""
        return _collected(self.body.decode("utf-8", "replace"))

    def parts(self) -> list[Part]:
        """Of multipart/form-data. Raises Malformed."""
        found = re.search(r'boundary="?([^";]+)"?', self.headers.get("content-type", ""))
        if self.content_type != "multipart/form-data" or not found:
            raise Malformed("The body is not multipart/form-data.")
        pieces = (b"\r\n" + self.body).split(b"\r\n--" + found[1].encode("latin-1"), MOST_PARTS + 1)
        if len(pieces) > MOST_PARTS or len(pieces) < 2 or not pieces[-1].startswith(b"--"):
            raise Malformed("The multipart body does not end, or has too many parts.")
        return [_read_part(piece) for piece in pieces[1:-1]]


def _read_part(piece: bytes) -> Part:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    fields = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    disposition = fields.get("content-disposition", "")
    named = dict(re.findall(r'(\w+)="([^"]*)"', disposition))
    return Part(named.get("name", ""), content, named.get("filename", ""), fields.get("content-type", ""))


def _collected(text: str) -> dict[str, tuple[str, ...]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise Malformed("Too many fields.") from error
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def read_query(target: str) -> dict[str, tuple[str, ...]]:
    return _collected(urlsplit(target).query)


@dataclass(slots=True)
class Answer:
    """What goes back. `stream`, where set, is sent piece by piece (chunked) for as long as it lasts; it must yield
    or end soon after the server's `stopping` is set."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, content_type: str = ""
) -> Answer:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, content_type or "application/json; charset=utf-8", dict(headers or {}))


def html_answer(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), "text/html; charset=utf-8")


def redirect(address: str) -> Answer:
    return Answer(302, b"", "text/plain", {"Location": address})


def utc_now() -> datetime:
    return datetime.now(UTC)


class VirtualClock:
    """A clock that a test moves: `SimulatedServer(now=clock.now)`."""

    def __init__(self, start: datetime) -> None:
        self._at = start

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        self._at += by
        return self._at


@dataclass(frozen=True, slots=True)
class Logged:
    """One request as it was answered. `status` 0: the connection was ended instead."""

    request: Request
    status: int
    at: datetime
    answer: bytes = b""

    @property
    def route(self) -> str:
        return self.request.route
