"""One connection of a simulated server: HTTP/1.1 read and written, with the faults that only a connection can have."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from connectors.simulators.exchange import Answer, Logged, Malformed, Request, json_answer, read_query

if TYPE_CHECKING:
    from connectors.simulators.web import SimulatedServer


class Talk(BaseHTTPRequestHandler):
    """One connection. The base class reads request line and headers, with its own caps."""

    protocol_version = "HTTP/1.1"
    server_version = "Simulated"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, connection: socket.socket, peer: Any, simulator: SimulatedServer) -> None:
        self.simulator = simulator
        super().__init__(connection, peer, simulator)  # type: ignore[arg-type]

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` of an answer is the simulated clock's: clients take a platform's times against it."""
        return format_datetime(self.simulator.now().astimezone(UTC), usegmt=True)

    def log_message(self, format: str, *arguments: Any) -> None:
        return

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = unquote(urlsplit(self.path).path)
        request = Request(self.command, path, self.path, {}, headers, body)
        with contextlib.suppress(Malformed):
            request = replace(request, query=read_query(self.path))
        request, answer, fault = self.simulator.answer(request)
        cut = fault.cut_after if fault else None
        # Logged before it leaves: whoever has the answer finds the entry.
        status = 0 if cut == 0 else answer.status
        self.simulator.log.append(Logged(request, status, self.simulator.now(), answer.body[:65536]))
        if fault and fault.delay:
            self.simulator.stopping.wait(fault.delay)
        if cut == 0:
            self.close_connection = True
        elif answer.stream is not None:
            self._send_stream(answer)
        else:
            self._send(answer, cut, fault.trickle if fault else 0.0)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _read_body(self) -> bytes | None:
        """None: it was refused, and the connection ends."""
        cap = self.simulator.body_cap
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._read_chunks(cap)
        else:
            length = self.headers.get("Content-Length", "0")
            body = self.rfile.read(int(length)) if length.isdecimal() and int(length) <= cap else None
        if body is None:
            self.close_connection = True
            self._send(json_answer({"error": "Payload Too Large"}, 413), None, 0.0)
        return body

    def _read_chunks(self, cap: int) -> bytes | None:
        found = bytearray()
        while True:
            size = self.rfile.readline(100).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size) or len(found) + int(size, 16) > cap:
                return None
            if not int(size, 16):
                while self.rfile.readline(65536).strip():
                    pass
                return bytes(found)
            found += self.rfile.read(int(size, 16))
            self.rfile.readline(2)

    def _head(self, answer: Answer, framing: Mapping[str, str]) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers, **framing}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, answer: Answer, cut: int | None, trickle: float) -> None:
        self._head(answer, {"Content-Length": str(len(answer.body))})
        body = answer.body if self.command != "HEAD" else b""
        if cut is not None:
            body = body[:cut]
            self.close_connection = True
        step = 1024 if trickle else max(len(body), 1)
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            if trickle and self.simulator.stopping.wait(trickle):
                break

    def _send_stream(self, answer: Answer) -> None:
        self._head(answer, {"Transfer-Encoding": "chunked", "Cache-Control": "no-store"})
        self.wfile.flush()
        for piece in answer.stream or ():
            if self.simulator.stopping.is_set():
                break
            if piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
