"""What a message carries besides words, as cards above its text: invitations, delivery reports, complaints."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.rules.delivery import why_failed
from web.failures import failure_words
from web.formatting import Clock, find_zone
from web.recurrence import rule_words

Card = dict[str, Any]
MAX_NAMES = 8


def cards(entry: dict[str, Any], clock: Clock) -> list[Card]:
    """{icon, tone, title, lead, is_over, facts: [(name, value)]} of each."""
    found = entry.get("enclosed") or {}
    shown = [_invitation(one, clock) for one in found.get("invitations") or ()]
    if reports := [one for one in found.get("reports") or () if one.get("recipient")]:
        shown.append(_reports(reports))
    if found.get("complaint"):
        shown.append(_complaint(found["complaint"]))
    return shown


# --- Invitations ----------------------------------------------------------------------------------------------------


def _invitation(one: dict[str, Any], clock: Clock) -> Card:
    title, tone = _invitation_title(one)
    facts = [(_("When"), _when(one, clock)), (_("There"), _elsewhere(one, clock))]
    if one.get("rule"):
        facts.append((_("Repeats"), rule_words(one["rule"], clock)))
    if one.get("occurrence"):
        planned = _day(one["occurrence"], clock)
        facts.append((_("Only"), _("this one of a series, planned for %(day)s") % {"day": planned}))
    facts += [(_("Where"), one.get("place", "")), (_("Join"), one.get("link", ""))]
    facts.append((_("Organiser"), _person(one["organiser"]) if one.get("organiser") else ""))
    if one.get("method") != "reply":
        facts.append((_("Invited"), _guests(one.get("guests") or [])))
    return {
        "icon": "calendar-clock",
        "tone": tone,
        "title": title,
        "lead": one.get("title") or _("(no title)"),
        "is_over": bool(one.get("is_cancelled")),
        "facts": [(name, value) for name, value in facts if value],
    }


def _invitation_title(one: dict[str, Any]) -> tuple[str, str]:
    method = one.get("method")
    if one.get("is_cancelled"):
        return _("Cancelled"), "late"
    if method == "request":
        return (_("Invitation, changed") if one.get("sequence") else _("Invitation")), ""
    if method == "reply":
        guest = (one.get("guests") or [{}])[0]
        words = {
            "accepted": _("%(name)s accepted"),
            "declined": _("%(name)s declined"),
            "tentative": _("%(name)s may come"),
            "delegated": _("%(name)s sends somebody else"),
        }
        name = guest.get("name") or guest.get("address") or _("Somebody")
        return words.get(guest.get("answer", ""), _("%(name)s answered")) % {"name": name}, ""
    if method == "counter":
        return _("Another time is proposed"), "warn"
    return _("Calendar entry"), ""


def _person(one: dict[str, Any]) -> str:
    name, address = one.get("name", ""), one.get("address", "")
    return f"{name} <{address}>" if name and address else name or address


def _guests(guests: list[dict[str, Any]]) -> str:
    answers = {"accepted": _("accepted"), "declined": _("declined"), "tentative": _("perhaps")}
    named = []
    for one in guests[:MAX_NAMES]:
        name = one.get("name") or one.get("address") or ""
        answer = answers.get(one.get("answer", ""))
        named.append(f"{name} ({answer})" if answer else name)
    more = len(guests) - MAX_NAMES
    if more > 0:
        named.append(ngettext("%(n)d more", "%(n)d more", more) % {"n": more})
    return ", ".join(named)


def _moment(text: str) -> datetime | date | None:
    """An instant, a time without a zone, or a day."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def _when(one: dict[str, Any], clock: Clock) -> str:
    starts, ends = _moment(one.get("starts", "")), _moment(one.get("ends", ""))
    if starts is None:
        return ""
    if not isinstance(starts, datetime):
        last = ends - timedelta(days=1) if ends is not None and not isinstance(ends, datetime) else starts
        words = _range(_long(starts), _long(last)) if last > starts else _long(starts)
        return _("%(day)s, all day") % {"day": words}
    is_known = starts.tzinfo is not None
    begin = clock.local(starts) if is_known else starts
    end = ends if isinstance(ends, datetime) and (ends.tzinfo is not None) == is_known else None
    words = _span(begin, clock.local(end) if end is not None and is_known else end)
    if is_known:
        return words
    zone = one.get("zone") or _("the writer's clock")
    return _("%(when)s by %(zone)s: not known how late that is here") % {"when": words, "zone": zone}


