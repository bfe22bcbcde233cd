"""The files of a mail: what each is, what Outlook packed into one of them, and which of them invite to something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from connectors.enclosures import Invitation
from connectors.mail import bodies, tnef
from connectors.mail.calendars import MAX_BYTES, MAX_EVENTS, read_invitations
from connectors.mail.decode import decode_text
from connectors.mail.parts import Part
from connectors.messages import ParsedAttachment

_CALENDAR_TYPES = ("text/calendar", "application/ics", "text/x-vcalendar")
_OPENED = "/"
"""Between the path of a part and the number of a file that was packed into it."""


@dataclass(slots=True)
class Attached:
    files: list[ParsedAttachment] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)  # part path → hash, of the parts as they were sent
    invitations: list[Invitation] = field(default_factory=list)
    letter: tnef.Letter | None = None
    is_broken: bool = False

    def invite(self, found: Iterable[Invitation]) -> None:
        """The same event often comes twice: as a text of its own and as a file."""
        known = {(one.uid, one.starts, one.occurrence) for one in self.invitations}
        for one in found:
            if (one.uid, one.starts, one.occurrence) not in known and len(self.invitations) < MAX_EVENTS:
                self.invitations.append(one)


def read_attached(parts: Iterable[Part]) -> Attached:
    attached = Attached()
    for part in parts:
        data, is_clean = part.decode_file()
        attached.is_broken |= not is_clean
        described = bodies.describe(part, data)
        attached.hashes[part.path] = described.sha256
        letter = tnef.open_tnef(data) if tnef.is_tnef(part.content_type, described.name, data) else None
        if letter is not None and not _is_empty(letter):
            _unpack(letter, part, attached)
            continue
        attached.files.append(described)
        if is_calendar(described) and len(data) <= MAX_BYTES:
            text = decode_text(data, part.parameters.get("charset", "utf-8"))[0]
            attached.invite(read_invitations(text, part.parameters.get("method", "")))
    return attached


def is_calendar(file: ParsedAttachment) -> bool:
    return file.content_type in _CALENDAR_TYPES or file.name.lower().endswith((".ics", ".vcs"))


def _is_empty(letter: tnef.Letter) -> bool:
    return not (letter.files or letter.text or letter.html or letter.invitation)


def _unpack(letter: tnef.Letter, part: Part, attached: Attached) -> None:
    attached.letter = attached.letter or letter
    if letter.invitation is not None:
        attached.invite([letter.invitation])
    for number, file in enumerate(letter.files, start=1):
        described = _describe(file, f"{part.path}{_OPENED}{number}")
        attached.files.append(described)
        if is_calendar(described) and len(file.data) <= MAX_BYTES:
            attached.invite(read_invitations(decode_text(file.data, "utf-8")[0]))


def _describe(file: tnef.File, path: str) -> ParsedAttachment:
    return ParsedAttachment(
        part=path,
        name=file.name or f"attachment-{path.replace(_OPENED, '-')}",
        content_type=(file.content_type or "application/octet-stream")[:100],
        size=len(file.data),
        sha256=sha256(file.data).hexdigest(),
        content_id=file.content_id,
    )


def is_packed(path: str) -> bool:
    """Whether a file lies inside another: then only a confined process can cut it out."""
    return _OPENED in path


def find_packed(parts: Iterable[Part], path: str) -> tuple[str, str, bytes] | None:
    """(name, content type, bytes) of a file that was packed into another."""
    outer, _, number = path.partition(_OPENED)
    part = next((part for part in parts if part.path == outer), None)
    letter = tnef.open_tnef(part.decode_file()[0]) if part is not None else None
    if letter is None or not number.isdigit() or not 0 < int(number) <= len(letter.files):
        return None
    file = letter.files[int(number) - 1]
    described = _describe(file, path)
    return described.name, described.content_type, file.data
