"""A rule by which an event repeats (RFC 5545 §3.3.10), in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from web.formatting import Clock

_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNTIL = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_WORKING_DAYS = [(0, day) for day in range(5)]


def rule_words(rule: str, clock: Clock) -> str:
    """A whole sentence. What is too intricate for words is only said to repeat."""
    parts = dict(piece.split("=", 1) for piece in rule.split(";") if "=" in piece)
    interval = int(parts["INTERVAL"]) if parts.get("INTERVAL", "").isdigit() else 1
    days = _days(parts)
    words = _often(parts, max(1, min(interval, 1000)), days)
    if not words:
        return _("Repeats by a rule of its own; see the calendar file.")
    return " ".join(piece for piece in (words, _end(parts, clock)) if piece) + "."


def _days(parts: dict[str, str]) -> list[tuple[int, int]]:
    """(which one: 0 each, 1 the first, -1 the last; weekday) of BYDAY, with BYSETPOS where only that tells which."""
    place = parts.get("BYSETPOS", "0")
    every = int(place) if re.fullmatch(r"-?\d", place) else 0
    found = [_DAY.fullmatch(piece) for piece in parts.get("BYDAY", "").split(",")[:7]]
    return [(int(one.group(1) or every), _DAYS.index(one.group(2))) for one in found if one is not None]


def _often(parts: dict[str, str], interval: int, days: list[tuple[int, int]]) -> str:
    often = parts.get("FREQ")
    if often == "DAILY":
        return ngettext("Every day", "Every %(n)d days", interval) % {"n": interval}
    if often == "WEEKLY":
        if interval == 1 and sorted(days) == _WORKING_DAYS:
            return _("Every working day, Monday to Friday")
        words = ngettext("Every week", "Every %(n)d weeks", interval) % {"n": interval}
        return _("%(often)s on %(days)s") % {"often": words, "days": _named(days)} if days else words
    if often == "MONTHLY":
        words = ngettext("Every month", "Every %(n)d months", interval) % {"n": interval}
        return _("%(often)s %(day)s") % {"often": words, "day": day} if (day := _in_month(parts, days)) else words
    if often == "YEARLY":
        return ngettext("Every year", "Every %(n)d years", interval) % {"n": interval}
    return ""


def _named(days: list[tuple[int, int]]) -> str:
    names = [str(WEEKDAYS[day]) for _which, day in days]
    return (
        names[0]
        if len(names) == 1
        else _("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}
    )


def _in_month(parts: dict[str, str], days: list[tuple[int, int]]) -> str:
    places = {1: _("first"), 2: _("second"), 3: _("third"), 4: _("fourth"), -1: _("last")}
    if len(days) == 1 and days[0][0] in places:
        return _("on the %(place)s %(day)s") % {"place": places[days[0][0]], "day": WEEKDAYS[days[0][1]]}
    number = parts.get("BYMONTHDAY", "")
    if number == "-1":
        return _("on its last day")
    return _("on day %(number)s") % {"number": number} if number.isdigit() and not days else ""


def _end(parts: dict[str, str], clock: Clock) -> str:
    count = parts.get("COUNT", "")
    if count.isdigit() and len(count) < 6:
        return ngettext("once", "%(n)d times", int(count)) % {"n": int(count)}
    found = _UNTIL.fullmatch(parts.get("UNTIL", ""))
    if found is None:
        return ""
    try:
        day = datetime(*(int(one or 0) for one in found.groups()[:6]), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return ""
    shown = clock.local(day).date() if found.group(7) else day.date()
    return _("until %(day)s") % {"day": formats.date_format(shown, "j F Y")}
