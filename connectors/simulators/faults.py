"""What a simulator does wrong on request: refusals, lying headers, slow, cut, huge or foreign answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from connectors.simulators.exchange import Answer, Request

HTML = b"<!doctype html><html><head><title>Just a moment</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong. Nothing set: the answer is as it would be.

    `is_carried_out`: the request takes effect all the same (a post is made), only its answer is this one; else the
    route never hears of it. `headers` replace those of the answer, also of a good one (lying limits); None takes one
    away. `cut_after`: so many bytes of the body leave, then the connection ends though more was announced; 0 ends it
    before the status line.
    """

    status: int = 0
    body: bytes | None = None
    content_type: str = ""
    headers: Mapping[str, str | None] = field(default_factory=dict)
    is_carried_out: bool = False
    delay: float = 0.0  # seconds before the answer
    trickle: float = 0.0  # seconds between single kilobytes of the body
    cut_after: int | None = None
    padding: int = 0  # bytes of blanks in front of the body: JSON stays JSON, only huge
    is_html: bool = False  # HTML where JSON is due, with status 200 unless `status` says otherwise
    change: Callable[[Request, Answer], Answer] | None = None  # anything else that tests want
    times: int = 1  # so many requests meet it; 0: all, until it is cleared

    @property
    def hides_route(self) -> bool:
        return not self.is_carried_out and (self.status != 0 or self.is_html or self.body is not None)


class Faults:
    """Faults by route, such as "GET /2/users/:id/mentions"; "*" meets every request. Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, list[Fault]] = {}

    def add(self, route: str, fault: Fault) -> None:
        with self._lock:
            self._due.setdefault(route, []).append(fault)

    def clear(self, route: str = "") -> None:
        """Without a route, all of them."""
        with self._lock:
            if route:
                self._due.pop(route, None)
            else:
                self._due.clear()

    def waiting(self) -> list[tuple[str, Fault]]:
        with self._lock:
            return [(route, fault) for route, faults in self._due.items() for fault in faults]

    def take(self, route: str) -> Fault | None:
        """The oldest one for this request, used up once."""
        with self._lock:
            for name in (route, "*"):
                faults = self._due.get(name)
                if faults:
                    fault = faults[0]
                    if fault.times == 1:
                        faults.pop(0)
                    elif fault.times > 1:
                        faults[0] = replace(fault, times=fault.times - 1)
                    return fault
        return None


def spoil(fault: Fault, request: Request, answer: Answer) -> Answer:
    """The answer as the fault wants it; delays and cuts are the server's part."""
    if fault.is_html:
        answer = Answer(fault.status or 200, HTML, "text/html; charset=utf-8")
    elif fault.status or fault.body is not None:
        body = answer.body if fault.body is None and not fault.status else fault.body or b""
        answer = Answer(fault.status or answer.status, body, fault.content_type or answer.content_type)
    if fault.padding:
        answer.body = b" " * fault.padding + answer.body
    for name, value in fault.headers.items():
        known = next((one for one in answer.headers if one.lower() == name.lower()), name)
        if value is None:
            answer.headers.pop(known, None)
        else:
            answer.headers[known] = value
    return fault.change(request, answer) if fault.change else answer
