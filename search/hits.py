"""From what an index answers to what a person may see. Rights are decided here, by rows, never by the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from inbox.models import ConversationAccount, Delivery, Envelope, Message, StrandLink
from inbox.rules.states import SendState
from search.backend import LIMIT, Hit, Hits
from search.passages import READ, Needles, make_passage
from search.query import Node, Query, parse_query

_ROUNDS = 20  # times an index is asked for one page when rows are missing or may not be seen

Ask = Callable[[int | None, int], Sequence[int]]
"""(before, count) → up to `count` places (Message.search_rowid) below `before`, highest first."""


def collect(query: Query | str, accounts: set[int] | None, limit: int, cursor: str | None, ask: Ask) -> Hits:
    """One page of hits: asks the index until the page is full, there is no more, or it was asked often enough."""
    asked = parse_query(query) if isinstance(query, str) else query
    root = asked.root
    if root is None or accounts == set():
        return Hits()
    notice = _("That is a long search: only its first words were used.") if asked.is_cut else ""
    limit = min(max(limit, 1), LIMIT)
    before = read_cursor(cursor)
    found: list[tuple[int, dict[str, Any]]] = []
    for _round in range(_ROUNDS):
        places = ask(before, limit + 1)
        visible = readable(places, accounts)
        found += [(place, visible[place]) for place in places if place in visible]
        if len(found) > limit:
            return Hits(_hits(found[:limit], root), str(found[limit - 1][0]), notice)
        if len(places) <= limit:
            return Hits(_hits(found, root), None, notice)
        before = places[-1]
    return Hits(_hits(found, root), str(before), notice)


def read_cursor(cursor: str | None) -> int | None:
    if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    return None


def readable(places: Sequence[int], accounts: set[int] | None) -> dict[int, dict[str, Any]]:
    """Place → row, with its conversation, of the messages that readers of `accounts` (None: all) may read."""
    columns = ("id", "search_rowid", "strand_id", "subject", "author_name", "author_address", "direction")
    taken_back = Envelope.objects.filter(message=OuterRef("pk"), state=SendState.CANCELLED)
    rows = Message.objects.filter(~Exists(taken_back), search_rowid__in=places)
    links = StrandLink.objects.filter(ended_at__isnull=True)
    if accounts is not None:
        delivered = Delivery.objects.filter(message=OuterRef("pk"), account__in=accounts)
        rows = rows.filter(Q(direction="note") | Q(account=None) | Q(account__in=accounts) | Exists(delivered))
        own = ConversationAccount.objects.filter(conversation=OuterRef("conversation"), account__in=accounts)
        links = links.filter(Exists(own))
    found = list(rows.annotate(start=Substr("text", 1, READ)).values(*columns, "written_at", "dated_at", "start"))
    strands = {row["strand_id"] for row in found}
    where = {
        strand: (conversation, customer)
        for strand, conversation, customer in links.filter(strand__in=strands).values_list(
            "strand_id", "conversation_id", "conversation__customer_id"
        )
    }
    return {row["search_rowid"]: row | {"where": where[row["strand_id"]]} for row in found if row["strand_id"] in where}


def _hits(found: Sequence[tuple[int, dict[str, Any]]], root: Node) -> list[Hit]:
    needles = Needles(root)
    return [
        Hit(
            message=row["id"],
            conversation=row["where"][0],
            customer=row["where"][1],
            subject=row["subject"],
            author=row["author_name"] or row["author_address"],
            direction=row["direction"],
            passage=make_passage(row["start"], needles),
            sent_at=row["dated_at"] or row["written_at"],
        )
        for _place, row in found
    ]
