"""Everything that is in the inbox, as plain objects in the form of docs/cli.md, streamed in bounded memory.

Rows come in chunks by primary key; what belongs to a chunk is looked up once per chunk. Ids are strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from inbox.exports.conversations import conversation_rows
from inbox.exports.customers import customer_rows
from inbox.exports.events import event_rows
from inbox.exports.messages import message_rows
from inbox.exports.rows import Row
from inbox.models import Account, Conversation, Customer, Message, SlaEvent

CHUNK = 500


def stream(subject: str, found: Mapping[str, set[int]] | None) -> Iterator[Row]:
    """`subject`: messages | conversations | customers | sla-events. `found` limits it to these ids."""
    names = dict(Account.objects.values_list("id", "name"))
    makers: dict[str, tuple[QuerySet[Any], Callable[[Sequence[Any], Mapping[int, str]], Iterator[Row]]]] = {
        "messages": (_limited(Message.objects, "id", found, "messages"), message_rows),
        "conversations": (_limited(Conversation.objects, "id", found, "conversations"), conversation_rows),
        "customers": (_limited(Customer.objects, "conversations__id", found, "conversations"), customer_rows),
        "sla-events": (_limited(SlaEvent.objects, "conversation_id", found, "conversations"), event_rows),
    }
    rows, make = makers[subject]
    for chunk in _chunks(rows):
        yield from make(chunk, names)


def _limited(rows: Any, column: str, found: Mapping[str, set[int]] | None, which: str) -> QuerySet[Any]:
    if found is None:
        limited: QuerySet[Any] = rows.all()
    else:
        limited = rows.filter(**{f"{column}__in": sorted(found[which])}).distinct()
    return limited


def _chunks(rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    after = 0
    while chunk := list(rows.filter(id__gt=after).order_by("id")[:CHUNK]):
        yield chunk
        after = chunk[-1].id
