"""Everything one conversation page shows, in five statements however long the conversation is.

What hangs on a row (tags, identities, deliveries, attachments) comes as JSON built by the database beside it.
Rights follow deliveries: of a message that came only through accounts the reader may not read, a placeholder stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Cast, Substr

from inbox.jsonrows import as_json, read_rows
from inbox.models import (
    Attachment,
    AuditRecord,
    ConversationTag,
    Delivery,
    Draft,
    DraftAttachment,
    DuplicateLink,
    Envelope,
    EnvelopeRecipient,
    IdentityLink,
    Message,
    PictureConsent,
    PostEdition,
    PostReach,
    User,
)
from inbox.rules.passages import pieces
from inbox.rules.states import SendState, message_state
from inbox.sql import read_json
from inbox.surroundings import around, fill_quotes
from inbox.worklist import ROW_COLUMNS, Scope, micros, read_cursor, readable, row_names

MAX_ACTS = 100
MAX_OTHERS = 20


@dataclass(frozen=True, slots=True)
class Timeline:
    """`entries` are oldest first; each has `entry`: "message" | "context" | "hidden" | "act", and `at`.

    message: id, direction, kind, author_id, author_name, author_address, author_user_id, author_user_name, recipients,
    shows_pictures (of this author they are loaded unasked), subject, enclosed,
    of a post: boosts, likes, carried_to (followers of who boosted it), editions [{text, seen_at}] (what it said before,
    oldest first), post__edited_at, post__deleted_at, post__hidden_why,
    text, passages [(kind, text)], has_html, flags, automatic, verified, language, language_confidence, received_at,
    reference, deliveries [{account_id, account_name, received_at}],
    attachments [{id, name, content_type, size, is_inline}],
    copy_of (message id or None), state ("" for what is not ours),
    sends [{id, state, sentence, due_at, attempts, finished_at, recipients [{address, name, role, outcome, code,
    sentence}]}].
    hidden: count. act: act, actor, actor_name, data. context: see inbox/surroundings.py.
    """

    conversation: dict[str, Any]  # a row of worklist.page, customer_language, customer_note, newest_message
    entries: list[dict[str, Any]]
    earlier: str  # cursor for `earlier=`, "" when the beginning is shown
    newest_message: int  # what a writer who looks now has seen
    identities: list[dict[str, Any]]  # id, kind, address, display, verified, reach, evidence, actor, linked_at
    others: list[dict[str, Any]]  # id, subject, status, kind, visibility, last_activity_at, messages_count
    draft: dict[str, Any] | None  # id, body, fields, seen_message, updated_at, attachments [{id, name, size}], is_stale


def load(conversation_id: int, scope: Scope, user: User, *, earlier: str = "", limit: int = 100) -> Timeline | None:
    """None when it does not exist or lies outside the scope. Raises ValueError for a cursor we never gave out."""
    conversation = _conversation(conversation_id, scope, user)
    if conversation is None:
        return None
    messages, has_earlier = _messages(conversation_id, earlier, limit)
    cursor = f"{micros(messages[0]['written_at'])}.{messages[0]['id']}" if has_earlier else ""
    fill_quotes(messages, scope)
    sends = _sends([message["id"] for message in messages if message["direction"] == "outbound"])
    entries = _entries(messages, scope, sends)
    since = messages[0]["written_at"] if has_earlier else None
    acts = _acts(conversation_id, since, read_cursor(earlier)[0])
    return Timeline(
        conversation=conversation,
        entries=sorted([*entries, *acts, *around(messages, scope)], key=lambda entry: entry["at"]),
        earlier=cursor,
        newest_message=conversation["newest_message"],
        identities=conversation.pop("identities"),
        others=_others(conversation, scope),
        draft=conversation.pop("draft"),
    )


# --- The five statements --------------------------------------------------------------------------------------------


def _conversation(conversation_id: int, scope: Scope, user: User) -> dict[str, Any] | None:
    row: dict[str, Any] | None = (
        readable(scope)
        .filter(id=conversation_id)
        .values(
            *ROW_COLUMNS,
            **row_names(),
            customer_language=F("customer__language"),
            customer_note=F("customer__note"),
            tag_rows=as_json(
                ConversationTag.objects.filter(conversation_id=OuterRef("id")), "conversation_id", name="tag__name"
            ),
            identity_rows=as_json(
                IdentityLink.objects.filter(customer_id=OuterRef("customer_id"), ended_at=None),
                "customer_id",
                id="identity_id",
                kind="identity__kind",
                address="identity__address",
                display="identity__display",
                verified="identity__verified",
                reach="identity__reach",
                evidence="evidence",
                actor="actor",
                linked_at="linked_at",
            ),
            draft_rows=_draft(user),
            newest_message=Subquery(_said(OuterRef("id")).values("id")[:1]),
            newest_of_others=Subquery(_said(OuterRef("id")).exclude(author_user=user).values("id")[:1]),
        )
        .first()
    )
    if row is None:
        return None
    row["tags"] = sorted(tag["name"] for tag in read_rows(row.pop("tag_rows")))
    row["identities"] = read_rows(row.pop("identity_rows"), "linked_at")
    row["newest_message"], newest_of_others = row["newest_message"] or 0, row.pop("newest_of_others") or 0
    drafts = read_rows(row.pop("draft_rows"), "updated_at")
    row["draft"] = drafts[0] if drafts else None
    for draft in drafts:
        draft["fields"], draft["attachments"] = read_json(draft["fields"]), read_rows(draft["attachments"])
        draft["is_stale"] = newest_of_others > draft["seen_message"]
    for identity in row["identities"]:
        identity["evidence"] = read_json(identity["evidence"])
        identity["verified"] = None if identity["verified"] is None else bool(identity["verified"])
    return row


def _draft(user: User) -> Subquery:
    files = DraftAttachment.objects.filter(draft_id=OuterRef("id"))
    attachments = as_json(files, "draft_id", id="id", name="name", size="file__size", content_type="content_type")
    own = Draft.objects.filter(conversation_id=OuterRef("id"), user=user, is_note=False)
    return as_json(
        own.annotate(files=attachments),
        "conversation_id",
        id="id",
        body="body",
        fields="fields",
        seen_message="seen_message",
        updated_at="updated_at",
        attachments="files",
    )


def _of_conversation(conversation_id: Any) -> QuerySet[Message]:
    return Message.objects.filter(strand__links__conversation_id=conversation_id, strand__links__ended_at=None)


def _said(conversation_id: Any) -> QuerySet[Message]:
    """No notes, and no answers that were taken back; the newest first."""
    taken_back = Envelope.objects.filter(message_id=OuterRef("id"), state=SendState.CANCELLED)
    return _of_conversation(conversation_id).exclude(direction="note").exclude(Exists(taken_back)).order_by("-id")


def _messages(conversation_id: int, earlier: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The newest before a cursor, oldest first, and whether there are still earlier ones."""
    base = _of_conversation(conversation_id)
    at, last = read_cursor(earlier)
    if at is not None:
        base = base.filter(Q(written_at__lt=at) | Q(id__lt=last), written_at__lte=at)
    # Chosen by id first, so that texts and attachments are read for the chosen ones alone.
    chosen = base.order_by("-written_at", "-id").values("id")[: limit + 1]
    columns = (
        "id", "kind", "direction", "account_id", "author_id", "author_name", "author_address", "author_user_id",
        "recipients",
        "subject", "text", "passages", "has_html", "language", "language_confidence", "written_at", "received_at",
        "reference", "automatic", "flags", "verified", "enclosed", "authentication",
        "strand_id", "in_reply_to", "references", "post__visibility", "post__edited_at", "post__deleted_at",
        "post__hidden_why",
    )  # fmt: skip
    carried = PostReach.objects.filter(kind=OuterRef("kind"), reference=OuterRef("reference")).order_by()
    rows = Message.objects.filter(id__in=chosen).values(
        *columns,
        author_user_name=F("author_user__name"),
        shows_pictures=Exists(PictureConsent.objects.filter(identity_id=OuterRef("author_id"))),
        boosts=Subquery(carried.filter(action="repost").values("kind").annotate(n=Count("id")).values("n")),
        likes=Subquery(carried.filter(action="like").values("kind").annotate(n=Count("id")).values("n")),
        carried_to=Subquery(carried.filter(action="repost").values("kind").annotate(n=Sum("followers")).values("n")),
        edition_rows=as_json(
            PostEdition.objects.filter(message_id=OuterRef("id")), "message_id", text="text", seen_at="seen_at"
        ),
        delivery_rows=as_json(
            Delivery.objects.filter(message_id=OuterRef("id")),
            "message_id",
            account_id="account_id",
            account_name="account__name",
            received_at="received_at",
        ),
        attachment_rows=as_json(
            Attachment.objects.filter(message_id=OuterRef("id")),
            "message_id",
            id="id",
            name="name",
            content_type="content_type",
            size="size",
            is_inline="is_inline",
            content_id="content_id",
        ),
        copy_of=Subquery(
            DuplicateLink.objects.filter(message_id=OuterRef("id"), ended_at=None).values("original_id")[:1]
        ),
    )
    found = list(rows.order_by("-written_at", "-id"))
    return found[:limit][::-1], len(found) > limit


