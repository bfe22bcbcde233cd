"""What a killed process was doing: mail comes in, files are imported, an agent answers, answers leave and are filed.

Each function is one act of a child of `warm`; its arguments and its result are JSON. An act may be killed anywhere and
is then simply run again, as a restarted Balas would.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections as database_connections

from connectors.mail import compose, parse
from connectors.messages import Address
from inbox import accounts, completeness, counters, drafts, importing, people, replies, sla, timeline
from inbox.models import (
    Account,
    Conversation,
    Delivery,
    Envelope,
    EnvelopeRecipient,
    Message,
    RawItem,
    SlaEvent,
    StrandLink,
    User,
)
from inbox.rules.states import Role
from inbox.sla import standing_of
from search.backend import get_backend
from tests.inbox.inbox_picture import take_picture
from tests.kills.letters import OURS, make_letters
from web.cli.ready import make_ready
from workers import jobs
from workers.bells import ring

_MOST_TURNS = 60


def warm_up() -> None:
    """Everything that is imported or compiled on first use, without a database and without a thread."""
    for letter in make_letters(1):
        parse.parse_mail(letter.content, fallback_date=letter.received_at)
    compose.new_message_id("tasbora.example")
    get_backend()


# --- Acts -----------------------------------------------------------------------------------------------------------


def prepare(imap_port: int, smtp_port: int, password: str, file_sent: bool) -> None:
    """A new home with one mailbox and one agent."""
    make_ready()
    now = datetime.now(UTC)
    user = OURS
    accounts.connect(
        kind="email",
        name="support",
        address=OURS,
        settings_={
            "imap": {"scheme": "imap", "host": "127.0.0.1", "port": imap_port, "user": user},
            "smtp": {"scheme": "smtp", "host": "127.0.0.1", "port": smtp_port, "user": user},
            "file_sent": file_sent,
        },
        secrets={"password": password},
        cut_at=now - timedelta(days=14),
        now=now,
        undo_seconds=0,
    )
    people.create_user("ana@tasbora.example", Role.OWNER, now, name="Ana")
    database_connections.close_all()


def work(batch: int = 500, files: str = "", answers: int = 2) -> dict[str, Any]:
    """Until nothing is left to do; then what an agent sees."""
    account = Account.objects.get()
    for _ in range(_MOST_TURNS):
        jobs.care()
        polled = jobs.poll(account.id)
        while jobs.digest(batch):
            pass
        while jobs.index():
            pass
        if polled.is_complete and not RawItem.objects.filter(due_at__isnull=False).exists():
            break
    if files:
        importing.import_paths([Path(files)], account, sent=False, now=datetime.now(UTC))
    _answer(answers)
    while jobs.deliver():
        pass
    jobs.care()
    # Our own copies in Sent come back as echoes.
    jobs.poll(account.id)
    while jobs.digest(batch):
        pass
    return look(account)


def hurry() -> None:
    """Polls follow each other within a second."""
    account = Account.objects.get()
    account.settings["poll_seconds"] = 1
    account.save()


def answer(count: int) -> int:
    """As many as have written so far, at most `count`; how many answers there are."""
    _answer(count)
    ring("deliver")
    return Envelope.objects.count()


def is_idle(stored: int) -> bool:
    """Everything of the inbox was stored and read, and each answer has an outcome."""
    waiting = RawItem.objects.filter(due_at__isnull=False).exists()
    moving = Envelope.objects.exclude(state__in=("sent", "unknown")).exists()
    return RawItem.objects.filter(place="INBOX").count() == stored and not waiting and not moving


def _answer(count: int) -> None:
    """The newest open conversations of known writers, each under a request id that a repeated post repeats."""
    user = User.objects.get()
    wanted = Message.objects.filter(direction="inbound", author_address__startswith="c").order_by("received_at", "id")
    people_ = list(dict.fromkeys(wanted.exclude(reference="").values_list("author_address", flat=True)))[:count]
    for person in people_:
        message = wanted.filter(author_address=person).exclude(reference="").first()
        assert message is not None
        conversation = StrandLink.objects.get(strand=message.strand_id, ended_at=None).conversation_id
        queued = replies.queue_reply(
            conversation_id=conversation,
            user=user,
            request_id=f"page-{person}",
            text=f"Dear {person}, it left us this morning.",
            to=[Address(person)],
            now=datetime.now(UTC),
            seen_message=drafts.newest_seen(conversation),
            confirmations=["recipient-unknown", "same-text", "stale"],
        )
        assert isinstance(queued, replies.Queued), queued


# --- What an agent sees ---------------------------------------------------------------------------------------------


def look(account: Account) -> dict[str, Any]:
    user = User.objects.get()
    shown = [
        str(entry["id"])
        for conversation in Conversation.objects.all()
        for entry in _entries(conversation.id, user)
        if entry.get("direction") in {"inbound", "outbound"}
    ]
    return {
        "shown": shown,
        "messages": [str(one) for one in Message.objects.values_list("id", flat=True)],
        "deliveries": sorted(map(list, Delivery.objects.values_list("raw_item__place", "raw_item__external_id"))),
        "inbound": Message.objects.filter(direction="inbound").count(),
        "outbound": Message.objects.filter(direction="outbound").count(),
        "waiting_items": RawItem.objects.exclude(state__in=["digested", "unreadable"]).count(),
        "envelopes": [_envelope(one) for one in Envelope.objects.order_by("request_id")],
        "counters": counters.kept() == counters.recount(),
        "wrong_clocks": [str(one.id) for one in Conversation.objects.all() if not _is_clock_right(one)],
        "double_events": _double_events(),
        "completeness": [asdict(place) for place in _places(account)],
        "drift": get_backend().drift().total,
        "indexed": get_backend().status(datetime.now(UTC)).pending,
        "account": [account_.state for account_ in Account.objects.all()],
        "picture": _picture(),
        "spool": sorted(path.name for path in (settings.BALAS_HOME / "spool").iterdir()),
        "unread_files": _missing_files(),
    }


def _entries(conversation_id: int, user: User) -> list[dict[str, Any]]:
    loaded = timeline.load(conversation_id, None, user)
    assert loaded is not None
    return list(loaded.entries)


def _envelope(envelope: Envelope) -> dict[str, Any]:
    return {
        "request": envelope.request_id,
        "key": envelope.idempotency_key,
        "state": envelope.state,
        "sentence": envelope.sentence,
        "filing": envelope.filing,
        "outcomes": list(EnvelopeRecipient.objects.filter(envelope=envelope).values_list("outcome", flat=True)),
    }


def _is_clock_right(conversation: Conversation) -> bool:
    again, stored = sla.recompute(conversation.id), standing_of(conversation)
    return (again.due_at, again.due_for, dict(again.state)) == (stored.due_at, stored.due_for, dict(stored.state))


def _double_events() -> list[str]:
    rows = list(
        SlaEvent.objects.exclude(message_id=None).values_list("conversation", "kind", "message", "target_event")
    )
    return [str(row) for row in set(rows) if rows.count(row) > 1]


def _places(account: Account) -> list[completeness.Completeness]:
    """Without the times, which differ from run to run."""
    times = {"counted_at": None, "proved_at": None, "missing_since": None}
    return [replace(place, **times, places=()) for place in completeness.completeness(account.id).places]


def _missing_files() -> list[str]:
    from inbox import bodies

    large = RawItem.objects.filter(rawbody__content=None).values_list("sha256", flat=True)
    return [sha256 for sha256 in large if not bodies.place_of(sha256).exists()]


def _picture() -> list[str]:
    """Two inboxes with equal pictures look the same. Where we answered, what hangs on the moment is left out."""
    answered = set(Envelope.objects.values_list("conversation_id", flat=True))
    subjects = {one.subject for one in Conversation.objects.filter(id__in=answered)}
    pictures = []
    for picture in take_picture():
        if picture["subject"] in subjects:
            kept = ("subject", "customer", "accounts", "kind", "status", "messages_count")
            messages = sorted(str((name, *facts)) for name, *facts in picture["messages"] if facts[0] == "inbound")
            picture = {**{name: picture[name] for name in kept}, "messages": messages}
        pictures.append(str(sorted(picture.items())))
    return sorted(pictures)
