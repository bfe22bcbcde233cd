"""Parsers that break their promise: a third party's connector that raises, dies or hangs."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors import registry
from connectors.messages import ParsedMessage, RawItem
from connectors.offload import Parsers
from connectors.registry import AccountSettings
from inbox.models import Account, Conversation, Message
from inbox.models import RawItem as StoredItem
from tests.builders import NOW, digest_all, make_item, put

_CONNECTOR = """
    import os, time
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
    yield AccountSettings("fragile", "us@balas.example", {}, tmp_path)
    registry._factories.cache_clear()
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


def test_f12_what_dies_hangs_or_raises_takes_nothing_else_with_it(fragile):
    words = [f"mail{n}" for n in range(40)]
    words[3], words[17], words[18], words[30] = "die", "hang", "raise", "die again"
    parsers = Parsers(2, max_seconds=3.0)
    try:
        results = parsers.parse(jobs_of(fragile, *words))
        afterwards = parsers.parse(jobs_of(fragile, "later"))
    finally:
        parsers.close()
    failed = {words[n] for n, result in enumerate(results) if isinstance(result, str)}
    assert failed == {"die", "hang", "raise", "die again"}
    assert isinstance(afterwards[0], ParsedMessage)


@pytest.mark.django_db
@pytest.mark.parametrize("many", [100, 2], ids=["in bulk", "a few"])
def test_f12_poison_among_mail_becomes_visible_and_holds_up_nobody(fragile, many):
    poison = ["die", "raise"] if many > 2 else ["raise"]
    account = Account.objects.create(
        kind="fragile", name="f", address="us@balas.example", cut_at=NOW - timedelta(days=9)
    )
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
def test_f12_what_killed_its_process_is_read_in_a_child_the_next_time(fragile):
    account = Account.objects.create(
        kind="fragile", name="f", address="us@balas.example", cut_at=NOW - timedelta(days=9)
    )
    put(account, make_item(b"die"), make_item(b"mail"))
    # As a process that died while it read them here has left them.
    StoredItem.objects.update(attempts=1)
    assert digest_all().messages == 1
    assert digest_all(NOW + timedelta(minutes=1)).messages == 1
    assert StoredItem.objects.filter(state="unreadable").count() == 1
