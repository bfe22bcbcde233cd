"""What every kind keeps, whatever its platform: the inbox relies on each line of this."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import (
    AuthFailed,
    Connector,
    ConnectorError,
    OutcomeUnknown,
    PlacesMissing,
    Refused,
    RetryLater,
    Speaks,
    Unsupported,
)
from connectors.introducing import Introduces
from connectors.messages import (
    Address,
    Known,
    OutboundMessage,
    Outcome,
    ParsedDeletion,
    ParsedMessage,
    ParsedReach,
    RawItem,
    Reply,
    Scope,
    Wish,
)
from connectors.registry import card_of, connector_class, make_connector
from connectors.social import KindCard, Outline
from tests.connectors.contract import Break, Harness, open_connector
from tests.connectors.contract.shelf import Shelf, content_of
from tests.connectors.contract.spoiling import spoiled, with_news

SERVERS = {"mail.log"}  # what the other side writes down
SMALL = Wish(page_items=3)
TEXT = "Ready on Monday, we promise it: 7 o'clock."
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def bare(harness: Harness, spool: Path) -> Connector:
    return make_connector(harness.account(spool), {})


def all_of(harness: Harness, spool: Path, wish: Wish = SMALL) -> Shelf:
    shelf, connector = Shelf(), open_connector(harness, spool)
    shelf.take(connector, wish)
    connector.close()
    return shelf


def asked(connector: Connector, shelf: Shelf) -> list[ParsedMessage]:
    """What strangers wrote to us, parsed, by their id."""
    parsed = [connector.parse(item) for item in sorted(shelf.inbound(), key=lambda one: one.external_id)]
    return [one for one in parsed if isinstance(one, ParsedMessage) and "parcel" in one.text]


def answer_to(connector: Connector, harness: Harness, asked: ParsedMessage, spool: Path, text: str = TEXT) -> Reply:
    return Reply(
        idempotency_key=connector.new_key(),
        sender=Address(harness.account(spool).address, "", harness.our_id),
        to=(asked.author,),
        subject="Re: the parcel",
        text=text,
        written_at=NOW,
        in_reply_to=asked.message_id,
        references=(*asked.references, asked.message_id),
        answers=asked.post,
    )


@pytest.fixture
def ready(harness: Harness, tmp_path: Path) -> tuple[Connector, OutboundMessage]:
    """A connector with an answer to the newest public question, composed."""
    harness.arrive(2)
    connector = open_connector(harness, tmp_path)
    shelf = Shelf()
    shelf.take(connector, Wish())
    return connector, connector.compose(answer_to(connector, harness, asked(connector, shelf)[-1], tmp_path))


# --- Who it is ------------------------------------------------------------------------------------------------------


def test_a_kind_presents_itself(harness: Harness, tmp_path: Path) -> None:
    connector = open_connector(harness, tmp_path)
    assert isinstance(connector, Connector)
    assert connector.kind == harness.kind
    assert isinstance(card_of(harness.kind), KindCard) and connector.card.name
    party = connector.check()
    assert party.address.lstrip("@").lower() == harness.account(tmp_path).address.lstrip("@").lower()
    connector.close()


def test_a_kind_that_is_connected_by_its_own_words_says_them(harness: Harness) -> None:
    kind = connector_class(harness.kind)
    if not isinstance(kind, Introduces):
        pytest.skip("connected in a way of its own")
    known = kind.introduction({})
    assert known.fields and all(one.label for one in known.fields)
    assert all(one.reason for one in known.permits)
    assert known.uses_consent or any(one.is_secret for one in known.fields) or not harness.secrets


# --- Reading --------------------------------------------------------------------------------------------------------


def test_every_page_stands_alone(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(8)
    whole = all_of(harness, tmp_path)
    pages = Shelf().take(open_connector(harness, tmp_path), SMALL)
    assert pages >= 2 and len(whole.inbound()) >= 8
    for cut in range(1, pages + 1):
        shelf = Shelf()
        shelf.take(open_connector(harness, tmp_path), SMALL, cut)
        shelf.take(open_connector(harness, tmp_path), SMALL)  # another process, with nothing but what is stored
        assert shelf.versions.keys() == whole.versions.keys(), f"cut after page {cut}"


def test_fetching_twice_brings_the_same_to_the_byte(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(5)
    first, second = all_of(harness, tmp_path), all_of(harness, tmp_path, Wish())
    assert first.versions.keys() == second.versions.keys()
    for key, item in first.versions.items():
        other = second.versions[key]
        assert content_of(item) == content_of(other)
        assert (item.received_at, item.is_sent, item.size) == (other.received_at, other.is_sent, other.size)
    first.take(open_connector(harness, tmp_path), SMALL)
    assert first.versions.keys() == second.versions.keys()


def test_what_comes_later_is_brought_and_nothing_else(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(4)
    shelf = all_of(harness, tmp_path)
    before = set(shelf.versions)
    harness.arrive(2)
    shelf.take(open_connector(harness, tmp_path), SMALL)
    news = [shelf.versions[key] for key in shelf.versions.keys() - before]
    assert len({(item.scope, item.external_id) for item in news if not item.is_sent}) >= 2
    assert len(asked(bare(harness, tmp_path), shelf)) == 6


def test_states_are_plain_json(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(2)
    for page in open_connector(harness, tmp_path).fetch(Known(), SMALL):
        for state in page.state.values():
            assert json.loads(json.dumps(state)) == state
        for item in page.items:
            assert item.received_at.utcoffset() is not None and len(item.external_id) <= 200


READING: dict[Break, type[ConnectorError]] = {
    **dict.fromkeys((Break.AWAY, Break.THROTTLED, Break.TROUBLE, Break.PAGE, Break.HUGE, Break.CUT), RetryLater),
    Break.LOG_IN: AuthFailed,
}


@pytest.mark.parametrize("how", READING)
def test_whatever_breaks_while_reading_has_its_class_and_a_sentence(
    harness: Harness, how: Break, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if how in harness.lacks:
        pytest.skip("this kind cannot know that")
    harness.arrive(3)
    account = harness.account(tmp_path)
    connector = open_connector(harness, tmp_path)
    harness.break_(how)
    with caplog.at_level(logging.DEBUG), pytest.raises(READING[how]) as caught:
        list(connector.fetch(Known(), SMALL))
    if how is Break.THROTTLED and not isinstance(caught.value, PlacesMissing):
        assert isinstance(caught.value, RetryLater) and caught.value.after
    assert_discreet(harness, caught.value, caplog, connector, account)


# --- Parsing --------------------------------------------------------------------------------------------------------


def test_parsing_is_pure(harness: Harness, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    harness.arrive(5)
    shelf = all_of(harness, tmp_path)
    connector = bare(harness, tmp_path)
    first = [connector.parse(item) for item in shelf.versions.values()]
    harness.break_(Break.AWAY)
    request.getfixturevalue("no_network")
    again = bare(harness, tmp_path)
    assert [again.parse(item) for item in shelf.versions.values()] == first
    assert all(isinstance(one, ParsedMessage | ParsedDeletion | ParsedReach) for one in first)
    messages = asked(connector, shelf)
    assert len(messages) == 5 == len({one.message_id for one in messages if one.message_id})
    for one in messages:
        assert one.author.address and connector.identity_key(one.author) and one.written_at is not None
        assert one.visible_text and one.written_at.utcoffset() is not None
        assert one.message_id not in one.references


def test_answers_among_strangers_name_what_they_answer(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(3)  # the third one answers the first
    connector = bare(harness, tmp_path)
    messages = {one.text.split("the ")[1][0]: one for one in asked(connector, all_of(harness, tmp_path))}
    first, third = messages["0"], messages["2"]
    assert third.in_reply_to == first.message_id or first.message_id in third.references
    assert connector.identity_key(first.author) == connector.identity_key(third.author)


def test_nothing_that_a_platform_may_send_makes_parsing_raise(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(4)
    shelf = all_of(harness, tmp_path)
    connector = bare(harness, tmp_path)
    for item in list(shelf.versions.values())[:4]:
        for content in spoiled(content_of(item)):
            changed = replace(item, content=content, path=None, size=len(content))
            found = connector.parse(changed)
            assert isinstance(found, ParsedMessage | ParsedDeletion | ParsedReach)
            if isinstance(found, ParsedMessage):
                assert "\x00" not in found.text and found.text.encode() is not None  # no half of a pair either
                connector.identity_key(found.author)


def test_fields_that_nobody_knows_change_nothing(harness: Harness, tmp_path: Path) -> None:
    harness.arrive(3)
    connector = bare(harness, tmp_path)
    for item in all_of(harness, tmp_path).versions.values():
        content = content_of(item)
        if not content.startswith(b"{"):
            continue
        widened = replace(item, content=with_news(content), path=None)
        before, after = connector.parse(item), connector.parse(widened)
        if isinstance(before, ParsedMessage) and isinstance(after, ParsedMessage):
            before = replace(before, raw_sha256="", stable_sha256="")
            after = replace(after, raw_sha256="", stable_sha256="")
        assert after == before


# --- Writing --------------------------------------------------------------------------------------------------------


def test_composing_is_pure_and_reads_back(
    harness: Harness, ready: tuple[Connector, OutboundMessage], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _, message = ready
    shelf = all_of(harness, tmp_path)
    request.getfixturevalue("no_network")
    connector = bare(harness, tmp_path)
    for question in asked(connector, shelf):
        reply = answer_to(connector, harness, question, tmp_path)
        message = connector.compose(reply)
        assert connector.compose(reply).recipients == message.recipients
        item = RawItem(
            Scope("outbox"), message.idempotency_key, NOW, len(message.content), message.content, is_sent=True
        )
        parsed = connector.parse(item)
        assert isinstance(parsed, ParsedMessage)
        again = connector.parse(replace(item, content=connector.compose(reply).content))
        assert isinstance(again, ParsedMessage)  # equal but for what a fresh MIME boundary changes
        assert replace(again, raw_sha256="", stable_sha256="") == replace(parsed, raw_sha256="", stable_sha256="")
        assert parsed.message_id == message.idempotency_key == reply.idempotency_key
        assert TEXT in parsed.text
        keys = {connector.identity_key(one.address) for one in parsed.recipients if one.role in {"to", "cc"}}
        assert keys == {connector.identity_key(question.author)}
        assert len(message.recipients) == 1
        assert question.message_id in (parsed.in_reply_to, *parsed.references)


def test_keys_are_fresh(harness: Harness, tmp_path: Path) -> None:
    connector = bare(harness, tmp_path)
    assert len({connector.new_key() for _ in range(50)}) == 50


def test_what_is_too_long_is_said_before_it_is_sent(
    harness: Harness, ready: tuple[Connector, OutboundMessage], tmp_path: Path
) -> None:
    connector, _ = ready
    limit = connector.limits().max_characters
    if not limit:
        pytest.skip("no limit")
    question = asked(connector, all_of(harness, tmp_path))[-1]
    text = "word " * limit
    with pytest.raises((Unsupported, Refused)):
        connector.compose(answer_to(connector, harness, question, tmp_path, text))
    if isinstance(connector, Speaks):
        assert connector.objections(Outline(text, question.post))
        assert connector.objections(Outline(TEXT, question.post)) == ()
        measure = connector.measure(text, question.post)
        assert measure.left < 0 and measure.excess_at is not None
        assert connector.visibilities(question.post)


def sends(connector: Connector, message: OutboundMessage, at_commit: Callable[[], Any]) -> tuple[Any, list[Any]]:
    """(receipt or error, what was seen at each commit)."""
    seen: list[Any] = []
    try:
        return connector.send(message, lambda: seen.append(at_commit())), seen
    except ConnectorError as error:
        return error, seen


def test_sending_commits_once_before_anything_exists(
    harness: Harness, ready: tuple[Connector, OutboundMessage], tmp_path: Path
) -> None:
    connector, message = ready
    before = len(harness.posted())
    receipt, seen = sends(connector, message, lambda: len(harness.posted()))
    assert not isinstance(receipt, ConnectorError), receipt
    assert seen == [before]
    assert len(harness.posted()) == before + 1 and TEXT in harness.posted()[0] + harness.posted()[-1]
    assert [one.outcome for one in receipt.outcomes] == [Outcome.SENT] * len(message.recipients)
    connector.file_sent(message)
    connector.file_sent(message)
    shelf = all_of(harness, tmp_path)
    ours = [one for one in map(connector.parse, shelf.versions.values()) if isinstance(one, ParsedMessage)]
    echoes = [one for one in ours if one.message_id == (receipt.message_id or message.idempotency_key)]
    assert len(echoes) == 1, "what was sent comes back once, under the name that the receipt told"
    found = connector.find_sent(message)
    assert found is not None and found.message_id == receipt.message_id


SENDING: dict[Break, tuple[type[ConnectorError], ...]] = {
    Break.AWAY: (RetryLater,),
    Break.LOG_IN: (AuthFailed,),
    Break.THROTTLED: (RetryLater,),
    Break.REFUSES: (Refused, Unsupported),
    Break.LOST: (OutcomeUnknown,),
    Break.DROPPED: (OutcomeUnknown,),
}


@pytest.mark.parametrize("how", SENDING)
def test_whatever_breaks_while_sending_has_its_class_and_nothing_leaves_twice(
    harness: Harness,
    ready: tuple[Connector, OutboundMessage],
    how: Break,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if how in harness.lacks:
        pytest.skip("this kind cannot know that")
    connector, message = ready
    before = len(harness.posted())
    harness.break_(how)
    with caplog.at_level(logging.DEBUG):
        error, seen = sends(connector, message, lambda: None)
    assert len(seen) <= 1
    if how is Break.REFUSES and not isinstance(error, ConnectorError):
        assert {one.outcome for one in error.outcomes} == {Outcome.REFUSED}  # said of each recipient
        assert len(harness.posted()) == before
        return
    is_proven = how is Break.LOST and not isinstance(error, ConnectorError)  # it looked by itself whether it is there
    assert is_proven or isinstance(error, SENDING[how]), repr(error)
    if not isinstance(error, ConnectorError):
        assert [one.outcome for one in error.outcomes] == [Outcome.SENT] and len(harness.posted()) == before + 1
        return
    assert seen or not isinstance(error, OutcomeUnknown), "nothing can be unknown before the commit"
    assert_discreet(harness, error, caplog, connector, harness.account(tmp_path))
    if how is Break.AWAY:
        return
    harness.mend()
    assert len(harness.posted()) == before + (how is Break.LOST)
    if how is not Break.LOG_IN:
        found = open_connector(harness, tmp_path).find_sent(message)
        assert (found is not None) is (how is Break.LOST)


# --- Discretion -----------------------------------------------------------------------------------------------------


def assert_discreet(
    harness: Harness,
    error: ConnectorError,
    caplog: pytest.LogCaptureFixture,
    connector: Connector,
    account: object,
) -> None:
    assert error.sentence.strip() and error.sentence == str(error) and "\n" not in error.sentence
    logged = [one.getMessage() for one in caplog.records if one.name not in SERVERS]
    shown = [str(error), repr(error), *logged, repr(connector), repr(account)]
    shown += traceback.format_exception(error)
    hidden = [TEXT, *(value for value in harness.secrets.values() if len(value) >= 8)]
    for text in shown:
        for secret in hidden:
            assert secret not in text
