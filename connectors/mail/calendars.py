"""Calendar parts (RFC 5545) → invitations, however they are broken.

Own reader rather than a library: those refuse whole events over one odd line, and keep the time zones that a mail
defines for the mails that come after. This one is linear, holds no state, and takes each property as it comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from connectors.enclosures import Guest, Invitation
from connectors.mail.addresses import is_address
from connectors.mail.decode import clean_line, clean_text
from connectors.mail.zones import Zone, read_zone

MAX_BYTES = 1024 * 1024
MAX_LINES = 20_000
MAX_EVENTS = 10
MAX_GUESTS = 200
MAX_NOTE = 10_000

_FOLD = re.compile(r"\n[ \t]")
_LINE = re.compile(
    r'([A-Za-z0-9-]{1,60})((?:;[A-Za-z0-9-]{1,60}=(?:"[^"\n]{0,1000}"|[^";:\n]{0,1000})(?:,"[^"\n]*")*)*)\s*:(.*)'
)
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,60})=("[^"]*"|[^;]*)')
_MOMENT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d)(?::?(\d\d))?\s*(Z?))?\s*$")
_DURATION = re.compile(r"([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?\s*$")
_ESCAPE = re.compile(r"\\([nN,;:\"\\])")
_RULE = re.compile(r"[A-Z0-9=;,:+\-]{6,300}")
_IANA = re.compile(r"(?:^|/)([A-Z][A-Za-z_]+/[A-Za-z_+\-0-9]+(?:/[A-Za-z_\-]+)?|UTC|GMT)$")
_OFFSET = re.compile(r"\(?(?:UTC|GMT)\s*([+-])(\d\d?):?(\d\d)?\)?", re.I)
_JOIN = ("x-google-conference", "x-microsoft-skypeteamsmeetingurl", "conference", "url")
_WHOLE_DAY = 3

Property = tuple[dict[str, str], str]
Properties = dict[str, list[Property]]


def read_invitations(text: str, method: str = "") -> tuple[Invitation, ...]:
    """The events of a calendar, at most MAX_EVENTS. `method` is the content type's, where the calendar has none."""
    lines = _FOLD.sub("", clean_text(text[:MAX_BYTES])).split("\n")
    calendar: Properties = {}
    events: list[Properties] = []
    zones: dict[str, Zone] = {}
    for kind, properties, below in _components(islice(lines, MAX_LINES)):
        if kind == "VCALENDAR":
            calendar.update(properties)
        elif kind == "VEVENT" and len(events) < MAX_EVENTS:
            events.append(properties)
        elif kind == "VTIMEZONE" and len(zones) < 20:
            zones[_text(properties, "tzid")] = read_zone(below)
    method = (_text(calendar, "method") or method).lower()[:20]
    default = _text(calendar, "x-wr-timezone")
    return tuple(_invitation(event, method, zones, default) for event in events)


def _components(lines: Iterable[str]) -> Iterable[tuple[str, Properties, list[tuple[str, dict[str, str]]]]]:
    """(kind, its own properties, the components directly below) of each, when it ends or the text does."""
    stack: list[tuple[str, Properties, list[tuple[str, dict[str, str]]]]] = []
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        name, parameters, value = found.group(1).lower(), found.group(2), found.group(3)
        if name == "begin":
            if len(stack) < 10:
                stack.append((value.strip().upper(), {}, []))
        elif name == "end":
            if any(kind == value.strip().upper() for kind, _, _ in stack):
                while stack:
                    kind, properties, below = stack.pop()
                    if stack and len(stack[-1][2]) < 200:
                        stack[-1][2].append((kind, {key: values[0][1] for key, values in properties.items()}))
                    yield kind, properties, below
                    if kind == value.strip().upper():
                        break
        elif stack:
            of_name = stack[-1][1].setdefault(name, [])
            if len(of_name) <= MAX_GUESTS:
                of_name.append((_parameters(parameters), value))
    yield from reversed(stack)


def _parameters(text: str) -> dict[str, str]:
    return {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(text)} if text else {}


def _text(properties: Properties, name: str) -> str:
    values = properties.get(name)
    return clean_line(_unescape(values[0][1]))[:1000] if values else ""


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found.group(1) in "nN" else found.group(1), text)


