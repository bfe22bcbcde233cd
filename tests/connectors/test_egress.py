"""The one function that asks for strangers' addresses (failure 76): what it refuses, and what it takes of the rest."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from connectors.egress import NotFetched, Rules, fetch_picture, is_public

INSIDE = [
    *(
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.1.2.3",
        "169.254.1.1",
    ),
    *("169.254.169.254", "168.63.129.16", "172.16.0.1", "172.31.255.254", "192.0.0.192", "192.0.2.1", "192.168.0.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *(
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ),
    *("64:ff9b:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1", "", "localhost", "127.1", "0x7f.1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_f76_no_inner_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]
)
def test_f76_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


def _forms() -> list[str]:
    """Inner hosts in every dress in which resolvers and browsers know them."""
    hosts = [
        *(
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0x7f.1",
            "017700000001",
            "0177.1",
        ),
        *("127.0.0.1.", "localhost", "localhost.", "LOCALHOST", "0", "0.0.0.0", "0x0", "00000000", "127.000.000.001"),
        *(
            "①②⑦.⓪.⓪.①",
            "１２７.０.０.１",
            "127。0。0。1",
            "ｌｏｃａｌｈｏｓｔ",
            "loc\u00adalhost",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
        ),
        *(
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
        ),
        *("[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[fc00::1]", "[2002:7f00:1::]", "169.254.169.254", "2852039166"),
        *("0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "10.0.0.1", "167772161", "0x0a000001"),
        *("192.168.1.1", "3232235777", "172.16.0.1", "100.64.0.1", "[::ffff:10.0.0.1]", "168.63.129.16", "198.18.0.1"),
    ]
    dresses = [
        *(
            "http://{}/x.png",
            "https://{}/x.png",
            "HTTP://{}/x.png",
            "http://{}:80/x",
            "https://{}:443/",
            "http://{}#@a.example/",
        ),
        *("http://{}?.a.example", "http://a.example@{}/", "http://a:b@{}/", "http://{}:22/", "http://{}:6379/x"),
    ]
    return [dress.format(host) for host in hosts for dress in dresses]


OTHERS = [
    *(
        "ftp://a.example/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "dict://127.0.0.1/",
        "data:image/png,x",
        "",
    ),
    *(
        "javascript:x",
        "//127.0.0.1/x",
        "http:///x",
        "http://",
        "http:\\\\127.0.0.1\\x",
        "http://127.0.0.1\\@a.example/",
    ),
    *("http://a.example:80@127.0.0.1/", "http://a.example\r\nHost: b/", "http://a.example/ x", "http://a.example\t/x"),
    *(
        "http://[::1",
        "http://a.example:port/",
        "http://a.example:99999/",
        "http://%31%32%37.0.0.1/",
        "http://-/",
        "jar:x!/",
    ),
    *(
        "http://" + "a" * 300 + ".example/",
        "http://a.example/" + "x" * 3000,
        "http://a..example/",
        "http://.a.example/",
    ),
    *(
        "http://a_b.example:8080/",
        "https://a.example:80/".replace(":80", ":81"),
        "http://\u0000/",
        "http://a.example:0/",
    ),
]


def test_f76_hundreds_of_forms_of_inner_addresses_connect_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *where, **_: connected.append(where) or 1 / 0)
    forms = [*_forms(), *OTHERS]
    assert len(forms) >= 500
    for form in forms:
        with pytest.raises(NotFetched):
            fetch_picture(form)
    assert connected == []


PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50


@contextlib.contextmanager
def far(answers: dict[str, Any]) -> Iterator[tuple[str, Rules, list[dict[str, str]]]]:
    """A host that may be asked: its address, the rules for it, and the headers of what was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            answer = answers[self.path]
            if callable(answer):
                answer(self)
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        rules = Rules(ports=frozenset({server.server_port}), may_reach=lambda ip: ip == "127.0.0.1", seconds=2.0)
        yield f"http://127.0.0.1:{server.server_port}", rules, asked
    finally:
        server.shutdown()
        server.server_close()


def png(body: bytes = PNG, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "image/png", **headers}, body


def test_f76_a_picture_is_asked_for_without_cookies_referrer_or_anything_of_ours() -> None:
    with far({"/a.png?x=1": png()}) as (host, rules, asked):
        assert fetch_picture(f"{host}/a.png?x=1#part", rules) == PNG
    assert set(asked[0]) == {"path", "host", "user-agent", "accept", "accept-encoding", "connection"}


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, b"<script>"),
        (200, {"Content-Type": "image/svg+xml"}, b"<svg/>"),
        (200, {}, PNG),
        (404, {"Content-Type": "image/png"}, PNG),
        (401, {"Content-Type": "image/png", "WWW-Authenticate": "Basic"}, PNG),
        png(Content_Length="99999999999"),
    ],
)
def test_f76_what_is_no_picture_is_not_taken(answer: tuple[int, dict[str, str], bytes]) -> None:
    status, headers, body = answer
    answer = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
    with far({"/": answer}) as (host, rules, _asked), pytest.raises(NotFetched):
        fetch_picture(f"{host}/", rules)


def test_f76_no_more_is_read_than_the_cap_and_no_longer_than_the_deadline() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 65536)

    held = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        held.wait(20)

    with far({"/endless": endless, "/silent": silent}) as (host, rules, _asked):
        for path in ("/endless", "/silent"):
            with pytest.raises(NotFetched):
                fetch_picture(host + path, rules)
        held.set()


def test_f76_redirects_are_followed_three_times_and_each_is_checked_anew() -> None:
    inner = socket.create_server(("127.0.0.1", 0))
    secret = f"http://127.0.0.1:{inner.getsockname()[1]}/secret"

    def to(where: str) -> tuple[int, dict[str, str], bytes]:
        return 302, {"Location": where}, b""

    answers = {"/1": to("/2"), "/2": to("3"), "/3": to("/end"), "/0": to("/1"), "/end": png(), "/bad": to(secret)}
    answers |= {"/file": to("file:///etc/passwd"), "/to-name": to("http://localhost.:1/x"), "/none": (302, {}, b"")}
    with far(answers) as (host, rules, _asked), inner:
        assert fetch_picture(f"{host}/1", rules) == PNG
        for path in ("/0", "/bad", "/file", "/to-name", "/none"):
            with pytest.raises(NotFetched):
                fetch_picture(host + path, rules)
        inner.settimeout(0.05)
        with pytest.raises(TimeoutError):
            inner.accept()


def test_f76_a_name_with_one_inner_address_is_not_asked_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was checked is what is connected to: the name is looked up once (rebinding)."""
    looked: list[str] = []

    def names(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host.endswith(".example"):
            looked.append(host)
        turned = ["10.0.0.1"] if len(looked) > 1 else ["127.0.0.1"]
        found = {"mixed.example": ["93.184.216.34", "127.0.0.1"], "turning.example": turned}
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found.get(host, [host])]

    with far({"/x": png()}) as (_host, rules, asked):
        port = next(iter(rules.ports))
        monkeypatch.setattr(socket, "getaddrinfo", names)
        with pytest.raises(NotFetched):
            fetch_picture("http://mixed.example/x")
        looked.clear()
        assert fetch_picture(f"http://turning.example:{port}/x", rules) == PNG
        assert looked == ["turning.example"]
        assert asked[0]["host"] == f"turning.example:{port}"