def _span(begin: datetime, end: datetime | None) -> str:
    start = _("%(day)s, %(time)s") % {"day": _long(begin), "time": begin.strftime("%H:%M")}
    if end is None or end <= begin:
        return start
    if end.date() == begin.date():
        return f"{start}–{end.strftime('%H:%M')}"
    return _range(start, _("%(day)s, %(time)s") % {"day": _long(end), "time": end.strftime("%H:%M")})


def _range(first: str, last: str) -> str:
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def _long(day: date) -> str:
    return formats.date_format(day, "l, j F Y")


def _day(text: str, clock: Clock) -> str:
    moment = _moment(text)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        moment = clock.local(moment)
    return _long(moment) if moment is not None else text


def _elsewhere(one: dict[str, Any], clock: Clock) -> str:
    """The same on the writer's clock, where that shows another time."""
    starts, zone = _moment(one.get("starts", "")), find_zone(one.get("zone", ""))
    if not isinstance(starts, datetime) or starts.tzinfo is None or zone is None:
        return ""
    here, there = clock.local(starts), starts.astimezone(zone)
    if here.utcoffset() == there.utcoffset() or zone.key in ("UTC", "Etc/UTC"):
        return ""
    day = "" if there.date() == here.date() else formats.date_format(there, "l") + " "
    values = {"day": day, "time": there.strftime("%H:%M"), "zone": zone.key.replace("_", " ")}
    return _("%(day)s%(time)s in %(zone)s") % values


# --- Reports --------------------------------------------------------------------------------------------------------


def _reports(reports: list[dict[str, Any]]) -> Card:
    actions = {
        "delayed": _("not there yet, still being tried"),
        "delivered": _("delivered"),
        "relayed": _("passed on to a server that sends no receipts"),
        "expanded": _("passed on to a list"),
    }
    has_failed = any(one.get("action", "failed") == "failed" for one in reports)
    facts = []
    for one in reports[:MAX_NAMES]:
        status, said = one.get("status", ""), one.get("diagnostic", "")
        said = said if status in said else f"{status} {said}".strip()
        action = one.get("action", "failed")
        words = actions.get(action, action)
        if action == "failed":
            words = failure_words(why_failed(one.get("status", ""), one.get("diagnostic", "")))
        facts.append((one["recipient"], f"{words} ({said})" if said else words))
    more = len(reports) - MAX_NAMES
    if more > 0:
        facts.append(("", ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more}))
    return {
        "icon": "triangle-alert" if has_failed else "check",
        "tone": "warn" if has_failed else "",
        "title": _("What the mail server says") if has_failed else _("Receipt of a mail server"),
        "lead": "",
        "is_over": False,
        "facts": facts,
    }


def _complaint(one: dict[str, Any]) -> Card:
    titles = {
        "abuse": _("Somebody marked our mail as spam"),
        "fraud": _("Our mail was reported as fraud"),
        "virus": _("Our mail was reported for a virus"),
        "not-spam": _("Our mail was wrongly taken for spam, and freed"),
        "opt-out": _("Somebody wants no more mail from us"),
        "auth-failure": _("A server could not confirm that a mail was ours"),
    }
    count = one.get("count", 1)
    facts = [
        (_("Who"), one.get("recipient", "")),
        (_("Our mail"), one.get("subject", "")),
        (_("Sent as"), one.get("sender", "")),
        (_("From"), one.get("source", "")),
        (_("Arrived"), one.get("arrived", "")),
        (_("Reported by"), one.get("reporter", "")),
        (_("How often"), str(count) if count > 1 else ""),
    ]
    return {
        "icon": "triangle-alert",
        "tone": "" if one.get("kind") == "not-spam" else "warn",
        "title": titles.get(one.get("kind", ""), _("A complaint about our mail")),
        "lead": "",
        "is_over": False,
        "facts": [(name, value) for name, value in facts if value],
    }
