"""How times, sizes, names and plain text are put into words. The page makes one `Clock` per request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup, escape

_LINK = re.compile(r"\bhttps?://[^\s<>\"'“”‘’«»]+", re.IGNORECASE)
_LINK_TAIL = ".,;:!?)]}'\""
_ITEM = re.compile(r"\s|[-*•·>|]|\d{1,3}[.)]\s")
_MAX_LINKS = 500  # per text: beyond that it is shown as written


def find_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Clock:
    """The reader's time zone and the one `now` of a page."""

    zone: ZoneInfo
    now: datetime

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def time(self, at: datetime) -> str:
        return self.local(at).strftime("%H:%M")

    def full(self, at: datetime) -> str:
        """For tooltips and screen readers: weekday, date and time with seconds."""
        return formats.date_format(self.local(at), "l, j F Y, H:i:s")

    def iso(self, at: datetime) -> str:
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def day(self, at: datetime) -> str:
        """The heading of a day in a timeline."""
        then, today = self.local(at).date(), self.local(self.now).date()
        if then == today:
            return _("Today")
        if then == today - timedelta(days=1):
            return _("Yesterday")
        return formats.date_format(then, "l, j F" if then.year == today.year else "l, j F Y")

    def short(self, at: datetime) -> str:
        """As little as tells when: the time today, else day and month, else with the year."""
        then, now = self.local(at), self.local(self.now)
        if then.date() == now.date():
            return self.time(at)
        return formats.date_format(then, "j M" if then.year == now.year else "j M Y")

    def moment(self, at: datetime) -> str:
        """A point in time near now, in either direction: "11:48", "tomorrow 09:20", "Mon 30 Nov, 09:00"."""
        then, now = self.local(at), self.local(self.now)
        days = (then.date() - now.date()).days
        if days == 0:
            return self.time(at)
        if days == 1:
            return _("tomorrow %(time)s") % {"time": self.time(at)}
        if days == -1:
            return _("yesterday %(time)s") % {"time": self.time(at)}
        return formats.date_format(then, "D j M, H:i" if then.year == now.year else "j M Y, H:i")

    def age(self, at: datetime) -> str:
        return span(self.now - at)


def span(length: timedelta) -> str:
    """A duration in at most two units: "20 s", "46 min", "1 h 50", "3 d"."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return _("%(h)d h %(m)02d") % {"h": hours, "m": rest} if rest else _("%(h)d h") % {"h": hours}
    days = hours // 24
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def file_size(size: int) -> str:
    if size < 1000:
        return _("%(n)d B") % {"n": size}
    if size < 1_000_000:
        return _("%(n)d KB") % {"n": round(size / 1000)}
    return _("%(n).1f MB") % {"n": size / 1_000_000}


def compact(count: int) -> str:
    """A large number in few characters, never more than there are: "312", "4.1 k", "48 k", "1.2 M"."""
    for size, words in ((1_000_000, _("%(n)s M")), (1000, _("%(n)s k"))):
        if count >= size:
            tenths = count * 10 // size
            return words % {"n": f"{tenths / 10:.1f}".removesuffix(".0") if tenths < 100 else f"{count // size:,}"}
    return str(max(0, count))


def initials(name: str) -> str:
    words = [word for word in re.split(r"[\s._@-]+", name) if word]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 and "@" not in name else words[0][1:2])).upper()


def linkified(text: str) -> Markup:
    """Plain text as HTML: cut into words and addresses first, each escaped for itself, so no markup can arise."""
    parts: list[Markup] = []
    end = 0
    for found in list(_LINK.finditer(text))[:_MAX_LINKS]:
        address = found.group().rstrip(_LINK_TAIL)
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{0}</a>').format(address))
        end = found.start() + len(address)
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def _unwrapped(lines: list[str], width: int) -> list[str]:
    """Joins lines that a mail program broke at `width`: where the next word would not have fitted."""
    joined: list[str] = []
    last = ""
    for line in lines:
        word = line.split(" ", 1)[0]
        is_broken = bool(last) and len(last) <= width < len(last) + 1 + len(word) and not _ITEM.match(line)
        if is_broken and joined and line.strip() and not last.endswith("  "):
            joined[-1] = f"{joined[-1].rstrip()} {line}"
        else:
            joined.append(line)
        last = line
    return joined


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs: an empty line parts them, a chosen line end is kept, one forced by width is not.

    Lines marked by ">" are set off as what is answered; the mark itself is there for whoever copies it.
    """
    text = text.expandtabs(4)
    longest = max((len(line) for line in text.split("\n")), default=0)
    blocks = [block for block in re.split(r"\n[ \t]*\n", text.strip("\n")) if block.strip()]
    shown = []
    for block in blocks:
        for is_quoted, found in groupby(block.split("\n"), lambda line: line[:1] == ">"):
            lines = list(found)
            if is_quoted:
                shown.append(_answered(lines))
                continue
            # Nobody's program breaks narrower than this or wider than that: such lines are meant.
            if 60 <= longest <= 80:
                lines = _unwrapped(lines, longest)
            shown.append(Markup("<p>{}</p>").format(Markup("<br>").join(linkified(line) for line in lines)))
    return Markup("").join(shown)


def _answered(lines: list[str]) -> Markup:
    marked = []
    for line in lines:
        words = line.lstrip("> ")
        mark = Markup('<span class="quote-mark" aria-hidden="true">{}</span>').format(line[: len(line) - len(words)])
        marked.append(mark + linkified(words))
    return Markup('<blockquote class="answered">{}</blockquote>').format(Markup("<br>").join(marked))
