"""Poison mail through both doors: `cost ROUNDS` or `beside ROUNDS SECONDS`."""

from __future__ import annotations

import base64
import itertools
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil

from benchmarks.corpus import Corpus
from benchmarks.inside import setup
from connectors.messages import Page, RawItem, Scope

from django.db import connections  # isort: skip
from inbox import shelf  # isort: skip
from inbox.ingest import parsing  # isort: skip
from inbox.models import Account, Message  # isort: skip
from workers import jobs  # isort: skip

_numbers = itertools.count(1)
_ORDINARY = 600
_TOGETHER = 2_000_000  # bytes of poison digested at once
_PAUSE = 0.05  # between two ordinary mails


def _head(extra: str = "") -> bytes:
    number = next(_numbers)
    return (
        f"From: Poison <p{number}@x.example>\r\nTo: help@example.org\r\nSubject: Poison {number}\r\n"
        f"Message-ID: <poison-{number}@x.example>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        f"MIME-Version: 1.0\r\n{extra}"
    ).encode()


def semicolons_in_a_field() -> bytes:
    return _head("Content-Type: text/plain") + b";" * 10_000_000 + b"\r\n\r\nwords\r\n"


def semicolons() -> bytes:
    return _head("Content-Type: text/plain\r\n\r\n") + b";" * 10_000_000


def nested() -> bytes:
    parts = (f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(10_000))
    return _head() + "".join(parts).encode() + b"Content-Type: text/plain\r\n\r\nthe core\r\n"


def links() -> bytes:
    body = "".join(
        f'<p>See <a href="https://shop.example/item/{n}?from=mail&amp;id={n}">item {n}</a> now.</p>'
        for n in range(2_000)
    )
    return _head("Content-Type: text/html; charset=utf-8\r\n\r\n") + f"<html><body>{body}</body></html>".encode()


def images() -> bytes:
    dice = random.Random(43)
    parts = [b"--b\r\nContent-Type: text/html\r\n\r\n" + b"".join(b'<img src="cid:i%d@x">' % n for n in range(43))]
    for n in range(43):
        data = base64.encodebytes(dice.randbytes(6_000))
        parts.append(
            b"--b\r\nContent-Type: image/png\r\nContent-ID: <i%d@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n" % n
            + data
        )
    return _head('Content-Type: multipart/related; boundary="b"\r\n\r\n') + b"\r\n".join(parts) + b"\r\n--b--\r\n"


def attachment() -> bytes:
    data = base64.encodebytes(random.Random(next(_numbers)).randbytes(50_000_000))
    head = b"--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _head('Content-Type: multipart/mixed; boundary="b"\r\n\r\n') + head + data + b"\r\n--b--\r\n"


POISON: dict[str, Callable[[], bytes]] = {
    "10 MB of ; in a field": semicolons_in_a_field,
    "10 MB of ;": semicolons,
    "10,000 nested parts": nested,
    "2,000 links": links,
    "43 inline images": images,
    "an attachment of 50 MB": attachment,
}


def _item(content: bytes) -> RawItem:
    return RawItem(Scope("INBOX", "1"), str(next(_numbers)), datetime.now(UTC), len(content), content)


def _put(account: Account, *contents: bytes) -> None:
    shelf.put(account.id, Page(items=tuple(map(_item, contents))), held=None, now=datetime.now(UTC))


def _cpu() -> float:
    """Of this process, its living children, and those that have ended."""
    seconds = setup.cpu_seconds()
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        seconds += times.user + times.system
    return seconds


def _account(name: str) -> Account:
    now = datetime.now(UTC)
    return Account.objects.create(
        kind="email", name=name, address=f"{name}@example.org", cut_at=now - timedelta(days=9)
    )


def _measured(account: Account, contents: list[bytes]) -> tuple[float, int]:
    """Seconds of CPU from the shelf until they can be seen, and bytes."""
    before = _cpu()
    _put(account, *contents)
    while jobs.digest() or jobs.index():
        pass
    return _cpu() - before, sum(map(len, contents))


