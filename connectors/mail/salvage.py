"""What a look at the first 64 KB finds in a mail that cannot be read: enough to show that it is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from connectors.mail.decode import clean_line, decode_header, decode_words
from connectors.mail.fields import is_plausible, parse_date, parse_message_id
from connectors.messages import Address, Flag, ParsedMessage

MAX_SUBJECT = 1000
SALVAGE_BYTES = 64 * 1024

_ROUGH = re.compile(rb"^(from|subject|date|message-id)[ \t]{0,20}:[ \t]{0,20}([^\r\n]{0,998})", re.I | re.M)
_ROUGH_ADDRESS = re.compile(r"[A-Za-z0-9._+\-]{1,64}@[A-Za-z0-9.\-]{1,190}")

# Mail stores change line ends, and servers cannot send a NUL: Dovecot writes 0x80 for it.
_CHANGED_ON_ITS_WAY = b" \t\r\n\0\x80"


def bare_sha256(chunks: Iterable[bytes]) -> str:
    """Hash of all that no mail store changes, so that an unreadable mail is the same one by poll and by import."""
    found = sha256()
    for chunk in chunks:
        found.update(chunk.translate(None, _CHANGED_ON_ITS_WAY))
    return found.hexdigest()


def salvage(content: bytes, fallback_date: datetime | None) -> ParsedMessage:
    """What can be seen without understanding anything: the first From, Subject, Date and Message-ID lines."""
    seen: dict[str, str] = {}
    for name, value in _ROUGH.findall(content[:SALVAGE_BYTES]):
        seen.setdefault(name.lower().decode("ascii"), decode_header(value))
    address = _ROUGH_ADDRESS.search(seen.get("from", ""))
    written = parse_date(seen.get("date", ""))
    if written is not None and not is_plausible(written, fallback_date):
        written = None
    return ParsedMessage(
        author=Address(address.group() if address else ""),
        recipients=(),
        subject=clean_line(decode_words(seen.get("subject", "")))[:MAX_SUBJECT],
        text="",
        visible_text="",
        written_at=written,
        message_id=parse_message_id(seen.get("message-id", "")),
        flags=(Flag.UNREADABLE,),
        stable_sha256=bare_sha256((content,)),
        raw_sha256=sha256(content).hexdigest(),
    )
