"""Malformed mail in numbers: every case is read in a child as it would be, and none of them loses its reader."""

from __future__ import annotations

import email
import email.policy
import random
from email.message import Message
from pathlib import Path

import pytest

from connectors.mail.parse import parse_mail
from connectors.messages import Flag, ParsedMessage, RawItem, Scope
from connectors.offload import Parsers
from connectors.registry import AccountSettings
from tests.connectors.malformed import RECEIVED, SEEDS, case, damaged, fault, seed
from tests.corpora import find_corpus

CASES = 20_000
_OLE = bytes.fromhex("d0cf11e0")
BATCHES = 4
AT_ONCE = 1_000


def test_there_are_two_thousand_seeds_and_each_number_is_one_mail() -> None:
    assert len({seed(number) for number in range(SEEDS)}) > SEEDS * 0.99
    assert [case(number) for number in range(50)] == [case(number) for number in range(50)]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_f13_f83_twenty_thousand_malformed_mails_are_read_and_no_reader_is_lost(batch: int, tmp_path: Path) -> None:
    """A reader that takes more than a second, dies or raises gives a sentence in place of a message."""
    account = AccountSettings("email", "us@toko.example", {}, tmp_path)
    share = CASES // BATCHES
    parsers = Parsers(1)
    try:
        child = parsers._children[0].process
        for first in range(batch * share, (batch + 1) * share, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            contents = [case(number) for number in numbers]
            jobs = [(account, RawItem(Scope("INBOX"), "1", RECEIVED, len(one), one)) for one in contents]
            for number, result in zip(numbers, parsers.parse(jobs), strict=True):
                assert isinstance(result, ParsedMessage), (number, result)
                assert fault(result) == "", number
        assert parsers._children[0].process == child
    finally:
        parsers.close()


def _words_of(content: bytes) -> str:
    """What the standard library's parser finds to read in a mail."""
    words: list[str] = []
    waiting: list[Message] = [email.message_from_bytes(content, policy=email.policy.compat32)]
    while waiting and len(words) < 100:
        part = waiting.pop()
        if part.is_multipart():
            waiting.extend(reversed(part.get_payload()))
        elif part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            words.append(payload.decode("latin-1") if isinstance(payload, bytes) else "")
    return "".join(words).strip()


@pytest.mark.parametrize("corpus", ["cpython", "mail-parser", "talon"])
def test_what_the_standard_library_can_read_is_never_unreadable(corpus: str) -> None:
    dice = random.Random(corpus)
    for path in find_corpus(corpus):
        content = path.read_bytes()
        if content.startswith(_OLE):
            continue  # Outlook's own file, no mail: the standard library makes one long word of it
        message = parse_mail(content)
        assert Flag.UNREADABLE not in message.flags, path.name
        if _words_of(content) and Flag.ENCRYPTED not in message.flags:
            assert message.text or message.has_html or message.attachments, path.name
        for _ in range(3):  # also when something has happened to its middle
            cut = len(content) // 3
            hurt = content[:cut] + damaged(content[cut : cut + 20_000], dice)
            assert Flag.UNREADABLE not in parse_mail(hurt).flags, path.name
