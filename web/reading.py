"""A conversation as its page shows it: words for every state, made from `inbox.timeline`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.registry import card_of
from inbox.models import User
from inbox.rules.states import Reason, Status
from inbox.timeline import Timeline
from web.acts import act_entry
from web.authors import Author, find_author
from web.deadlines import TimeLeft, time_left
from web.entries import TOLD_BY_MESSAGE, context_entry, hidden_entry, message_entry
from web.formatting import Clock
from web.languages import language_word
from web.offers import offers_beside
from web.posts import at_handle
from web.rows import Channel, channel_of, queue_row

_HEADING = 90
_NAMES_SECONDS = 30.0
_names: tuple[float, dict[int, str]] | None = None


def user_names() -> dict[int, str]:
    """Everybody's name, remembered for seconds: the lines about acts need it."""
    global _names
    if _names is None or time.monotonic() - _names[0] > _NAMES_SECONDS:
        rows = User.objects.values_list("id", "name", "email")
        _names = (time.monotonic(), {id: name or email for id, name, email in rows})
    return _names[1]


def forget_names() -> None:
    global _names
    _names = None


def status_word(status: str) -> str:
    words = {
        Status.OPEN: _("Open"),
        Status.WAITING: _("Waiting for the customer"),
        Status.SNOOZED: _("Snoozed"),
        Status.RESOLVED: _("Resolved"),
        Status.SPAM: _("Spam"),
    }
    return words[Status(status)]


@dataclass(frozen=True, slots=True)
class Day:
    key: str
    title: str
    entries: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pane:
    id: int
    row: dict[str, Any]
    who: str
    subject: str
    status: str
    status_word: str
    is_automatic: bool
    owner: str
    is_mine: bool
    tags: tuple[str, ...]
    time: TimeLeft
    due_words: str
    days: list[Day]
    earlier: str
    newest_message: int
    facts: list[tuple[str, str]]
    author: Author | None
    identities: list[dict[str, Any]]
    others: list[dict[str, Any]]
    note: str
    draft: dict[str, Any] | None


def days_of(
    entries: Iterable[dict[str, Any]],
    clock: Clock,
    user: User,
    subject: str,
    offers: Mapping[int, dict[str, Any]] | None = None,
) -> list[Day]:
    """Cuts the timeline into days of the reader's zone and puts every entry into words. `offers`: by message id."""
    entries = list(entries)
    names = user_names()
    copies = _copies(entries)
    last = max((entry["at"] for entry in entries if _is_theirs(entry)), default=None)
    answered = max((entry["at"] for entry in entries if entry.get("direction") == "outbound"), default=None)
    days: list[Day] = []
    at: datetime | None = None
    spoken = ""
    for number, entry in enumerate(entries):
        if entry.get("copy_of") or entry.get("act") in TOLD_BY_MESSAGE:
            continue
        if entry["entry"] == "hidden":
            shown = hidden_entry(entry, number)
        elif entry["entry"] == "act":
            at = entry["at"]
            shown = act_entry(entry, number, user, names, clock)
        elif entry["entry"] == "context":
            at = entry["at"]
            shown = context_entry(entry)
        else:
            at = entry["at"]
            shown = message_entry(entry, user, clock, subject, copies.get(entry["id"], []))
            if _is_theirs(entry) and shown["language"]:
                # Said where it changes; else the fact beside the conversation is enough.
                shown["now_in"] = language_word(shown["language"]) if spoken not in ("", shown["language"]) else ""
                spoken = shown["language"]
            shown["offer"] = (offers or {}).get(entry["id"])
            shown["is_unread"] = _is_theirs(entry) and entry["at"] == last and (answered is None or answered < last)
        key = clock.local(at).date().isoformat() if at else "start"
        if not days or days[-1].key != key:
            days.append(Day(key, clock.day(at) if at else "", []))
        days[-1].entries.append(shown)
    return days


def _is_theirs(entry: dict[str, Any]) -> bool:
    return bool(entry["entry"] == "message" and entry["direction"] == "inbound")