def _invitation(event: Properties, method: str, zones: dict[str, Zone], default: str) -> Invitation:
    starts, zone = _moment(event, "dtstart", zones, default)
    ends, _ = _moment(event, "dtend", zones, default)
    if not ends and starts:
        ends = _after(starts, _text(event, "duration"))
    rule = _text(event, "rrule").upper()
    note = clean_text(_unescape(event["description"][0][1]))[:MAX_NOTE].strip() if "description" in event else ""
    guests = tuple(guest for guest in map(_guest, event.get("attendee", ())[:MAX_GUESTS]) if guest is not None)
    links = (_text(event, name) for name in _JOIN)
    return Invitation(
        method=method,
        uid=_text(event, "uid")[:500],
        title=_text(event, "summary")[:500],
        starts=starts,
        ends=ends,
        zone=zone,
        place=_text(event, "location")[:500],
        link=next((link for link in links if link.lower().startswith(("https://", "http://"))), "")[:1000],
        note=note,
        organiser=_guest(event["organizer"][0]) if "organizer" in event else None,
        guests=guests,
        rule=rule if _RULE.fullmatch(rule) and "FREQ=" in rule else "",
        occurrence=_moment(event, "recurrence-id", zones, default)[0],
        is_cancelled=method == "cancel" or _text(event, "status").upper() == "CANCELLED",
        sequence=_number(_text(event, "sequence")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _guest(found: Property) -> Guest | None:
    parameters, value = found
    address = clean_line(value)
    address = address[7:] if address[:7].lower() == "mailto:" else parameters.get("email", "")
    address = address.strip().strip("<>")
    name = clean_line(_unescape(parameters.get("cn", "")))[:200]
    if not is_address(address):
        address = ""
    if not (address or name):
        return None
    return Guest(address, "" if name == address else name, parameters.get("partstat", "").lower()[:20])


def _moment(event: Properties, name: str, zones: dict[str, Zone], default: str) -> tuple[str, str]:
    """A time as Invitation holds it, and the writer's zone."""
    values = event.get(name)
    found = _MOMENT.search(values[0][1]) if values else None
    if found is None or values is None:
        return "", ""
    year, month, day, *clock = found.groups()
    try:
        if clock[0] is None or values[0][0].get("value", "").upper() == "DATE":
            return date(int(year), int(month), int(day)).isoformat(), ""
        hour, minute, second = int(clock[0]), int(clock[1]), min(int(clock[2] or 0), 59)
        local = datetime(int(year), int(month), int(day), hour, minute, second)  # noqa: DTZ001 - its zone comes next
        if clock[_WHOLE_DAY]:
            return _instant(local.replace(tzinfo=UTC)), find_zone_name(default)
        named = clean_line(values[0][0].get("tzid", "") or default)[:100]
        return _in_zone(local, named, zones)
    except (ValueError, OverflowError):
        return "", ""


def _in_zone(local: datetime, named: str, zones: dict[str, Zone]) -> tuple[str, str]:
    known = find_zone_name(named)
    if known:
        return _instant(local.replace(tzinfo=ZoneInfo(known))), known
    offset = zones[named].offset(local) if named in zones else None
    if offset is None and (said := _OFFSET.search(named)):
        minutes = int(said.group(2)) * 60 + int(said.group(3) or 0)
        offset = timedelta(minutes=-minutes if said.group(1) == "-" else minutes)
        named = f"UTC{said.group(1)}{minutes // 60:02}:{minutes % 60:02}"
    if offset is None:
        return local.isoformat(timespec="minutes"), named
    return _instant((local - offset).replace(tzinfo=UTC)), named


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find_zone_name(named: str) -> str:
    """The IANA name of a zone as calendars call it (Windows names, prefixed paths), "" when it is nobody's."""
    if not named:
        return ""
    if named in win_tz:
        return str(win_tz[named])
    found = _IANA.search(named)
    if found is None:
        return ""
    try:
        return ZoneInfo(found.group(1)).key
    except (ValueError, OSError, LookupError):
        return ""


def _after(starts: str, duration: str) -> str:
    found = _DURATION.match(duration.upper())
    is_day = len(starts) == 10
    if found is None:
        return (date.fromisoformat(starts) + timedelta(days=1)).isoformat() if is_day else ""
    sign, *numbers = found.groups()
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in numbers)
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if sign == "-":
        return ""
    try:
        if is_day:
            return (date.fromisoformat(starts) + (length or timedelta(days=1))).isoformat()
        moment = datetime.fromisoformat(starts) + length
    except (ValueError, OverflowError):
        return ""
    return _instant(moment) if moment.tzinfo else moment.isoformat(timespec="minutes")
