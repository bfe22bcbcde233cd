"""The HTTP door to social platforms: what it takes, what it refuses, and that nothing secret leaves it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import route, webcall
from connectors.answers import plain_endpoint
from connectors.base import AuthFailed, ConnectorError, OutcomeUnknown, Refused, RetryLater
from connectors.deadline import Deadline
from connectors.ratelimits import BLUESKY_HEADERS, LONGEST, MASTODON_HEADERS, SHORTEST, X_HEADERS, wait_of, windows_of
from connectors.simulators.exchange import Answer, Request, html_answer, json_answer, redirect
from connectors.simulators.faults import Fault
from connectors.simulators.web import SimulatedServer
from connectors.wire import EVERY, Dialect, Gone, NotSent, Throttled, TooMuch, Unanswered, Wire
from tests.servers.certificate import Certificate, make_certificate
from tests.servers.requirement import free_port

TOKEN = "t0p-secret-token"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PLAIN = Dialect("The platform", windows=X_HEADERS, hosts=frozenset({"api.twitter.com", "api.x.com"}))


class Server(SimulatedServer):
    def __init__(self) -> None:
        super().__init__()
        for route_, answer in (
            ("GET /things/:id", self.thing),
            ("POST /things", self.thing),
            ("GET /moved", lambda request: redirect("/things/1")),
            ("GET /away", lambda request: redirect("https://elsewhere.example/things/1")),
            ("GET /page", lambda request: html_answer("<p>no</p>")),
            ("GET /2/users/:id", lambda request: json_answer({"data": {"id": "1", "name": "A", "username": "a"}})),
        ):
            self.route(route_, answer)

    def thing(self, request: Request) -> Answer:
        cookie = request.headers.get("cookie", "")
        return json_answer({"token": request.bearer, "cookie": cookie, "echo": request.raw_target})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    made = Wire(PLAIN, server.base_url, bearer=TOKEN)
    yield made
    made.close()


@dataclass
class Noted:
    """A meter that writes down."""

    opened: list[str] = field(default_factory=list)
    noted: list[tuple[Any, ...]] = field(default_factory=list)

    def open(self, endpoint: str) -> None:
        self.opened.append(endpoint)

    def note(self, endpoint: str, windows: Any, refused_for: timedelta | None = None) -> None:
        self.noted.append((endpoint, tuple(windows), refused_for))

    def reserve(self, resource: str, most: int) -> int:
        return most

    def settle(self, resource: str, reserved: int, used: int, ids: Any = ()) -> None:
        return


class Tokens:
    def __init__(self) -> None:
        self.renewals: list[str] = []

    def current(self) -> str:
        return TOKEN + str(len(self.renewals))

    def renewed(self, refused: str) -> str:
        self.renewals.append(refused)
        return self.current()


# --- Answers --------------------------------------------------------------------------------------------------------


def test_an_answer_is_status_headers_and_data(wire: Wire) -> None:
    answer = wire.call("GET", "/things/1", params={"q": "ä b"})
    assert (answer.status, answer.object["token"], answer.object["echo"]) == (200, TOKEN, "/things/1?q=%C3%A4+b")
    assert "date" in answer.headers and TOKEN not in repr(answer)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((401, AuthFailed), (403, Refused), (404, Gone), (410, Gone), (422, Refused), (400, Refused)),
        *((429, Throttled), (500, Unanswered), (502, Unanswered), (503, Unanswered)),
    ],
)
def test_statuses_have_their_errors(server: Server, wire: Wire, status: int, kind: type[ConnectorError]) -> None:
    server.faults.add("*", Fault(status=status, body=b'{"error": "because"}', content_type="application/json", times=0))
    with pytest.raises(kind) as caught:
        wire.call("POST", "/things", json={})
    assert status == 429 or "because" in caught.value.sentence
    assert wire.call("POST", "/things", json={}, takes=EVERY).status == status


def test_a_web_page_is_no_answer_and_proves_nothing(server: Server, wire: Wire) -> None:
    with pytest.raises(Unanswered, match="web page"):
        wire.call("GET", "/page")
    for status in (401, 403, 404):
        server.faults.add("*", Fault(is_html=True, status=status))
        with pytest.raises(Unanswered, match="web page"):
            wire.call("GET", "/things/1")


def test_json_of_50_mb_is_not_read(server: Server, wire: Wire) -> None:
    server.faults.add("*", Fault(padding=50_000_000, times=0))
    with pytest.raises(TooMuch):
        wire.call("GET", "/things/1")
    assert len(server.seen()) == 1, "asking again would bring the same"
    with pytest.raises(TooMuch):
        wire.call("GET", "/things/1", raw=True)


def test_a_packed_bomb_is_bounded_unpacked(wire: Wire, server: Server) -> None:
    body = gzip.compress(b" " * 30_000_000)
    headers = {"Content-Encoding": "gzip"}
    server.faults.add("*", Fault(body=body, content_type="application/json", headers=headers))
    with pytest.raises(TooMuch):
        wire.call("GET", "/things/1")


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff\xfe", b'{"a": ' + b"9" * 100_000 + b"}"])
def test_what_is_no_json_is_no_answer(server: Server, wire: Wire, body: bytes) -> None:
    server.faults.add("*", Fault(body=body, content_type="application/json"))
    with pytest.raises(RetryLater):
        wire.call("GET", "/things/1")


# --- Time -----------------------------------------------------------------------------------------------------------


def test_an_answer_that_trickles_is_cut(server: Server, wire: Wire) -> None:
    server.faults.add("*", Fault(padding=200_000, trickle=0.05))
    with pytest.raises(Unanswered, match="in time"):
        wire.call("GET", "/things/1", seconds=0.4)


def test_a_trickle_is_cut_inside_tls_too(certificate_files: tuple[str, str, str]) -> None:
    """The deadline holds a copy of the descriptor: TLS takes it away from the socket that was connected."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate_files[1:])
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with context.wrap_socket(sock, server_side=True) as safe:
            ended.wait(5)
            safe.close()

    ended = threading.Event()
    threading.Thread(target=serve, daemon=True).start()
    trusting = ssl.create_default_context(cafile=certificate_files[0])
    with Deadline(0.3) as deadline, socket.create_connection(listener.getsockname()) as plain:
        deadline.watch(plain)
        with trusting.wrap_socket(plain, server_hostname="localhost") as safe:
            try:
                assert safe.recv(1) == b""  # nothing ever comes, and no read has a timeout
            except OSError:
                pass
        assert deadline.is_over
    ended.set()
    listener.close()


