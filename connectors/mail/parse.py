"""A mail's bytes → what was said. Pure and bounded: no network, no clock, no exception but MemoryError.

Whatever is broken is flagged; whatever cannot be read at all still gives its From, Subject and Date as far as a look
at the first 64 KB finds them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from connectors.mail import automatic, bodies, digest, quotes, seals, trust
from connectors.mail.addresses import MAX_ADDRESSES, Mailboxes, parse_mailboxes
from connectors.mail.attached import Attached, read_attached
from connectors.mail.charsets import LOCAL, find_codec, is_utf_8
from connectors.mail.complaints import find_complaint
from connectors.mail.decode import clean_line, decode_header, decode_text, decode_words
from connectors.mail.fields import (
    Fields,
    chain,
    first,
    is_plausible,
    parse_date,
    parse_message_id,
    parse_message_ids,
)
from connectors.mail.parts import Part, Tree, parse_tree
from connectors.mail.salvage import MAX_SUBJECT, salvage
from connectors.mail.tnef import Letter
from connectors.messages import Address, Automatic, Flag, ParsedMessage, Recipient, SenderCheck

_ROLES = ((b"to", "to"), (b"cc", "cc"), (b"bcc", "bcc"), (b"reply-to", "reply-to"))
_LOOK_BYTES = 4096
MAX_HASHED_AS_TEXT = 8 * 1024 * 1024
_READABLE = (
    b"from", b"to", b"subject", b"date", b"message-id", b"received", b"content-type", b"mime-version", b"cc", b"bcc",
    b"sender", b"reply-to", b"return-path", b"delivered-to", b"references", b"in-reply-to", b"list-id", b"precedence",
    b"auto-submitted", b"authentication-results", b"content-transfer-encoding", b"x-mailer", b"list-unsubscribe",
    b"content-language", b"x-failed-recipients",
)  # fmt: skip


def parse_mail(
    content: bytes,
    *,
    fallback_date: datetime | None = None,
    relays: Collection[str] = (),
    authserv_id: str = "",
    raw_sha256: str = "",
) -> ParsedMessage:
    """Read a mail. `fallback_date` is when the server received it: a Date more than a day later is absurd.

    `written_at` is None when Date is absent (no-date), or unreadable, before 1980 or absurd (bad-date). `relays` are
    addresses, such as a contact form's sender, for which Reply-To names the author. `authserv_id` is the name of the
    receiving server in Authentication-Results; "" means that no server verifies senders. `raw_sha256` is the hash of
    `content` where it is known.
    """
    try:
        return _Reading(content, fallback_date, relays, authserv_id).message(raw_sha256)
    except MemoryError:
        raise
    except Exception:  # the promise to the inbox: every mail becomes a visible message, whatever it does to the parser
        return salvage(content, fallback_date)


class _Reading:
    """One mail being read: the tree, and the flags that gather on the way."""

    def __init__(
        self, content: bytes, fallback_date: datetime | None, relays: Collection[str], authserv_id: str
    ) -> None:
        self.content = content
        self.fallback_date = fallback_date
        self.relays = relays
        self.authserv_id = authserv_id
        self.tree: Tree = parse_tree(content)
        self.fields: Fields = self.tree.root.fields
        self.flags: dict[Flag, None] = {}
        self.room = MAX_ADDRESSES
        self.sender_check: SenderCheck | None = None
        self.recipients: tuple[Recipient, ...] = ()
        self.list_address = ""  # of the list it came through, where a person may have written it

    def flag(self, flag: Flag) -> None:
        self.flags[flag] = None

    def message(self, raw_sha256: str = "") -> ParsedMessage:
        if not any(name in self.fields for name in _READABLE) and not _is_plain_text(self.content):
            rest = salvage(self.content, self.fallback_date)
            return replace(rest, flags=(*rest.flags, Flag.TRUNCATED)) if self.tree.cut else rest
        subject = self._subject()
        sender = self._author()
        recipients = self.recipients = self._recipients()
        author, is_relayed = self._behind_relay(sender, recipients)
        written_at = self._written_at()
        ids = (parse_message_id(decode_header(value)) for value in self.fields.get(b"message-id", ())[:5])
        message_id = next(filter(None, ids), "")
        if not message_id:
            self.flag(Flag.NO_MESSAGE_ID)
        in_reply_to, references = self._ancestors(message_id)
        found, attached = self._bodies()
        passages = quotes.split_passages(found.text, found.marks, author)
        kind = self._automatic(sender, subject, is_relayed)
        verified = self._verified(sender, is_relayed)
        self._seal_flags(found)
        return ParsedMessage(
            author=author,
            recipients=recipients,
            subject=subject,
            text=found.text,
            visible_text=quotes.visible(passages),
            written_at=written_at,
            message_id=message_id,
            in_reply_to=in_reply_to,
            references=references,
            passages=passages,
            has_html=any(slot.html for slot in found.slots),
            attachments=tuple(attached.files),
            automatic=kind,
            flags=tuple(self.flags),
            stable_sha256=self._stable_hash(message_id, subject, found, attached.hashes),
            raw_sha256=raw_sha256 or sha256(self.content).hexdigest(),
            verified=verified,
            sender_check=self.sender_check,
            list_address=self.list_address,
            reports=automatic.read_reports(self.tree) if kind is Automatic.BOUNCE else (),
            invitations=tuple(attached.invitations),
            complaint=find_complaint(self.tree) if kind is Automatic.REPORT else None,
        )

    def _subject(self) -> str:
        values = [value for value in self.fields.get(b"subject", ())[:5] if value.strip()]
        subject = clean_line(decode_words(self._text(values[0]))) if values else ""
        if len(subject) > MAX_SUBJECT:
            self.flag(Flag.TRUNCATED)
            return subject[:MAX_SUBJECT]
        return subject

    def _text(self, value: bytes) -> str:
        """A header value. Raw bytes of another charset are in the one that the mail names for its text."""
        if not value.isascii() and not is_utf_8(value):
            labels = (leaf.parameters.get("charset", "") for leaf in self.tree.leaves() if leaf.is_text)
            label = next(filter(None, labels), "")
            if find_codec(label[:60]) in LOCAL:
                return decode_header(decode_text(value, label)[0].encode("utf_8", "replace"))
        return decode_header(value)

    def _mailboxes(self, value: bytes, room: int) -> Mailboxes:
        boxes = parse_mailboxes(self._text(value), room)
        if boxes.is_cut:
            self.flag(Flag.TRUNCATED)
        return boxes

    def _author(self) -> Address:
        """The person, from From only. What can be read in two ways gives no address."""
        values = [value for value in self.fields.get(b"from", ()) if value.strip()]
        boxes = self._mailboxes(values[0], MAX_ADDRESSES) if values else Mailboxes()
        if values and (len(values) > 1 or len([box for box in boxes.found if box.address]) > 1):
            self.flag(Flag.SEVERAL_FROM)
        if boxes.is_ambiguous:
            self.flag(Flag.AMBIGUOUS_FROM)
            name = next((box.name for box in boxes.found if box.name), "")
            return Address("", name)
        author = next((box for box in boxes.found if box.address), None)
        if author is None:
            self.flag(Flag.NO_FROM)
            return boxes.found[0] if boxes.found else Address("")
        return author

    def _recipients(self) -> tuple[Recipient, ...]:
        recipients: list[Recipient] = []
        for field, role in _ROLES:
            for value in self.fields.get(field, ()):
                if self.room <= 0:
                    self.flag(Flag.TRUNCATED)
                    return tuple(recipients)
                found = self._mailboxes(value, self.room).found
                self.room -= len(found)
                recipients.extend(Recipient(role, box) for box in found)
        return tuple(recipients)

    def _behind_relay(self, sender: Address, recipients: tuple[Recipient, ...]) -> tuple[Address, bool]:
        if not self.relays or sender.address.lower() not in {relay.lower() for relay in self.relays}:
            return sender, False
        self.flag(Flag.VIA_RELAY)
        answers = [one.address for one in recipients if one.role == "reply-to" and one.address.address]
        return (answers[0] if answers else sender), True

    def _written_at(self) -> datetime | None:
        texts = [text for value in self.fields.get(b"date", ())[:5] if (text := decode_header(value))]
        if not texts:
            self.flag(Flag.NO_DATE)
        for text in texts:
            written = parse_date(text)
            if written is not None and is_plausible(written, self.fallback_date):
                return written
        if texts:
            self.flag(Flag.BAD_DATE)
        return None

    def _ancestors(self, message_id: str) -> tuple[str, tuple[str, ...]]:
        in_reply_to = parse_message_ids(first(self.fields, b"in-reply-to"))
        references = parse_message_ids(
            " ".join(decode_header(value) for value in self.fields.get(b"references", ())[:10])
        )
        ids, was_cut = chain(references, in_reply_to, message_id)
        if was_cut:
            self.flag(Flag.TRUNCATED)
        return (in_reply_to[0] if in_reply_to else ""), ids

    def _bodies(self) -> tuple[bodies.Content, Attached]:
        found = bodies.collect(self.tree)
        bodies.read_text(found)
        attached = read_attached(found.attachments)
        if attached.is_broken:
            self.flag(Flag.BROKEN_MIME)
        if not found.text.strip():
            letter = attached.letter or Letter()
            event = "\n\n".join(f"{one.title}\n{one.note}".strip() for one in attached.invitations)
            bodies.adopt(found, letter.text, letter.html, event)
        found.text, seal = seals.read_armour(found.text)
        if seal is not None:
            self.flag(seal)
            found.marks = None  # it runs in parallel with lines that may be gone
        self.flags.update(found.flags)
        return found, attached

    def _automatic(self, sender: Address, subject: str, is_relayed: bool) -> Automatic | None:
        if automatic.is_unanswerable(self.tree, sender.address):
            self.flag(Flag.NO_AUTOMATIC_ANSWER)
        if is_relayed:
            return None  # a contact form sends automatically, but a person wrote it
        kind, is_newsletter = automatic.classify(self.tree, sender.address, subject)
        address, is_plain = automatic.find_group(self.tree, sender.address) if kind is Automatic.LIST else ("", False)
        if is_plain and any(one.address.address.lower() == address for one in self.recipients):
            self.flag(Flag.VIA_GROUP)
            return None
        if is_newsletter:
            self.flag(Flag.NEWSLETTER)
        self.list_address = address
        return kind

    def _verified(self, sender: Address, is_relayed: bool) -> bool | None:
        is_single = Flag.SEVERAL_FROM not in self.flags
        domain = sender.address.rpartition("@")[2] if is_single else ""
        verified, flag, self.sender_check = trust.check_sender(self.fields, domain, self.authserv_id)
        if verified and is_relayed:
            verified, flag = False, Flag.UNVERIFIED_SENDER  # the relay is vouched for, the Reply-To is not
        if flag is not None:
            self.flag(flag)
        return verified

    def _seal_flags(self, found: bodies.Content) -> None:
        """Structure, encryption and signature."""
        if self.tree.broken:
            self.flag(Flag.BROKEN_MIME)
        if self.tree.cut:
            self.flag(Flag.TRUNCATED)
        for part in (self.tree.root, *found.attachments):
            seal = seals.find_seal(part, bodies.part_name(part))
            if seal is not None:
                self.flag(seal)

    def _stable_hash(self, message_id: str, subject: str, found: bodies.Content, hashes: Mapping[str, str]) -> str:
        headers = [message_id, *(first(self.fields, name) for name in (b"from", b"to", b"cc", b"date"))]
        parts: list[str | bytes] = []
        for leaf in self.tree.leaves():
            if leaf.path in hashes and not leaf.is_text:
                parts.append(hashes[leaf.path].encode() if not leaf.is_sent_by_line else _sent_by_line(leaf))
            else:
                parts.append(bodies.part_text(leaf, found))
        return digest.stable_sha256(headers, subject, parts)


def _sent_by_line(leaf: Part) -> str | bytes:
    """What the stable hash takes of a file that stands in the mail as it is: of a large one, what no server changes."""
    if leaf.end - leaf.start <= MAX_HASHED_AS_TEXT:
        return leaf.decode_file()[0].decode("latin-1")
    return sha256(leaf.decode()[0].translate(None, b" \t\r\n\0\x80")).digest()


def _is_plain_text(content: bytes) -> bool:
    """Whether bytes without a header are at least words: then they are the text of a message, not damage."""
    start = content[:_LOOK_BYTES]
    if not start.strip():
        return False
    odd = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in start)
    odd += start.decode("utf-8", "replace").count("\ufffd")
    return odd <= 1 + len(start) // 50  # a little damage leaves words; the last character may be cut
