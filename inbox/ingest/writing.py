"""Rows of messages and conversations, written in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from connectors.messages import Direction, ParsedMessage
from inbox.enclosed import enclosed, stored_recipient
from inbox.ids import new_ids
from inbox.ingest.book import Book
from inbox.ingest.letters import Letter, references_of, short_reference
from inbox.ingest.matters import Matter
from inbox.ledger import LedgerRow
from inbox.sql import dump_json, execute_in, insert, moment
from inbox.text import clean

_MESSAGE = (
    "id kind direction strand_id account_id author_id author_user_id author_name author_address recipients"
    " subject text passages has_html language language_confidence written_at dated_at received_at reference in_reply_to"
    " references stable_sha256 raw_sha256 raw_item_id automatic flags verified enclosed authentication reach"
    " search_rowid created_at"
)
_ATTACHMENT = "id message_id part name content_type size sha256 is_inline content_id"
_EVENT = (
    "id conversation_id kind occurred_at recorded_at actor message_id target_event_id policy_version_id"
    " calendar_version_id due_at due_for data"
)


def write_messages(
    cursor: CursorWrapper, letters: Sequence[Letter], strands: dict[int, int], book: Book, now: datetime
) -> None:
    """New messages with their attachments. `strands`: message id → strand id."""
    at = moment(now)
    insert(cursor, "inbox_message", _MESSAGE, [_message_row(one, strands[one.id], book, at) for one in letters])
    rows = []
    for letter in letters:
        assert letter.parsed is not None
        for found in letter.parsed.attachments:
            name, content_type = clean(found.name)[:255], clean(found.content_type)[:127]
            content_id = clean(found.content_id)[:255]
            rows.append(
                (letter.id, found.part[:80], name, content_type, found.size, found.sha256, found.is_inline, content_id)
            )
    ids = new_ids(len(rows))
    insert(cursor, "inbox_attachment", _ATTACHMENT, [(row_id, *row) for row_id, row in zip(ids, rows, strict=True)])


def _message_row(letter: Letter, strand_id: int, book: Book, at: Any) -> tuple[Any, ...]:
    parsed, arrival, author = letter.parsed, letter.sightings[0], letter.author
    assert isinstance(parsed, ParsedMessage)
    identity = book.identity(letter.kind, author).id if author.key else None
    people = [
        {"role": one.role, "name": one.name, "address": one.address}
        | ({"external_id": one.external_id} if one.external_id else {})
        for one in letter.people[1:]
    ]
    people += [stored_recipient(one.role, one.address) for one in parsed.recipients if one.role == "reply-to"]
    references = [short_reference(one) for one in references_of(parsed)[-100:]]
    return (
        *(letter.id, letter.kind, letter.direction, strand_id, letter.account_id, identity, None),
        *(author.name, author.address, dump_json(people), letter.subject, clean(parsed.text)),
        *(dump_json(letter.passages), parsed.has_html, letter.language, parsed.language_confidence),
        *(moment(letter.written_at), moment(letter.dated_at), moment(letter.received_at), letter.reference),
        *(
            short_reference(parsed.in_reply_to),
            dump_json(references),
            letter.stable,
            parsed.raw_sha256 or arrival.sha256,
        ),
        *(arrival.raw_id, letter.automatic, dump_json(letter.flags), letter.verified),
        *(_enclosed(parsed), _checked(parsed), letter.reach, None, at),
    )


def _enclosed(parsed: ParsedMessage) -> Any:
    found = enclosed(parsed)
    return dump_json(found) if found else None


def _checked(parsed: ParsedMessage) -> Any:
    check = parsed.sender_check
    if check is None:
        return None
    results = [[method, result, clean(subject)] for method, result, subject in check.results]
    return dump_json({"server": clean(check.server), "is_trusted": check.is_trusted, "results": results})


def write_deliveries(cursor: CursorWrapper, letters: Iterable[Letter]) -> None:
    rows = [
        (letter.id, arrival.account_id, arrival.raw_id, moment(arrival.received_at))
        for letter in letters
        for arrival in letter.sightings
    ]
    ids = new_ids(len(rows))
    columns = "id message_id account_id raw_item_id received_at"
    insert(cursor, "inbox_delivery", columns, [(row_id, *row) for row_id, row in zip(ids, rows, strict=True)])


def note_verified(cursor: CursorWrapper, letters: Iterable[Letter], book: Book) -> None:
    """Addresses for which a trusted server vouched at least once: the customer's page says so."""
    named = [one for one in letters if one.verified and one.direction == Direction.INBOUND and one.author.key]
    ids = {book.identity(one.kind, one.author).id for one in named}
    sql = "UPDATE inbox_identity SET verified = %s WHERE id IN ({in}) AND verified IS NOT TRUE"
    execute_in(cursor, sql, sorted(ids), [True])