@pytest.fixture
def certificate_files(tmp_path: Any) -> tuple[str, str, str]:
    made = make_certificate(tmp_path)
    return str(made.ca), str(made.chain), str(made.key)


# --- Again, or not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=502), Fault(status=504), Fault(cut_after=0)])
def test_reading_is_tried_again_over_what_passes(server: Server, wire: Wire, fault: Fault) -> None:
    server.faults.add("*", fault)
    assert wire.call("GET", "/things/1").status == 200
    assert len(server.seen()) == 2


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=504, is_carried_out=True), Fault(cut_after=0)])
def test_writing_is_tried_once_unless_it_may_be_repeated(server: Server, wire: Wire, fault: Fault) -> None:
    server.faults.add("*", fault)
    with pytest.raises(Unanswered):
        wire.call("POST", "/things", json={"text": "once"})
    assert len(server.seen()) == 1
    server.faults.add("*", fault)
    assert wire.call("POST", "/things", json={"text": "once"}, idempotent=True).status == 200


def test_a_refusal_is_not_tried_again(server: Server, wire: Wire) -> None:
    server.faults.add("*", Fault(status=500, times=0))
    with pytest.raises(Unanswered):
        wire.call("GET", "/things/1")
    assert len(server.seen()) == 1


CREATING: list[tuple[Fault | None, type[ConnectorError] | None]] = [
    (None, None),
    (Fault(status=403, body=b'{"error": "no"}', content_type="application/json"), Refused),
    (Fault(status=429, body=b"{}", content_type="application/json"), Throttled),
    (Fault(status=500, body=b"{}", content_type="application/json"), OutcomeUnknown),
    (Fault(status=504), OutcomeUnknown),
    (Fault(is_html=True), OutcomeUnknown),
    (Fault(is_html=True, status=403), OutcomeUnknown),
    (Fault(cut_after=0, is_carried_out=True), OutcomeUnknown),
    (Fault(cut_after=3), OutcomeUnknown),
    (Fault(padding=20_000_000), OutcomeUnknown),
]


