"""Parsers that break their promise: a third party's connector that raises, dies or hangs."""

from __future__ import annotations

import signal
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from connectors import nursery, registry, sandbox
from connectors.messages import Flag, ParsedMessage, RawItem
from connectors.offload import Exceeded, Parsers, read_alone
from connectors.registry import AccountSettings
from connectors.sandbox import Limits
from inbox.ingest import parsing
from inbox.ingest.digest import digest_fresh, digest_hard
from inbox.models import Account, Conversation, Message
from inbox.models import RawItem as StoredItem
from tests.builders import INBOX, NOW, digest_all, make_account, make_item, make_mail, put

_CONNECTOR = """
    import os, signal, time
    from connectors.messages import Address, ParsedMessage

    class Fragile:
        kind = "fragile"

        def __init__(self, account, secrets):
            pass

        def identity_key(self, address):
            return address.address

        def parse(self, item):
            words = item.content.decode()
            if words.startswith("raise"):
                raise ValueError("cannot read this")
            if words.startswith("die"):
                os._exit(1)
            if words.startswith("hang"):
                time.sleep(600)
            if words.startswith("segfault"):
                os.kill(os.getpid(), signal.SIGSEGV)
            if words.startswith("loop"):
                while True:
                    pass
            if words.startswith("eat"):
                eaten = []
                while True:
                    eaten.append(bytearray(50_000_000))
            address = Address(words.split()[0] + "@r.example")
            return ParsedMessage(address, (), words, words, words, item.received_at, words + "@r.example")
"""


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountSettings]:
    """Installs a kind as a third party would: a package on the path with an entry point."""
    (tmp_path / "fragile_kind.py").write_text(textwrap.dedent(_CONNECTOR))
    info = tmp_path / "fragile_kind-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fragile-kind\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[balas.connectors]\nfragile = fragile_kind:Fragile\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._factories.cache_clear()
    parsing.close()  # children that started before know nothing of it
    yield AccountSettings("fragile", "us@balas.example", {}, tmp_path)
    registry._factories.cache_clear()
    parsing.close()
    sys.modules.pop("fragile_kind", None)


def make_fragile() -> Account:
    return Account.objects.create(kind="fragile", name="f", address="us@balas.example", cut_at=NOW - timedelta(days=9))


def jobs_of(account: AccountSettings, *words: str) -> list[tuple[AccountSettings, RawItem]]:
    return [(account, make_item(word.encode())) for word in words]


def test_children_answer_in_order(fragile):
    words = [f"mail{n}" for n in range(100)]
    parsers = Parsers(2)
    try:
        results = parsers.parse(jobs_of(fragile, *words))
    finally:
        parsers.close()
    assert [one.text for one in results if isinstance(one, ParsedMessage)] == words


def test_f12_f83_what_dies_hangs_loops_or_eats_memory_takes_nothing_else_with_it(fragile):
    words = [f"mail{n}" for n in range(40)]
    limited = {17: "hang", 21: "loop", 22: "eat"}
    words[3], words[18], words[30] = "die", "raise", "segfault"
    for number, word in limited.items():
        words[number] = word
    parsers = Parsers(2, Limits(cpu=0.5, clock=4.0))
    try:
        results = parsers.parse(jobs_of(fragile, *words))
        afterwards = parsers.parse(jobs_of(fragile, "later"))
    finally:
        parsers.close()
    failed = {words[n] for n, result in enumerate(results) if isinstance(result, str)}
    assert failed == {"die", "raise", "segfault", *limited.values()}
    assert {words[n] for n, result in enumerate(results) if isinstance(result, Exceeded)} == set(limited.values())
    assert isinstance(afterwards[0], ParsedMessage)


def test_f12_each_of_a_chunk_is_read_once_whoever_dies_beside_it(fragile, tmp_path):
    """A culprit is known by where it stopped: its neighbours are not tried one by one."""
    words = [f"mail{n}" for n in range(15)] + ["die"]
    parsers = Parsers(1)
    try:
        results = parsers.parse(jobs_of(fragile, *words, "die", *words))
    finally:
        parsers.close()
    assert [n for n, result in enumerate(results) if isinstance(result, str)] == [15, 16, 32]


def test_f12_a_child_that_is_killed_from_outside_is_replaced(fragile):
    parsers = Parsers(1)
    try:
        assert isinstance(parsers.parse(jobs_of(fragile, "one"))[0], ParsedMessage)
        [reader] = psutil.Process(nursery._nursery.process.pid).children()
        reader.send_signal(signal.SIGSEGV)
        assert parsers._children[0].process.wait(30) == -signal.SIGSEGV
        assert isinstance(parsers.parse(jobs_of(fragile, "two"))[0], ParsedMessage)
    finally:
        parsers.close()


