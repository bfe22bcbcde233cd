"""What the rest of Balas is told of a batch: the index about messages, the browsers about conversations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from django.db.backends.utils import CursorWrapper

from connectors.messages import DeliveryReport
from inbox.changes import ConversationChange, MessageFacts
from inbox.enclosed import reported
from inbox.ingest.letters import Letter
from inbox.ingest.matters import Matter
from inbox.ingest.strands import Strand
from inbox.sql import read_json, select_in
from inbox.text import clean


def facts_of(
    cursor: CursorWrapper, letters: Sequence[Letter], strand_of: Callable[[Letter], Strand]
) -> list[MessageFacts]:
    """For the index: new messages, and known ones that moved or were seen in another account."""
    known = [letter for letter in letters if letter.parsed is None]
    accounts, texts = seen_in(cursor, known), _texts(cursor, known)
    facts = []
    for letter in letters:
        text = texts[letter.id] if letter.parsed is None else letter.parsed.text
        everywhere = tuple(sorted(letter.accounts | accounts[letter.id]))
        facts.append(_facts(letter, strand_of(letter), clean(text), everywhere))
    return facts


def _facts(letter: Letter, strand: Strand, text: str, accounts: tuple[int, ...]) -> MessageFacts:
    parsed = letter.parsed
    is_as_read = parsed is not None and parsed.text == text and parsed.subject == letter.subject
    named = [one for person in letter.people for one in (person.name, person.address) if one]
    return MessageFacts(
        id=letter.id,
        conversation=strand.conversation_id,
        strand=strand.id,
        kind=letter.kind,
        direction=letter.direction,
        subject=letter.subject,
        text=text,
        people=tuple(dict.fromkeys(named)),
        sent_at=letter.sent_at,
        accounts=accounts,
        automatic=letter.automatic,
        author=tuple(one for one in (letter.author.name, letter.author.address) if one),
        words=parsed.words if parsed is not None and is_as_read else None,
    )


def reports_in(cursor: CursorWrapper, strands: Collection[int], but: Collection[int]) -> list[DeliveryReport]:
    """What the bounces in these strands report, without those of the messages in `but`."""
    sql = (
        "SELECT id, enclosed FROM inbox_message WHERE strand_id IN ({in}) AND automatic = 'bounce'"
        " AND direction = 'inbound'"
    )
    rows = [read_json(value) or {} for number, value in select_in(cursor, sql, sorted(strands)) if number not in but]
    return [reported(one) for row in rows for one in row.get("reports", ())]


def seen_in(cursor: CursorWrapper, letters: Sequence[Letter]) -> dict[int, set[int]]:
    """Message id → the accounts of its stored deliveries."""
    sql = "SELECT message_id, account_id FROM inbox_delivery WHERE message_id IN ({in})"
    return _sets(cursor, sql, [letter.id for letter in letters])


def _texts(cursor: CursorWrapper, letters: Sequence[Letter]) -> dict[int, str]:
    sql = "SELECT id, text FROM inbox_message WHERE id IN ({in})"
    return dict(select_in(cursor, sql, [letter.id for letter in letters]))


def news_of(cursor: CursorWrapper, changed: Sequence[Matter], removed: Sequence[Matter]) -> list[ConversationChange]:
    """For the index and the browsers: whoever may read a conversation hears of it."""
    sql = "SELECT conversation_id, account_id FROM inbox_conversationaccount WHERE conversation_id IN ({in})"
    readers = _sets(cursor, sql, [one.id for one in changed if one.has_news and not one.is_new])
    news = [ConversationChange(one.id, tuple(sorted(one.accounts | readers[one.id])), one.has_news) for one in changed]
    return [*news, *(ConversationChange(one.id) for one in removed)]


def _sets(cursor: CursorWrapper, sql: str, ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for key, value in select_in(cursor, sql, ids):
        found[key].add(value)
    return found