def cost(rounds: int) -> dict[str, dict[str, float]]:
    account = _account("help")
    ordinary = [mail.content for mail in Corpus().mails(rounds * _ORDINARY + 200)]
    _measured(account, [*ordinary[-200:], attachment()])  # children of both kinds, and what a process remembers
    found: dict[str, list[tuple[float, int]]] = {}
    for number in range(rounds):
        share = ordinary[number * _ORDINARY : (number + 1) * _ORDINARY]
        found.setdefault("ordinary", []).append(_measured(account, share))
        for name, make in POISON.items():
            contents = [make()]
            contents += [
                make() for _ in range(_TOGETHER // len(contents[0]))
            ]  # ordinary mail does not come alone either
            found.setdefault(name, []).append(_measured(account, contents))
    best = {name: min(times) for name, times in found.items()}
    return {name: {"seconds": cpu, "bytes": size, "ns": cpu / size * 1e9} for name, (cpu, size) in best.items()}


class Lanes:
    """The rooms that read mail, as the `jobs` process has them: a thread each."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.threads = [
            threading.Thread(target=self._work, args=(work,)) for work in (jobs.digest_new, jobs.digest_again)
        ]

    def _work(self, work: Callable[[], int]) -> None:
        while not self.is_over.is_set():
            if not work():
                time.sleep(0.005)
        connections.close_all()

    def __enter__(self) -> Lanes:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def _stretch(account: Account, contents: list[bytes], seconds: float) -> list[float]:
    """How long each of a steady trickle of ordinary mail took from the shelf until it could be seen."""
    waiting: dict[str, float] = {}
    took: list[float] = []
    ends_at = time.perf_counter() + seconds
    for content in contents:
        if time.perf_counter() > ends_at:
            break
        item = _item(content)
        shelf.put(account.id, Page(items=(item,)), held=None, now=datetime.now(UTC))
        waiting[item.external_id] = time.perf_counter()
        until = time.perf_counter() + _PAUSE
        while time.perf_counter() < until:
            _note(waiting, took)
            time.sleep(0.004)
    while waiting and time.perf_counter() < ends_at + 60:
        _note(waiting, took)
        time.sleep(0.004)
    return took + [60.0] * len(waiting)


def _note(waiting: dict[str, float], took: list[float]) -> None:
    seen = Message.objects.filter(raw_item__external_id__in=list(waiting)).values_list(
        "raw_item__external_id", flat=True
    )
    now = time.perf_counter()
    took.extend(now - waiting.pop(external_id) for external_id in seen)


def beside(rounds: int, seconds: float) -> dict[str, object]:
    ours, theirs = _account("help"), _account("poisoned")
    each = int(seconds / _PAUSE)
    ordinary = (mail.content for mail in Corpus().mails(each * 2 * rounds + 50))
    makers = itertools.cycle(POISON.values())
    fed = 0

    def feed(made: list[bytes], is_over: threading.Event) -> None:
        """As the thread that fetches that mailbox would."""
        nonlocal fed
        while made and not is_over.wait(seconds / 10):
            _put(theirs, made.pop())
            fed += 1
        connections.close_all()

    pairs = []
    with Lanes():
        _stretch(ours, list(itertools.islice(ordinary, 50)), 10)
        for _ in range(rounds):
            calm = _stretch(ours, list(itertools.islice(ordinary, each)), seconds)
            is_over, made = threading.Event(), [next(makers)() for _ in range(10)]
            feeder = threading.Thread(target=feed, args=(made, is_over))
            feeder.start()
            poisoned = _stretch(ours, list(itertools.islice(ordinary, each)), seconds)
            is_over.set()
            feeder.join()
            pairs.append([sorted(took)[int(len(took) * 0.99)] for took in (calm, poisoned)])
    return {"p99": pairs, "poison": fed}


def main() -> None:
    what, *numbers = sys.argv[1:]
    found = cost(int(numbers[0])) if what == "cost" else beside(int(numbers[0]), float(numbers[1]))
    parsing.close()
    setup.answer(found)


if __name__ == "__main__":
    main()