def _copies(entries: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry.get("copy_of"):
            found.setdefault(entry["copy_of"], []).append(entry)
    return found


def _proof(identity: dict[str, Any], clock: Clock) -> tuple[str, str]:
    """The icon and the sentence that say why an address is thought to belong to this person."""
    names = user_names()
    actor = str(identity.get("actor") or "balas")
    when = clock.short(identity["linked_at"]) if identity.get("linked_at") else ""
    if actor.startswith("user:"):
        name = names.get(int(actor[5:]), _("somebody"))
        return "link-2", _("Linked by %(name)s, %(when)s") % {"name": name, "when": when}
    if identity.get("verified") and card_of(identity["kind"]).is_social:
        return "shield-check", _("%(channel)s vouches for it") % {"channel": channel_of(identity["kind"]).word}
    if identity.get("verified"):
        return "shield-check", _("Confirmed by their mail server")
    if identity.get("verified") is False:
        return "shield-alert", _("The check of the sender failed")
    return "mail", _("Wrote to us from this address")


def _facts(timeline: Timeline, clock: Clock) -> list[tuple[str, str]]:
    conversation = timeline.conversation
    facts: list[tuple[str, str]] = []
    language = conversation.get("language") or conversation.get("customer_language")
    if language:
        facts.append((_("Writes in"), language_word(language)))
    moments = [one["linked_at"] for one in timeline.identities if one.get("linked_at")]
    moments += [one["last_activity_at"] for one in timeline.others if one.get("last_activity_at")]
    moments += [entry["at"] for entry in timeline.entries[:1] if entry.get("at")]
    first = min(moments, default=None)
    matters = len(timeline.others) + 1
    if first is not None:
        words = ngettext("%(when)s, %(num)s matter", "%(when)s, %(num)s matters", matters)
        facts.append((_("With us since"), words % {"when": clock.short(first), "num": matters}))
    if conversation.get("last_inbound_at"):
        facts.append((_("Last wrote"), clock.moment(conversation["last_inbound_at"])))
    if conversation.get("last_outbound_at"):
        facts.append((_("We last wrote"), clock.moment(conversation["last_outbound_at"])))
    return facts


def _heading(row: dict[str, Any], entries: Iterable[dict[str, Any]]) -> str:
    """The subject; where a kind knows none, the first words that were said."""
    if row["subject"] or card_of(row["kind"]).has_subject:
        return row["subject"] or _("(no subject)")
    said = next((entry["text"] for entry in entries if entry["entry"] == "message" and entry["text"].strip()), "")
    words = " ".join((said or row["preview"]).split())
    return Truncator(words).chars(_HEADING) if words else _("A post without words")


def _other(row: dict[str, Any], clock: Clock) -> dict[str, Any]:
    channel: Channel = channel_of(row["kind"], row.get("visibility") or "")
    return {
        "url": reverse("conversation", args=[row["id"]]),
        "channel": channel,
        "subject": _heading(row, ()),
        "when": clock.short(row["last_activity_at"]) if row.get("last_activity_at") else "",
        "word": status_word(row["status"]),
    }


def _shown_address(identity: dict[str, Any]) -> str:
    is_handle = card_of(identity["kind"]).is_social
    return at_handle(identity["address"]) if is_handle else str(identity["address"])


def pane(timeline: Timeline, user: User, clock: Clock, tab: str) -> Pane:
    row = timeline.conversation
    shown = queue_row(row, user, clock, tab)
    left = time_left(row, clock)
    is_automatic = row["status"] == Status.RESOLVED and row["status_reason"] == Reason.AUTOMATIC
    identities = []
    for identity in timeline.identities:
        if not identity["address"]:
            continue  # a mail without a From that could be read
        icon, proof = _proof(identity, clock)
        display = identity.get("display") or ""
        identities.append(
            {
                "channel": channel_of(identity["kind"]),
                "address": _shown_address(identity),
                "display": display if display != shown.who else "",
                "icon": icon,
                "proof": proof,
            }
        )
    return Pane(
        id=row["id"],
        row=row,
        who=shown.who,
        subject=_heading(row, timeline.entries),
        status=row["status"],
        status_word=_("Sent automatically") if is_automatic else status_word(row["status"]),
        is_automatic=is_automatic,
        owner=shown.owner,
        is_mine=shown.is_mine,
        tags=tuple(row.get("tags", ())),
        time=left,
        due_words=left.due,
        days=days_of(timeline.entries, clock, user, row["subject"], offers_beside(timeline, user, tab)),
        earlier=timeline.earlier,
        newest_message=timeline.newest_message,
        facts=_facts(timeline, clock),
        author=find_author(timeline.entries, clock),
        identities=identities,
        others=[_other(one, clock) for one in timeline.others],
        note=row.get("customer_note") or "",
        draft=timeline.draft,
    )