def test_readers_go_when_whoever_asked_for_them_is_gone(fragile):
    parsers = Parsers(2)
    assert isinstance(parsers.parse(jobs_of(fragile, "one"))[0], ParsedMessage)
    home = psutil.Process(nursery._nursery.process.pid)
    readers = home.children()
    for child in parsers._children:
        child.process._connection.close()  # what the kernel does for a process that was killed
    gone, alive = psutil.wait_procs(readers, 30)
    assert len(gone) == 2 and not alive and home.is_running()


def test_a_nursery_that_died_is_replaced_and_one_that_nobody_holds_ends(fragile):
    assert isinstance(read_alone(jobs_of(fragile, "one")[0]), ParsedMessage)
    psutil.Process(nursery._nursery.process.pid).kill()
    nursery._nursery.process.wait(30)
    assert isinstance(read_alone(jobs_of(fragile, "two")[0]), ParsedMessage)
    process = nursery._nursery.process
    nursery.close()
    assert process.wait(30) == 0


def test_a_child_that_can_never_start_is_given_up(fragile, monkeypatch):
    parsing.close()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert read_alone(jobs_of(fragile, "mail")[0]) == "the reader could not be started"


def test_a_kind_that_a_child_does_not_know_is_said(fragile):
    assert read_alone((replace(fragile, kind="gone"), make_item(b"mail"))) == "nothing here reads this kind"


@pytest.mark.django_db
@pytest.mark.parametrize("many", [100, 2], ids=["in bulk", "a few"])
def test_f12_poison_among_mail_becomes_visible_and_holds_up_nobody(fragile, many):
    poison = ["die", "raise", "segfault"]
    account = make_fragile()
    words = [*(f"mail{n}" for n in range(many)), *poison]
    put(account, *(make_item(word.encode()) for word in words))
    digested = digest_all()
    assert (digested.messages, digested.failed) == (many, len(poison))
    for minute in (1, 2):
        assert digest_all(NOW + timedelta(minutes=minute)).taken == len(poison)
    unreadable = Message.objects.filter(flags=["unreadable"])
    assert unreadable.count() == len(poison)
    assert Conversation.objects.filter(status="open").count() == many + len(poison)
    assert StoredItem.objects.filter(state="unreadable").count() == len(poison)
    assert digest_all(NOW + timedelta(minutes=9)).taken == 0


@pytest.mark.django_db
def test_f12_f83_what_reaches_a_limit_is_put_off_at_once_and_given_up_after_its_full_time(fragile, monkeypatch):
    """The first attempt is short, the second has all its time, and there is no third."""
    monkeypatch.setattr(sandbox, "FULL", Limits(1.5, 30.0))
    monkeypatch.setattr(parsing, "FULL", Limits(1.5, 30.0))
    account = make_fragile()
    put(account, *(make_item(word) for word in (b"loop", b"eat", b"mail")))
    fresh = digest_fresh(100, NOW)
    assert (fresh.messages, fresh.failed) == (1, 2)
    assert digest_fresh(100, NOW + timedelta(minutes=1)).taken == 0
    assert digest_hard(100, NOW + timedelta(minutes=1)).taken == 2
    assert StoredItem.objects.filter(state="unreadable").count() == 2
    assert sorted(StoredItem.objects.exclude(error="").values_list("error", flat=True)) == [
        "reading it took more memory than a mail may have",
        "reading it took more processor time than a mail may have",
    ]
    assert digest_all(NOW + timedelta(minutes=9)).taken == 0


@pytest.mark.django_db
def test_f12_f19_a_large_mail_is_read_apart_and_nobody_waits_for_it():
    account = make_account()
    small, large = make_mail("small"), make_mail("large " * 300_000)
    put(account, make_item(large), make_item(small))
    assert digest_fresh(100, NOW).messages == 1
    assert Message.objects.get().text.strip() == "small"
    assert digest_hard(100, NOW).messages == 1
    assert Message.objects.filter(text__startswith="large large").count() == 1


@pytest.mark.parametrize("kind", ["application/octet-stream; name=a.bin", "message/rfc822", "text/plain"])
def test_f19_f83_seventy_megabytes_sent_as_they_are_fit_into_the_memory_of_a_reader(kind, tmp_path):
    head = f"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: {kind}\r\n\r\n"
    path = tmp_path / "large.eml"
    path.write_bytes(head.encode() + b"Subject: x\r\n\r\n" + b"a word\r\n" * 9_000_000 + b"--b--\r\n")
    item = RawItem(INBOX, "1", NOW, path.stat().st_size, path=path)
    assert isinstance(read_alone((AccountSettings("email", "us@balas.example", {}, tmp_path), item)), ParsedMessage)


def test_f13_a_mail_that_cannot_be_read_still_says_from_whom_and_about_what(tmp_path):
    account = AccountSettings("email", "us@balas.example", {}, tmp_path)
    found = read_alone(
        (account, make_item(make_mail("words", author="Ana <ana@x.example>", subject="Grüße"))), "salvage"
    )
    assert isinstance(found, ParsedMessage) and found.flags == (Flag.UNREADABLE,)
    assert (found.author.address, found.subject) == ("ana@x.example", "Grüße")