@pytest.mark.parametrize(("fault", "kind"), CREATING)
def test_f39_creating_commits_once_asks_once_and_takes_only_a_clear_answer(
    server: Server, wire: Wire, fault: Fault | None, kind: type[ConnectorError] | None
) -> None:
    if fault:
        server.faults.add("*", fault)
    commits: list[int] = []

    def create() -> Any:
        return wire.create("POST", "/things", lambda: commits.append(len(server.seen())), json={"text": "hello there"})

    if kind is None:
        assert create().status == 200
    else:
        with pytest.raises(kind):
            create()
    assert commits == [0] and len(server.seen()) == 1


def test_nobody_there_means_that_nothing_was_sent() -> None:
    wire = Wire(PLAIN, f"http://127.0.0.1:{free_port()}", bearer=TOKEN)
    commits: list[bool] = []
    with pytest.raises(NotSent):
        wire.create("POST", "/things", lambda: commits.append(True), json={})
    assert commits == [True]


def test_a_file_is_streamed_and_sent_again_from_its_beginning(server: Server, wire: Wire) -> None:
    server.faults.add("*", Fault(status=503))
    wire.call("POST", "/things", data=io.BytesIO(b"x" * 300_000), idempotent=True)
    assert [len(one.request.body) if hasattr(one, "request") else len(one.body) for one in server.seen()] == [
        300_000
    ] * 2


# --- Where ----------------------------------------------------------------------------------------------------------


def test_redirects_are_followed_on_the_same_server_only(server: Server, wire: Wire) -> None:
    assert wire.call("GET", "/moved").object["token"] == TOKEN
    with pytest.raises(Refused, match="another address"):
        wire.call("GET", "/away")


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/next", "http://127.0.0.1:1/next", "//127.0.0.1:1/x", "file:///etc/passwd"]
)
def test_whole_addresses_only_on_the_same_server(wire: Wire, address: str) -> None:
    with pytest.raises((Refused, NotSent, Unanswered)):
        wire.call("GET", address)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "169.254.169.254", "[fd00::1]", "100.64.0.1", "0.0.0.0"])
def test_f76_no_server_that_somebody_names_leads_inside(host: str) -> None:
    with pytest.raises(NotSent, match="public internet"):
        Wire(PLAIN, f"https://{host}", bearer=TOKEN).call("GET", "/", seconds=3)


