"""What a conversation's posts answer and quote, and what lies in other conversations: our post, a customer's before.

Shown around them, so that a reply is read with what it replies to. Only what everybody can read anyway, or what is
ours; what the reader may not read at all is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from connectors.social import Visibility
from inbox.models import Delivery, Message, Strand
from inbox.worklist import Scope

MAX_SHOWN = 12
_WIDE = (Visibility.PUBLIC, Visibility.UNLISTED)


def around(messages: Sequence[dict[str, Any]], scope: Scope) -> list[dict[str, Any]]:
    """Entries of a timeline: entry "context", at, id, kind, author_name, author_address, text, is_ours, is_deleted,
    url. `messages` as the timeline reads them."""
    posts = [one for one in messages if one["post__visibility"]]
    if not posts:
        return []
    names = {name for one in posts for name in (one["in_reply_to"], *one["references"][-20:]) if name}
    names -= {one["reference"] for one in posts}
    strands = {one["strand_id"] for one in posts}
    threads = Strand.objects.filter(id__in=strands).values("thread_id")
    named = Q(kind__in={one["kind"] for one in posts}, reference__in=sorted(names)[:500])
    # A thread under a post of ours begins with it, however deep the answer lies.
    beginning = Q(strand__thread_id__in=threads, direction="outbound", recipients=[])
    rows = _readable(Message.objects.filter(named | beginning).exclude(strand_id__in=strands), scope)
    columns = ("id", "kind", "author_name", "author_address", "direction", "text", "written_at", "enclosed")
    chosen = rows.order_by("-written_at").values(*columns, "post__deleted_at")[:MAX_SHOWN]
    return [_entry(row) for row in chosen]


def fill_quotes(messages: Sequence[dict[str, Any]], scope: Scope) -> None:
    """Gives quoted posts their words from here where they came without: platforms that charge are not asked for what
    we have already, above all our own posts. Changes `enclosed` of `messages` in place."""
    wanting: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in messages:
        quoted = ((one["enclosed"] or {}).get("post") or {}).get("quoted") or {}
        if quoted.get("reference") and not quoted.get("text"):
            wanting.setdefault((one["kind"], quoted["reference"]), []).append(quoted)
    if not wanting:
        return
    named = Q(kind__in={kind for kind, _ in wanting}, reference__in=sorted({name for _, name in wanting})[:500])
    rows = _readable(Message.objects.filter(named, post__deleted_at=None), scope)
    for kind, reference, text, author in rows.values_list("kind", "reference", "text", "author_address"):
        for quoted in wanting.get((kind, reference), ()):
            quoted["text"], quoted["handle"] = text, quoted.get("handle") or author


def _readable(rows: QuerySet[Message], scope: Scope) -> QuerySet[Message]:
    """What everybody can read anyway, or what is ours, on accounts that the reader may read."""
    rows = rows.filter(Q(direction="outbound") | Q(post__visibility__in=_WIDE))
    if scope is None:
        return rows
    seen = Delivery.objects.filter(message_id=OuterRef("id"), account_id__in=sorted(scope))
    return rows.filter(Q(account_id__in=sorted(scope)) | Exists(seen))


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    post = (row["enclosed"] or {}).get("post") or {}
    shown = {name: row[name] for name in ("id", "kind", "author_name", "author_address", "text")}
    return {
        **shown,
        "entry": "context",
        "at": row["written_at"],
        "is_ours": row["direction"] == "outbound",
        "is_deleted": row["post__deleted_at"] is not None,
        "url": str(post.get("url", "")),
    }