def _sends(message_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Message id → its envelopes with their recipients."""
    if not message_ids:
        return {}
    rows = EnvelopeRecipient.objects.filter(envelope__message_id__in=message_ids).order_by("envelope_id", "id")
    found: dict[int, dict[int, dict[str, Any]]] = {}
    columns = ("address", "name", "role", "outcome", "code", "sentence")
    for row in rows.select_related("envelope"):
        of_message = found.setdefault(row.envelope.message_id, {})
        send = of_message.setdefault(
            row.envelope_id,
            {
                **{name: getattr(row.envelope, name) for name in ("id", "state", "sentence", "due_at", "attempts")},
                "finished_at": row.envelope.finished_at,
                "recipients": [],
            },
        )
        send["recipients"].append({name: getattr(row, name) for name in columns})
    return {message_id: list(sends.values()) for message_id, sends in found.items()}


def _acts(conversation_id: int, since: datetime | None, before: datetime | None) -> list[dict[str, Any]]:
    """What was done, within the stretch of time whose messages are shown."""
    acts = AuditRecord.objects.filter(subject=f"conversation:{conversation_id}")
    if since is not None:
        acts = acts.filter(at__gte=since)
    if before is not None:
        acts = acts.filter(at__lt=before)
    # CASE keeps the cast away from actors that are no users.
    user_id = Case(
        When(actor__startswith="user:", then=Cast(Substr("actor", 6), BigIntegerField())),
        default=None,
        output_field=BigIntegerField(),
    )
    names = User.objects.filter(id=OuterRef("user_id")).values("name")[:1]
    rows = acts.annotate(user_id=user_id).annotate(actor_name=Subquery(names)).order_by("-at", "-id")
    return [{"entry": "act", **row} for row in rows.values("id", "at", "act", "actor", "actor_name", "data")[:MAX_ACTS]]


def _others(conversation: dict[str, Any], scope: Scope) -> list[dict[str, Any]]:
    rows = readable(scope).filter(customer_id=conversation["customer_id"]).exclude(id=conversation["id"])
    columns = ("id", "subject", "status", "kind", "visibility", "last_activity_at", "messages_count", "preview")
    return list(rows.order_by("-last_activity_at").values(*columns)[:MAX_OTHERS])


# --- Entries --------------------------------------------------------------------------------------------------------


def _entries(
    messages: list[dict[str, Any]], scope: Scope, sends: dict[int, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for message in messages:
        message["deliveries"] = read_rows(message.pop("delivery_rows"), "received_at")
        if not _is_visible(message, scope):
            if entries and entries[-1]["entry"] == "hidden":
                entries[-1]["count"] += 1
            else:
                entries.append({"entry": "hidden", "at": message["written_at"], "count": 1})
            continue
        message["attachments"] = read_rows(message.pop("attachment_rows"))
        message["editions"] = read_rows(message.pop("edition_rows"), "seen_at")
        for attachment in message["attachments"]:
            attachment["is_inline"] = bool(attachment["is_inline"])
        of_message = sends.get(message["id"], [])
        state = str(message_state(send["state"] for send in of_message)) if of_message else ""
        if state == SendState.CANCELLED:
            continue  # it never left, and its text is a draft again
        passages = pieces(message["text"], message["passages"])
        entries.append(
            {**message, "entry": "message", "at": message["written_at"], "passages": passages, "sends": of_message}
            | {"state": state}
        )
    return entries


def _is_visible(message: dict[str, Any], scope: Scope) -> bool:
    if scope is None or message["direction"] == "note" or message["account_id"] in scope:
        return True
    return any(delivery["account_id"] in scope for delivery in message["deliveries"])
