"""Rows of the domain as the queue draws them: who, how long, what, why here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from connectors.registry import card_of
from inbox import worklist
from inbox.models import User
from inbox.rules.states import Reason, Status
from web.deadlines import TimeLeft, time_left
from web.formatting import Clock, compact
from web.visibility import PUBLIC, find_visibility, visibility_word

REACH_TOLD = 1000
"""From so many readers on, a row says how many there are."""

# Which statuses stand under which tab. A row that no longer fits stays where it is, dimmed, until the list is loaded.
STATUSES_OF = {
    "open": {Status.OPEN},
    "mine": {Status.OPEN},
    "waiting": {Status.WAITING},
    "snoozed": {Status.SNOOZED},
    "resolved": {Status.RESOLVED},
    "automatic": {Status.RESOLVED},
    "spam": {Status.SPAM},
    "all": set(Status),
}


def belongs(row: dict[str, Any], tab: str) -> bool:
    """Whether a row stands under a tab. What resolved itself because no person wrote it has one of its own."""
    if tab in ("resolved", "automatic") and (row["status_reason"] == Reason.AUTOMATIC) is not (tab == "automatic"):
        return False
    return row["status"] in STATUSES_OF.get(tab, set(Status))


@dataclass(frozen=True, slots=True)
class Channel:
    """How a kind is drawn: an icon or a letter, its word, and whether everyone can read what is said there."""

    word: str
    icon: str = ""
    letter: str = ""
    is_public: bool = False


def channel_of(kind: str, visibility: str = "") -> Channel:
    """`visibility` "": nothing is said of it; a social channel is then drawn as one that everyone can read."""
    card = card_of(kind)
    is_public = find_visibility(visibility) in PUBLIC if visibility else card.is_social
    return Channel(_(card.name), card.icon, card.letter, is_public=is_public)


def channel_words(row: dict[str, Any]) -> str:
    """The channel in words: of a social one who can read it, of the others through which account it came."""
    card, account = card_of(row["kind"]), (row["account_name"] or "").strip()
    visibility = find_visibility(row.get("visibility"))
    if card.is_social and visibility is not None:
        return f"{_(card.name)}, {visibility_word(visibility)}"
    return f"{_(card.name)}, {account}" if account else _(card.name)


@dataclass(frozen=True, slots=True)
class QueueRow:
    id: int
    version: int
    url: str
    who: str
    messages: int
    subject: str
    preview: str
    language: str
    status: str
    channel: Channel
    channel_words: str
    why: tuple[str, ...]
    owner: str
    is_mine: bool
    is_new: bool
    is_open: bool
    is_settled: bool
    time: TimeLeft


@dataclass(slots=True)
class Section:
    key: str
    title: str
    rows: list[QueueRow] = field(default_factory=list)
    count: int = 0  # 0: not known, the list goes on
    has_head: bool = True


@dataclass(frozen=True, slots=True)
class QueuePage:
    sections: list[Section]
    after: str
    more_url: str


def _why(row: dict[str, Any]) -> tuple[str, ...]:
    """Why a row stands where it stands, most telling first; at most two."""
    found = []
    if row.get("send_trouble"):
        found.append(_("A reply did not leave"))
    elif row["status_reason"] == "send-failed":
        found.append(_("A reply came back"))
    if row.get("sending"):
        found.append(_("Reply on its way"))
    if row["status_reason"] == "reopened":
        found.append(_("Came back"))
    if row["status_reason"] == "snooze-ended":
        found.append(_("Woke up"))
    if row["status_reason"] == "automatic":
        found.append(_("Sent automatically"))
    if row["status_reason"] == "no-answer-needed":
        found.append(_("No answer needed"))
    if row["status_reason"] == "history":
        found.append(_("From before Balas"))
    if (row.get("reach") or 0) >= REACH_TOLD:
        found.append(_("Reach %(count)s") % {"count": compact(row["reach"])})
    found += [str(tag) for tag in row.get("tags", ())]
    return tuple(found[:2])


def queue_row(row: dict[str, Any], user: User, clock: Clock, tab: str, open_id: int = 0) -> QueueRow:
    status = Status(row["status"])
    return QueueRow(
        id=row["id"],
        version=row["version"],
        url=f"{reverse('conversation', args=[row['id']])}?tab={tab}",
        who=row["customer_name"] or _("Unknown sender"),
        messages=row["messages_count"],
        subject=row["subject"] or (_("(no subject)") if card_of(row["kind"]).has_subject else ""),
        preview=row["preview"] or _("There is no text that could be read."),
        language=row.get("language") or "",
        status=status,
        channel=channel_of(row["kind"], row.get("visibility") or ""),
        channel_words=channel_words(row),
        why=_why(row),
        owner=row["owner_name"] or "" if row["owner_id"] else "",
        is_mine=row["owner_id"] == user.id,
        is_new=bool(row["is_unseen"]),
        is_open=row["id"] == open_id,
        is_settled=not belongs(row, tab) or (tab == "all" and status in (Status.RESOLVED, Status.SPAM)),
        time=time_left(row, clock),
    )


def _section_of(row: QueueRow, due_today: bool, tab: str) -> tuple[str, str]:
    if tab not in ("open", "mine"):
        return "all", ""
    if row.is_settled:
        return "done", _("Done")
    if row.time.stage == "late":
        return "late", _("Late")
    if row.time.stage in ("last", "soon"):
        return "hour", _("Within the hour")
    if row.time.stage == "none":
        return "none", _("No clock")
    return ("today", _("Today")) if due_today else ("later", _("Later"))


def sections(
    rows: Iterable[dict[str, Any]], user: User, clock: Clock, tab: str, *, open_id: int = 0, continues: str = ""
) -> list[Section]:
    """Cuts an ordered list into its sections; the section that the page before ended in goes on without a head."""
    found: list[Section] = []
    tomorrow = (clock.local(clock.now) + timedelta(days=1)).date()
    for data in rows:
        row = queue_row(data, user, clock, tab, open_id)
        due_today = data["due_at"] is not None and clock.local(data["due_at"]).date() < tomorrow
        key, title = _section_of(row, due_today, tab)
        if not found or found[-1].key != key:
            found.append(Section(key, title, has_head=bool(title) and key != continues))
        found[-1].rows.append(row)
    return found


def queue_page(
    work: worklist.WorkPage, user: User, clock: Clock, tab: str, *, open_id: int = 0, continues: str = ""
) -> QueuePage:
    found = sections(work.rows, user, clock, tab, open_id=open_id, continues=continues)
    is_whole = not work.after
    for number, section in enumerate(found):
        if section.has_head and (is_whole or number < len(found) - 1):
            section.count = len(section.rows)
    last = found[-1].key if found else ""
    more = f"{reverse('queue', args=[tab])}?after={work.after}&continues={last}&open={open_id}" if work.after else ""
    return QueuePage(found, work.after, more)
