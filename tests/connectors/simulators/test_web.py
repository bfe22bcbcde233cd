"""The small server under the simulators: what it reads, and what it does wrong on request."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from connectors.simulators.web import Answer, Fault, Request, SimulatedServer, json_answer


class Echo(SimulatedServer):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.made = 0
        self.route("GET /things/:id/parts", self.show)
        self.route("POST /things", self.make)
        self.route("POST /form", lambda request: json_answer({name: list(v) for name, v in request.form().items()}))
        self.route("POST /parts", self.parts)
        self.route("POST /json", lambda request: json_answer(request.json_object()))
        self.route("GET /stream", lambda _: Answer(stream=iter([b"one\n", b"", b"two\n"]), content_type="text/plain"))
        self.route("GET /files/:path*", lambda request: json_answer(request.values["path"]))

    def show(self, request: Request) -> Answer:
        return json_answer(
            {"id": request.values["id"], "all": list(request.query.get("a", ()))}, headers={"X-Left": "9"}
        )

    def make(self, request: Request) -> Answer:
        self.made += 1
        return json_answer({"made": self.made}, 201)

    def parts(self, request: Request) -> Answer:
        return json_answer(
            [[part.name, part.filename, part.content_type, len(part.content)] for part in request.parts()]
        )


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo(body_cap=100_000) as server:
        yield server


def get(server: Echo, path: str, **options: Any) -> requests.Response:
    return requests.get(server.base_url + path, timeout=5, **options)


def test_routes_take_names_from_the_path_and_every_value_of_the_query(server: Echo) -> None:
    answer = get(server, "/things/a%2Fb%20%C3%A9/parts?a=1&a=&b=2")
    assert answer.json() == {"id": "a/b é", "all": ["1", ""]}
    assert get(server, "/files/x/y.png").json() == "x/y.png"
    assert get(server, "/things/parts").status_code == 404
    assert (server.seen()[0].route, server.seen()[0].status) == ("GET /things/:id/parts", 200)
    assert server.seen("GET /files/:path*")[0].request.values == {"path": "x/y.png"}


def test_forms_json_and_multipart_are_read_byte_for_byte(server: Echo) -> None:
    post = lambda path, **body: requests.post(server.base_url + path, timeout=5, **body)  # noqa: E731
    assert post("/form", data=[("a", "1"), ("a", "é&"), ("b", "")]).json() == {"a": ["1", "é&"], "b": [""]}
    content = bytes(range(256)) + b"\r\n--\r\n"
    files = {"media": ("a.png", content, "image/png")}
    told = post("/parts", files=files, data={"segment_index": "0"}).json()
    assert sorted(told) == [["media", "a.png", "image/png", len(content)], ["segment_index", "", "", 1]]
    assert post("/json", data=b"[1]").status_code == post("/json", data=b"{").status_code == 400
    assert post("/json", data=iter([b'{"a"', b":1}"])).json() == {"a": 1}
    assert post("/parts", data=b"no").status_code == 400


def test_a_body_over_the_cap_is_refused_and_the_server_goes_on(server: Echo) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    with closing(connection):
        connection.putrequest("POST", "/things")
        connection.putheader("Content-Length", "100001")
        connection.endheaders()
        assert connection.getresponse().status == 413
    assert server.made == 0
    assert get(server, "/things/1/parts").ok


def test_one_connection_serves_many_requests(server: Echo) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    with closing(connection):
        connection.connect()
        mine = connection.sock.getsockname()
        for _ in range(3):
            connection.request("GET", "/things/1/parts")
            assert json.loads(connection.getresponse().read())["id"] == "1"
            assert connection.sock.getsockname() == mine
        connection.request("GET", "/stream")
        assert connection.getresponse().read() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(status=503), 503, b""),
        (Fault(status=429, headers={"x-rate-limit-reset": "soon"}, body=b"{}"), 429, b"{}"),
        (Fault(is_html=True), 200, None),
        (Fault(padding=30_000), 201, b" " * 30_000 + b'{"made":1}'),
        (Fault(change=lambda _, answer: json_answer({"lie": answer.status})), 200, b'{"lie":201}'),
    ],
)
def test_a_fault_meets_one_request_and_the_next_is_well(
    server: Echo, fault: Fault, status: int, body: bytes | None
) -> None:
    server.faults.add("POST /things", fault)
    answer = requests.post(server.base_url + "/things", timeout=5)
    assert answer.status_code == status
    assert answer.content.startswith(b"<!doctype html>") if body is None else answer.content == body
    assert all(answer.headers[name] == value for name, value in fault.headers.items())
    assert requests.post(server.base_url + "/things", timeout=5).status_code == 201


def test_a_refusal_keeps_the_route_from_acting_unless_it_is_carried_out(server: Echo) -> None:
    server.faults.add("POST /things", Fault(status=504))
    server.faults.add("POST /things", Fault(status=504, is_carried_out=True))
    for made in (0, 1):
        assert requests.post(server.base_url + "/things", timeout=5).status_code == 504
        assert server.made == made


@pytest.mark.parametrize("cut", [0, 4])
def test_an_answer_can_be_cut_before_its_status_or_within_its_body(server: Echo, cut: int) -> None:
    server.faults.add("*", Fault(cut_after=cut))
    with pytest.raises(requests.RequestException):
        requests.post(server.base_url + "/things", timeout=5)
    assert server.made == 1
    assert server.seen()[0].status == (201 if cut else 0)


def test_headers_of_a_good_answer_can_lie_or_be_missing(server: Echo) -> None:
    server.faults.add("*", Fault(headers={"x-left": "5000"}, times=2))
    server.faults.add("GET /things/:id/parts", Fault(headers={"X-Left": None}))
    assert [get(server, "/things/1/parts").headers.get("X-Left") for _ in range(4)] == [None, "5000", "5000", "9"]


def test_faults_stay_until_they_are_cleared(server: Echo) -> None:
    server.faults.add("*", Fault(status=500, times=0))
    assert [get(server, "/things/1/parts").status_code for _ in range(3)] == [500] * 3
    server.faults.clear()
    assert get(server, "/things/1/parts").ok


def test_stopping_ends_waiting_answers_and_open_connections() -> None:
    with Echo() as server:
        server.faults.add("*", Fault(delay=30))
        idle = socket.create_connection(("127.0.0.1", server.port), 5)
        waiting = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        waiting.request("GET", "/things/1/parts")
        while not server.seen():
            time.sleep(0.01)
    with closing(idle), closing(waiting):
        assert idle.recv(1) == b""
    server.stop()


def test_a_usual_port_that_is_taken_is_given_up_and_an_exact_one_is_not() -> None:
    with Echo() as first:
        with Echo(usual_port=first.port) as second:
            assert second.port != first.port
        with pytest.raises(OSError, match="in use"):
            Echo(port=first.port).start()
    with Echo(usual_port=first.port) as again:
        assert again.port == first.port
