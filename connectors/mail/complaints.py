"""Abuse reports (RFC 5965): a provider says which of our mails somebody called unwelcome."""

from __future__ import annotations

from connectors.enclosures import Complaint
from connectors.mail.decode import clean_line, decode_words
from connectors.mail.fields import Fields, first, parse_message_id, read_block
from connectors.mail.parts import Part, Tree, parse_tree

FEEDBACK_TYPE = "message/feedback-report"
_KINDS = ("abuse", "fraud", "virus", "not-spam", "opt-out", "auth-failure", "other")
_ORIGINALS = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global")
_MAX_REPORT = 64 * 1024
_MAX_ORIGINAL = 128 * 1024


def find_complaint(tree: Tree) -> Complaint | None:
    """What the first feedback report of a mail says, None when there is none."""
    report = next((part for part in tree.leaves() if part.content_type == FEEDBACK_TYPE), None)
    if report is None:
        return None
    fields = _fields(report, _MAX_REPORT)
    original = next((_fields(part, _MAX_ORIGINAL) for part in tree.leaves() if part.content_type in _ORIGINALS), {})
    kind = _value(fields, b"feedback-type").lower()
    count = _value(fields, b"incidents")
    recipient = _value(fields, b"original-rcpt-to") or _value(fields, b"removal-recipient")
    return Complaint(
        kind=kind if kind in _KINDS else "other",
        message_id=parse_message_id(first(original, b"message-id") or first(fields, b"original-message-id")),
        recipient=recipient.strip("<> ")[:320],
        subject=clean_line(decode_words(first(original, b"subject")))[:1000],
        sender=_value(fields, b"original-mail-from").strip("<> ")[:320],
        source=_value(fields, b"source-ip")[:60],
        arrived=(_value(fields, b"arrival-date") or _value(fields, b"received-date"))[:100],
        count=int(count) if count.isascii() and count.isdigit() and 0 < len(count) < 7 else 1,
        reporter=(_value(fields, b"reporting-mta").partition(";")[2].strip() or _value(fields, b"user-agent"))[:200],
    )


def _fields(part: Part, most: int) -> Fields:
    if part.content_type == FEEDBACK_TYPE:
        data = part.decode()[0][:most].lstrip()
        return read_block(data, 0, len(data)).fields
    return parse_tree(part.decode()[0][:most]).root.fields


def _value(fields: Fields, name: bytes) -> str:
    return clean_line(first(fields, name))
