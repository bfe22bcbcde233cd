"""The ways to break a simulated network that the control page offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.simulators.faults import Fault

Due = list[tuple[str, Fault]]


@dataclass(frozen=True, slots=True)
class Break:
    """`faults(posting route, now)`: what to add; the posting route is "" where a network does not name it."""

    words: str
    faults: Callable[[str, datetime], Due]


def _everywhere(fault: Fault) -> Callable[[str, datetime], Due]:
    return lambda posting, now: [("*", fault)]


def _too_many(posting: str, now: datetime) -> Due:
    """As each of the platforms words it; a client reads the headers of its own."""
    resets = now + timedelta(seconds=60)
    stamp = str(int(resets.timestamp()))
    headers: dict[str, str | None] = {
        "retry-after": "60",
        "x-rate-limit-limit": "300",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": stamp,
        "x-ratelimit-limit": "300",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": f"{resets:%Y-%m-%dT%H:%M:%S}.000Z",
        "ratelimit-limit": "300",
        "ratelimit-remaining": "0",
        "ratelimit-reset": stamp,
    }
    body = b'{"error":"RateLimitExceeded","title":"Too Many Requests","detail":"Too Many Requests","status":429}'
    return [("*", Fault(status=429, body=body, headers=headers))]


def _lost(posting: str, now: datetime) -> Due:
    return [(posting, Fault(is_carried_out=True, cut_after=0))] if posting else []


BREAKS = {
    "limit": Break("Too many requests, once", _too_many),
    "down": Break("Out of order, five times", _everywhere(Fault(status=503, body=b"{}", times=5))),
    "off": Break("Out of order until mended", _everywhere(Fault(status=503, body=b"{}", times=0))),
    "slow": Break("Slow, three times", _everywhere(Fault(delay=6.0, times=3))),
    "cut": Break("Cut an answer in the middle", _everywhere(Fault(cut_after=40))),
    "html": Break("A web page instead of data", _everywhere(Fault(is_html=True))),
    "lost": Break("Publish our next post, but lose the answer", _lost),
}


def waiting_words(route: str, fault: Fault) -> str:
    """One line about a fault that waits for its request."""
    what = f"answers {fault.status}" if fault.status else "answers oddly"
    what = "answers slowly" if fault.delay else what
    what = "ends the connection" if fault.cut_after is not None else what
    what = "answers a web page" if fault.is_html else what
    where = "Any call" if route == "*" else route
    often = "until mended" if fault.times == 0 else "once" if fault.times == 1 else f"{fault.times} times"
    return f"{where} {what}, {often}."
