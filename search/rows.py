"""From rows to documents: the place of each message in the index, and what the index holds of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from inbox.changes import MessageFacts
from inbox.models import Conversation, ConversationAccount, ConversationTag, Delivery, Message, StrandLink
from inbox.sql import select_in
from search.document import ConversationDocument, MessageDocument, first_rowid, make_document, next_rowid

NOTE = "note"


def place(cursor: CursorWrapper, messages: Sequence[tuple[int, datetime]]) -> tuple[dict[int, int], set[int]]:
    """Gives each message (id, sent_at) that has none a place of its own: the first free number of its second.

    Returns the place of every message that has a row, and the ids of those that got theirs now. On PostgreSQL two
    writers may still want one number: the unique key refuses the second, whose transaction is tried again.
    """
    sql = "SELECT id, search_rowid FROM inbox_message WHERE id IN ({in})"
    places = dict(select_in(cursor, sql, [message for message, _ in messages]))
    wishes = {id: first_rowid(id, at) for id, at in messages if id in places and places[id] is None}
    taken = _taken(cursor, list(wishes.values()))
    for message, wish in wishes.items():
        while wish in taken:
            wish = next_rowid(wish)
            if wish not in taken:
                taken |= _taken(cursor, [wish])
        taken.add(wish)
        places[message] = wish
    cursor.executemany(
        "UPDATE inbox_message SET search_rowid = %s WHERE id = %s", [(places[message], message) for message in wishes]
    )
    return places, set(wishes)


def document_of(facts: MessageFacts, rowid: int, version: int = 1) -> MessageDocument:
    return make_document(
        id=facts.id,
        rowid=rowid,
        strand=facts.strand,
        sent_at=facts.sent_at,
        accounts=() if facts.direction == NOTE else facts.accounts,
        subject=facts.subject,
        text=facts.text,
        author=facts.author,
        people=facts.people,
        version=version,
        words=facts.words,
    )


def load_facts(ids: Sequence[int]) -> list[MessageFacts]:
    """The facts of the messages that have rows, as they stand now, in no particular order."""
    columns = ("id", "strand_id", "kind", "direction", "account_id", "subject", "text", "author_name")
    more = ("author_address", "recipients", "automatic", "author_user__name", "author_user__email")
    times = ("written_at", "dated_at")
    accounts: defaultdict[int, set[int]] = defaultdict(set)
    for message, account in Delivery.objects.filter(message__in=ids).values_list("message_id", "account_id"):
        accounts[message].add(account)
    found = []
    for row in Message.objects.filter(id__in=ids).values(*columns, *more, *times):
        if row["account_id"]:
            accounts[row["id"]].add(row["account_id"])
        author = (row["author_name"] or row["author_user__name"] or "", row["author_address"])
        others = [person.get(key) or "" for person in row["recipients"] for key in ("name", "address")]
        found.append(
            MessageFacts(
                id=row["id"],
                conversation=0,
                strand=row["strand_id"],
                kind=row["kind"],
                direction=row["direction"],
                subject=row["subject"],
                text=row["text"],
                people=tuple(part for part in (*author, *others) if part),
                sent_at=row["dated_at"] or row["written_at"],
                accounts=tuple(sorted(accounts[row["id"]])),
                automatic=row["automatic"],
                author=tuple(part for part in author if part),
            )
        )
    return found


def load_documents(ids: Sequence[int]) -> list[MessageDocument]:
    """Documents of the messages that have rows. Gives a place to those without one: call it in a transaction."""
    facts = load_facts(ids)
    with connection.cursor() as cursor:
        places, _ = place(cursor, [(each.id, each.sent_at) for each in facts])
    return [document_of(each, places[each.id]) for each in facts if each.id in places]


def load_conversations(ids: Sequence[int]) -> list[ConversationDocument]:
    """The version is read first: what is read after it may be newer, never older, and is then indexed once more."""
    rows = list(Conversation.objects.filter(id__in=ids).values())
    links = StrandLink.objects.filter(conversation__in=ids, ended_at__isnull=True)
    strands = _grouped(links.values_list("conversation_id", "strand_id"))
    accounts = _grouped(
        ConversationAccount.objects.filter(conversation__in=ids).values_list("conversation_id", "account_id")
    )
    tags = _grouped(ConversationTag.objects.filter(conversation__in=ids).values_list("conversation_id", "tag_id"))
    return [
        ConversationDocument(
            id=row["id"],
            version=row["version"],
            strands=strands[row["id"]],
            accounts=accounts[row["id"]],
            tags=tags[row["id"]],
            status=row["status"],
            owner=row["owner_id"],
            team=row["team_id"],
            customer=row["customer_id"],
            due_at=row["due_at"],
            last_activity_at=row["last_activity_at"],
        )
        for row in rows
    ]


def ids_after(last: int, count: int) -> list[int]:
    """The next `count` message ids by primary key."""
    return list(Message.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:count])


def every_id(at_once: int = 500) -> Iterator[list[int]]:
    last = -1
    while ids := ids_after(last, at_once):
        yield ids
        last = ids[-1]


def _taken(cursor: CursorWrapper, wishes: list[int]) -> set[int]:
    sql = "SELECT search_rowid FROM inbox_message WHERE search_rowid IN ({in})"
    return {rowid for (rowid,) in select_in(cursor, sql, wishes)}


def _grouped(pairs: Iterable[tuple[int, int]]) -> defaultdict[int, tuple[int, ...]]:
    groups: defaultdict[int, tuple[int, ...]] = defaultdict(tuple)
    for key, value in pairs:
        groups[key] = (*groups[key], value)
    return groups