def move_messages(cursor: CursorWrapper, letters: Iterable[Letter], strands: dict[int, int]) -> None:
    """Known messages whose strand, direction or flags are no longer what their row says."""
    rows = [(strands[one.id], one.direction, dump_json(one.flags), one.id) for one in letters]
    if rows:
        cursor.executemany("UPDATE inbox_message SET strand_id = %s, direction = %s, flags = %s WHERE id = %s", rows)


_CONVERSATION = (
    "id customer_id subject status status_reason owner_id team_id account_id kind snoozed_until due_at due_for"
    " sla policy_version_id calendar_version_id language preview last_direction messages_count opened_at"
    " last_inbound_at last_outbound_at last_activity_at resolved_at reopened_count follows_id is_unseen version"
    " visibility reach"
)
_NEUTRAL = "priority is_vip promise_due_at"


def write_matters(cursor: CursorWrapper, matters: Iterable[Matter]) -> None:
    """Every row of these, its version one higher."""
    new: list[tuple[Any, ...]] = []
    old: list[tuple[Any, ...]] = []
    for matter in matters:
        matter.version += 1
        (new if matter.is_new else old).append(_matter_row(matter))
    insert(cursor, "inbox_conversation", f"{_CONVERSATION} {_NEUTRAL}", [(*row, 0, False, None) for row in new])
    if old:
        names = ", ".join(f'"{name}" = %s' for name in _CONVERSATION.split()[1:])
        sql = f"UPDATE inbox_conversation SET {names} WHERE id = %s"  # noqa: S608
        cursor.executemany(sql, [(*row[1:], row[0]) for row in old])


def _matter_row(one: Matter) -> tuple[Any, ...]:
    return (
        *(one.id, one.customer_id, one.subject, one.status, one.status_reason, one.owner_id, one.team_id),
        *(one.account_id, one.kind, moment(one.snoozed_until), moment(one.due_at), one.due_for, dump_json(one.sla)),
        *(one.policy_version_id, one.calendar_version_id, one.language, one.preview, one.last_direction),
        *(one.messages_count, moment(one.opened_at), moment(one.last_inbound_at), moment(one.last_outbound_at)),
        *(moment(one.last_activity_at), moment(one.resolved_at), one.reopened_count, one.follows_id),
        *(one.is_unseen, one.version, one.visibility, one.reach),
    )


def write_access(cursor: CursorWrapper, matters: Iterable[Matter]) -> None:
    """Which accounts' deliveries lie in which conversation."""
    rows = [(matter.id, account) for matter in matters for account in sorted(matter.accounts)]
    columns = "conversation_id account_id"
    insert(cursor, "inbox_conversationaccount", columns, rows, "ON CONFLICT DO NOTHING")


def write_events(cursor: CursorWrapper, events: Sequence[LedgerRow]) -> None:
    rows = [
        (
            *(one.id, one.conversation_id, str(one.kind), moment(one.occurred_at), moment(one.recorded_at), one.actor),
            *(one.message_id, one.target_event_id, one.policy_version_id, one.calendar_version_id),
            *(moment(one.due_at), one.due_for, dump_json(one.data)),
        )
        for one in events
    ]
    insert(cursor, "inbox_slaevent", _EVENT, rows)


def clear_conversations(cursor: CursorWrapper, ids: Sequence[int]) -> None:
    """What only the digest had written about conversations that no person has touched."""
    for table in ("inbox_slaevent", "inbox_conversationaccount"):
        execute_in(cursor, f"DELETE FROM {table} WHERE conversation_id IN ({{in}})", ids)  # noqa: S608


def forget_conversations(cursor: CursorWrapper, ids: Sequence[int]) -> None:
    """Conversations that a late link dissolved."""
    clear_conversations(cursor, ids)
    execute_in(cursor, "DELETE FROM inbox_conversation WHERE id IN ({in})", ids)
