"""Mail as it was sent: HTML cleaned for a sandboxed frame, its own images by signed addresses, bytes of attachments.

The frame has no origin of its own and sends no cookies, so its images carry a pass (web/passes.py). Remote images stay
off: what was blocked is counted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from connectors.mail.html import clean_html
from connectors.mail.parse import find_content_ids, find_html, find_part
from inbox import bodies
from inbox.models import Attachment, Message, RawBody
from inbox.replies import frozen_bytes
from web.passes import make_pass

# Only these are ever shown inside a page; they are drawn by the browser's image code and nothing else.
_MAGIC: Final = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8", "image/webp": b"RIFF"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]")


class Gone(Exception):
    """The bytes are not there (any more); str() is a sentence."""


@dataclass(frozen=True, slots=True)
class Body:
    html: str
    blocked_images: int


def raw_bytes(message: Message) -> bytes:
    """The mail as the server gave it, or as we froze it for sending. Raises Gone."""
    if message.raw_item is None:
        frozen = frozen_bytes(message.id)
        if frozen is None:
            raise Gone("This message has no source.")
        return frozen
    stored = RawBody.objects.filter(item_id=message.raw_item_id).values_list("content", flat=True).first()
    try:
        return bodies.read(message.raw_item.sha256, stored)
    except FileNotFoundError:
        raise Gone("The file with the source of this message is gone.") from None


def body_policy(images: str, framed_by: str) -> str:
    """What even a mail that was not cleaned may do: show its own images, open links in a new tab, and no more."""
    return (
        f"default-src 'none'; img-src {images} data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors {framed_by}; sandbox allow-popups allow-popups-to-escape-sandbox"
    )


def image_address(session_key: str, message_id: int, content_id: str) -> str:
    return reverse("inline-image", args=[make_pass(session_key, "image", message_id, content_id)])


def render_body(message: Message, session_key: str) -> Body:
    """The cleaned HTML of a mail, its own images with passes of this session. Raises Gone when there is none."""
    content = raw_bytes(message)
    html = find_html(content)
    if html is None:
        raise Gone("This mail has no formatted text.")
    own = find_content_ids(content)
    images = {content_id: image_address(session_key, message.id, content_id) for content_id in own}
    cleaned = clean_html(html, cid_url=images.get)
    return Body(cleaned.html, cleaned.blocked_images)


def inline_image(message: Message, content_id: str) -> tuple[str, bytes]:
    """Type and bytes of an image that the mail itself carries. Raises Gone for anything else."""
    content = raw_bytes(message)
    part = find_content_ids(content).get(content_id)
    found = find_part(content, part) if part else None
    if found is None:
        raise Gone("There is no such image.")
    _name, _declared, data = found
    kind = next((kind for kind, magic in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None or (kind == "image/webp" and data[8:12] != b"WEBP"):
        raise Gone("This is no image that can be shown.")
    return kind, data


def attachment_bytes(attachment: Attachment) -> bytes:
    """Raises Gone."""
    found = find_part(raw_bytes(attachment.message), attachment.part)
    if found is None:
        raise Gone("This file is not in the source of the mail.")
    return found[2]


def safe_name(name: str) -> str:
    """A file name without controls, direction marks and separators, at most 200 bytes (RFC 6266 adds the quoting)."""
    plain = unicodedata.normalize("NFC", name)
    plain = "".join(one for one in plain if unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cs"))
    plain = _UNSAFE.sub("_", plain).strip(" .") or "attachment"
    stem, dot, suffix = plain.rpartition(".")
    while len(plain.encode()) > 200:
        stem = stem[:-1] if dot else ""
        plain = f"{stem}.{suffix[:20]}" if dot and stem else plain[: len(plain) - 1]
    return plain