def test_f76_a_name_that_leads_inside_is_refused_and_the_checked_address_is_the_one_that_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    asked: list[str] = []

    def lying(host: str, *more: Any, **options: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1", *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    with pytest.raises(NotSent, match="public internet"):
        Wire(PLAIN, f"https://social.example:{server.port}", bearer=TOKEN).call("GET", "/things/1")
    assert set(asked) == {"social.example"} and not server.seen()


@pytest.mark.parametrize(
    "base",
    ["http://social.example", "ftp://social.example", "social.example", "https://a@b.example", "https://x?y", ""],
)
def test_an_address_over_which_a_log_in_would_go_in_the_clear_is_refused(base: str) -> None:
    with pytest.raises(Refused):
        Wire(Dialect("Any"), base)
    Wire(PLAIN, "http://social.example", is_insecure=True)


def test_a_proxy_is_used_where_one_is_set_and_never_for_this_machine(server: Server, wire: Wire) -> None:
    before = route.chosen_route()
    proxied = Wire(PLAIN, "http://social.example", is_insecure=True)
    try:
        route.use_route(route.Route(proxy=server.base_url))
        with pytest.raises(Gone):  # our own server stands in for the proxy and does not know the place
            proxied.call("GET", "/anything")
        assert server.seen()[-1].request.raw_target == "http://social.example/anything"
        assert wire.call("GET", "/things/1").status == 200
        with pytest.raises(NotSent):
            Wire(PLAIN, "https://10.0.0.1").call("GET", "/")
    finally:
        route.use_route(before)


def serve_as_proxy(listener: socket.socket, made: Certificate, heads: list[bytes], answers: int) -> None:
    """Takes CONNECT to anywhere and is that server itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    for _ in range(answers):
        sock, _ = listener.accept()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        heads.append(head)
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(sock, server_side=True) as safe:
            asked = b""
            # The form may come after its head; closing over what was not read would cut the answer off.
            while b"\r\n\r\n" not in asked or (asked.startswith(b"POST") and not asked.endswith(b"code=c")):
                asked += safe.recv(65536)
            heads.append(asked)
            lines = [b"HTTP/1.1 200 OK", b"Content-Type: application/json", b"Connection: close", b"Content-Length: 12"]
            safe.sendall(b"\r\n".join([*lines, b"", b'{"ok": true}']))


def test_through_a_proxy_tls_reaches_to_the_platform_itself(tmp_path: Any) -> None:
    made, heads = make_certificate(tmp_path, ("social.example",)), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_as_proxy, args=(listener, made, heads, 2), daemon=True)
        thread.start()
        before = route.chosen_route()
        address = f"http://us:s3cret@127.0.0.1:{listener.getsockname()[1]}"
        try:
            route.use_route(route.Route(proxy=address, ca_file=str(made.ca)))
            assert "s3cret" not in repr(route.chosen_route())
            assert Wire(PLAIN, "https://social.example", bearer=TOKEN).call("GET", "/things/1").object == {"ok": True}
            assert webcall.call("https://social.example/token", {"code": "c"}).data == {"ok": True}
        finally:
            route.use_route(before)
        thread.join(10)
    login = b"Basic " + base64.b64encode(b"us:s3cret")
    for head in heads[::2]:
        assert head.startswith(b"CONNECT social.example:443") and login in head and TOKEN.encode() not in head
    assert TOKEN.encode() in heads[1] and login not in heads[1] and heads[3].startswith(b"POST /token")


def test_the_environment_and_cookies_count_for_nothing(
    server: Server, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.faults.add("*", Fault(headers={"Set-Cookie": "a=b; Path=/"}))
    assert wire.call("GET", "/things/1").object["cookie"] == ""
    assert wire.call("GET", "/things/1").object["cookie"] == ""


# --- Who we are -----------------------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_once_and_the_request_repeated(server: Server) -> None:
    tokens = Tokens()
    wire = Wire(PLAIN, server.base_url, tokens=tokens)
    server.faults.add("*", Fault(status=401, body=b"{}", content_type="application/json"))
    assert wire.call("POST", "/things", json={}).object["token"] == TOKEN + "1"
    assert tokens.renewals == [TOKEN + "0"]
    server.faults.add("*", Fault(status=401, body=b"{}", content_type="application/json", times=0))
    with pytest.raises(AuthFailed):
        wire.call("GET", "/things/1")
    assert len(tokens.renewals) == 2


def test_a_platform_may_say_expired_in_its_own_way(server: Server) -> None:
    dialect = Dialect("B", is_expired=lambda answer: answer.object.get("error") == "ExpiredToken")
    tokens = Tokens()
    wire = Wire(dialect, server.base_url, tokens=tokens)
    server.faults.add("*", Fault(status=400, body=b'{"error": "ExpiredToken"}', content_type="application/json"))
    assert wire.call("GET", "/things/1").status == 200 and len(tokens.renewals) == 1


def test_no_token_goes_where_none_was_asked_for(wire: Wire) -> None:
    assert wire.call("GET", "/things/1", token="").object["token"] == ""
    assert wire.call("GET", "/things/1", token="another").object["token"] == "another"


def test_nothing_secret_stands_in_an_error_or_a_log(
    server: Server, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    text, key = "My order 4711 never came", "hidden-key"
    echo = json.dumps({"error": f"bad token {TOKEN} for {text} at /things?key={key}"}).encode()
    with caplog.at_level(logging.DEBUG):
        for fault in (
            Fault(status=403, body=echo, content_type="application/json"),
            Fault(status=401, body=echo, content_type="application/json"),
            Fault(cut_after=0),
            Fault(is_html=True),
        ):
            server.faults.add("*", fault)
            with pytest.raises(ConnectorError) as caught:
                wire.call("POST", "/things", params={"key": key}, json={"text": text, "more": key})
            shown = [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value), repr(wire)]
            context = caught.value.__context__
            shown += [repr(context), str(context)]
            assert not any(secret in one for one in shown for secret in (TOKEN, text, key))
    assert TOKEN not in caplog.text and text not in caplog.text


# --- Limits ---------------------------------------------------------------------------------------------------------


def test_the_meter_is_asked_before_and_told_after(server: Server) -> None:
    meter = Noted()
    wire = Wire(PLAIN, server.base_url, meter=meter)
    reset = int((datetime.now(UTC) + timedelta(minutes=10)).timestamp())
    headers = {"x-rate-limit-limit": "15", "x-rate-limit-remaining": "3", "x-rate-limit-reset": str(reset)}
    server.faults.add("*", Fault(headers=headers))
    wire.call("GET", "/things/77")
    assert meter.opened == ["GET /things/:id"]
    ((endpoint, (window,), refused),) = meter.noted
    assert (endpoint, window.limit, window.remaining, window.seconds, refused) == ("GET /things/:id", 15, 3, 900, None)
    server.faults.add("*", Fault(status=429, headers={"Retry-After": "120"}))
    with pytest.raises(Throttled) as caught:
        wire.call("GET", "/things/77", endpoint="GET /mine")
    assert caught.value.after is not None and timedelta(seconds=115) < caught.value.after <= timedelta(seconds=120)
    assert meter.noted[-1][2] is not None


def test_f72_refusals_in_a_row_wait_longer_each_time(server: Server, wire: Wire) -> None:
    server.faults.add("*", Fault(status=429, headers={"Retry-After": "1"}, times=0))
    waits = []
    for _ in range(6):
        with pytest.raises(Throttled) as caught:
            wire.call("GET", "/things/1")
        waits.append(caught.value.after)
    assert waits == sorted(waits) and waits[0] == SHORTEST and waits[-1] == SHORTEST * 32


MINUTE = timedelta(minutes=1)


def epoch(after: timedelta) -> str:
    return str(int((NOW + after).timestamp()))


WINDOWS: list[tuple[Any, dict[str, str], list[tuple[int, int, timedelta, int]]]] = [
    (X_HEADERS, {}, []),
    (
        X_HEADERS,
        {
            "x-rate-limit-limit": "75",
            "x-rate-limit-remaining": "74",
            "x-rate-limit-reset": epoch(timedelta(seconds=60)),
        },
        [(75, 74, timedelta(seconds=60), 900)],
    ),
    (
        X_HEADERS,
        {
            "x-user-limit-24hour-limit": "100",
            "x-user-limit-24hour-remaining": "0",
            "x-user-limit-24hour-reset": epoch(timedelta(hours=5)),
        },
        [(100, 0, timedelta(hours=5), 86400)],
    ),
    (  # a year away, and behind us
        X_HEADERS,
        {"x-rate-limit-limit": "75", "x-rate-limit-remaining": "0", "x-rate-limit-reset": epoch(timedelta(days=365))},
        [(75, 0, timedelta(seconds=900), 900)],
    ),
    (
        X_HEADERS,
        {"x-rate-limit-limit": "75", "x-rate-limit-remaining": "0", "x-rate-limit-reset": epoch(-timedelta(days=3))},
        [(75, 0, timedelta(0), 900)],
    ),
    (  # their clock is five minutes ahead
        X_HEADERS,
        {
            "date": "Wed, 25 Nov 2026 12:05:00 GMT",
            "x-rate-limit-limit": "75",
            "x-rate-limit-remaining": "99",
            "x-rate-limit-reset": epoch(timedelta(minutes=10)),
        },
        [(75, 75, timedelta(minutes=5), 900)],
    ),
    (
        MASTODON_HEADERS,
        {
            "x-ratelimit-limit": "300",
            "x-ratelimit-remaining": "298",
            "x-ratelimit-reset": "2026-11-25T12:05:00.123456Z",
        },
        [(300, 298, timedelta(minutes=5, microseconds=123456), 0)],
    ),
    (
        BLUESKY_HEADERS,
        {
            "ratelimit-limit": "3000",
            "ratelimit-remaining": "2998",
            "ratelimit-reset": epoch(timedelta(minutes=4)),
            "ratelimit-policy": "3000;w=300",
        },
        [(3000, 2998, timedelta(minutes=4), 300)],
    ),
    (  # seconds from now
        BLUESKY_HEADERS,
        {"ratelimit-limit": "10", "ratelimit-remaining": "1", "ratelimit-reset": "30"},
        [(10, 1, timedelta(seconds=30), 0)],
    ),
    *(
        (X_HEADERS, {"x-rate-limit-limit": "75", "x-rate-limit-remaining": remaining, "x-rate-limit-reset": reset}, [])
        for remaining, reset in (("-1", "1"), ("ten", "1"), ("1", "soon"), ("1", "nan"), ("1", "9" * 40), ("1", ""))
    ),
]


@pytest.mark.parametrize(("table", "headers", "expected"), WINDOWS)
def test_headers_of_limits_are_read_and_never_believed_beyond_reason(
    table: Any, headers: dict[str, str], expected: list[tuple[int, int, timedelta, int]]
) -> None:
    found = windows_of(table, headers, NOW)
    assert [(one.limit, one.remaining, one.resets_at - NOW, one.seconds) for one in found] == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("120", timedelta(seconds=120)),
        ("Wed, 25 Nov 2026 12:02:00 GMT", timedelta(seconds=120)),
        ("0", SHORTEST),
        ("-5", timedelta(seconds=60)),
        ("99999999", LONGEST),
        ("Wed, 25 Nov 2099 12:02:00 GMT", LONGEST),
        ("Wed, 25 Nov 1999 12:02:00 GMT", SHORTEST),
        ("later", timedelta(seconds=60)),
        ("", timedelta(seconds=60)),
    ],
)
def test_f72_a_wait_is_a_floor_between_bounds(said: str, expected: timedelta) -> None:
    assert wait_of({"retry-after": said}, (), NOW) == expected


def test_f72_a_daily_limit_is_waited_for_and_not_the_next_quarter() -> None:
    headers = {
        "x-rate-limit-limit": "75",
        "x-rate-limit-remaining": "70",
        "x-rate-limit-reset": epoch(timedelta(minutes=10)),
        "x-app-limit-24hour-limit": "500",
        "x-app-limit-24hour-remaining": "0",
        "x-app-limit-24hour-reset": epoch(timedelta(hours=7)),
    }
    assert wait_of(headers, windows_of(X_HEADERS, headers, NOW), NOW) == timedelta(hours=7)


def test_endpoints_have_one_name_for_every_individual() -> None:
    assert plain_endpoint("get", "/2/users/123/mentions") == "GET /2/users/:id/mentions"
    assert plain_endpoint("POST", "/api/v1/statuses") == "POST /api/v1/statuses"
    assert plain_endpoint("GET", "/api/v1/statuses/112/context") == "GET /api/v1/statuses/:id/context"


# --- A library ------------------------------------------------------------------------------------------------------


def test_a_library_with_fixed_hosts_goes_through_the_same_door(server: Server) -> None:
    import tweepy

    meter, tokens = Noted(), Tokens()
    wire = Wire(PLAIN, server.base_url, tokens=tokens, meter=meter)
    client = tweepy.Client("not a token", wait_on_rate_limit=False)
    client.session = wire.session()
    server.faults.add("*", Fault(status=401, body=b"{}", content_type="application/json"))
    assert client.get_user(id="1").data.username == "a"
    assert tokens.renewals == [TOKEN + "0"] and meter.opened == ["GET /2/users/:id"] * 2
    server.faults.add("*", Fault(trickle=0.01, padding=50_000_000))
    with pytest.raises(TooMuch):
        client.get_user(id="1")
    with pytest.raises(Refused, match="another server"):
        client.session.get("https://elsewhere.example/")


def test_links_of_pages_are_read(server: Server, wire: Wire) -> None:
    link = f'<{server.base_url}/things/2?max_id=1>; rel="next", <https://x.example/a,b>; rel="prev"; title="x"'
    server.faults.add("*", Fault(headers={"Link": link}))
    links = wire.call("GET", "/things/1").links
    assert links == {"next": f"{server.base_url}/things/2?max_id=1", "prev": "https://x.example/a,b"}
    assert wire.call("GET", links["next"]).object["echo"] == "/things/2?max_id=1"
