"""Mail as it was sent: HTML cleaned for a sandboxed frame, its pictures drawn anew, bytes of attachments.

The frame has no origin of its own and sends no cookies, so its pictures carry a pass (web/passes.py). Those from
elsewhere stay off until somebody presses for them or has said so once for this sender; then Balas asks for them
(connectors/egress.py), never the browser.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from connectors.egress import MAX_ADDRESS, NotFetched, fetch_picture
from connectors.mail.apart import cut_out
from connectors.mail.attached import is_packed
from connectors.mail.excerpts import find_content_ids, find_html, find_part
from connectors.mail.html import CleanHtml, clean_html
from connectors.mail.links import Link, host_of, readable_host
from connectors.pictures import CONTENT_TYPE, Painter
from inbox import bodies
from inbox.models import Attachment, Message, PictureConsent, RawBody
from inbox.replies import frozen_bytes
from web.passes import make_pass

IN_MAIL: Final = 2000  # points of the longer side
PREVIEW: Final = 320
_MAX_PREVIEWED: Final = 10 * 1024 * 1024
_KEPT_BYTES: Final = 16 * 1024 * 1024
_AT_ONCE = threading.BoundedSemaphore(4)  # of pictures from elsewhere: a slow host must not take every thread


class Gone(Exception):
    """The bytes are not there (any more); str() is a sentence."""


@dataclass(frozen=True, slots=True)
class Body:
    html: str
    blocked_images: int
    shows_images: bool


# --- Bytes ----------------------------------------------------------------------------------------------------------


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


def attachment_bytes(attachment: Attachment) -> bytes:
    """Raises Gone."""
    content = raw_bytes(attachment.message)
    if is_packed(attachment.part):
        data = cut_out(content, attachment.part)
    else:
        found = find_part(content, attachment.part)
        data = found[2] if found else None
    if data is None:
        raise Gone("This file is not in the source of the mail.")
    return data


# --- HTML -----------------------------------------------------------------------------------------------------------


def body_policy(images: str, framed_by: str) -> str:
    """What even a mail that was not cleaned may do: show its own images, open links in a new tab, and no more."""
    return (
        f"default-src 'none'; img-src {images} data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors {framed_by}; sandbox allow-popups allow-popups-to-escape-sandbox"
    )


def image_address(session_key: str, message_id: int, content_id: str) -> str:
    return reverse("inline-image", args=[make_pass(session_key, "image", message_id, content_id)])


def render_body(message: Message, session_key: str, with_images: bool = False) -> Body:
    """The cleaned HTML of a mail, its own images with passes of this session. Raises Gone when there is none.

    `with_images`: somebody pressed for those from elsewhere. They are also shown when this sender's always are.
    """
    content = raw_bytes(message)
    own = find_content_ids(content)
    images = {content_id: image_address(session_key, message.id, content_id) for content_id in own}
    shows = with_images or is_remembered(message)

    def remote(address: str) -> str:
        if len(address) > MAX_ADDRESS:
            return ""
        return reverse("remote-image", args=[make_pass(session_key, "remote", message.id, address)])

    def leaving(link: Link) -> str:
        return reverse("leave", args=[make_pass(session_key, "leave", message.id, link.href[:MAX_ADDRESS], link.named)])

    cleaned = clean_html(
        _html_of(content), cid_url=images.get, remote_url=remote if shows else None, leaving_url=leaving
    )
    return Body(cleaned.html, cleaned.blocked_images, shows)


def _html_of(content: bytes) -> str:
    html = find_html(content)
    if html is None:
        raise Gone("This mail has no formatted text.")
    return html


# --- What a mail would do -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """What a mail's HTML holds that its reader should know before they press anything."""

    images: int
    image_hosts: tuple[str, ...]
    misleading: tuple[Link, ...]
    is_remembered: bool


def look_into(message: Message) -> Look:
    """Raises Gone when there is no HTML."""
    found: CleanHtml = clean_html(_html_of(raw_bytes(message)), cid_url=lambda _id: None, leaving_url=lambda _link: "")
    hosts = Counter(readable_host(host_of(address)) for address in found.remote_images)
    told = {(link.named, link.host): link for link in found.links if link.is_misleading}
    names = tuple(host for host, _count in hosts.most_common(4) if host)
    return Look(len(found.remote_images), names, tuple(told.values())[:5], is_remembered(message))


def is_remembered(message: Message) -> bool:
    """Whether this sender's images are loaded unasked. A mail that failed the sender check gets nothing of that."""
    if message.author_id is None or message.verified is False or message.direction != "inbound":
        return False
    return PictureConsent.objects.filter(identity_id=message.author_id).exists()


def leaving_words(address: str, named: str) -> tuple[str, str, str, str]:
    """(title, sentence, host, address) of the page between a misleading link and where it leads."""
    host = readable_host(host_of(address))
    shown = readable_host(named)
    title = _("This link leads to %(host)s") % {"host": host}
    if not named:
        return title, _("Its address is written to look like another one. Open it only if you know it."), host, address
    sentence = _("In the mail it says “%(named)s”, which is somebody else. Open it only if you expected that.")
    return title, sentence % {"named": shown}, host, address


# --- Pictures -------------------------------------------------------------------------------------------------------


class _Drawn:
    """The pictures that were drawn last, by what they were made of."""

    def __init__(self) -> None:
        self.painter = Painter()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def draw(self, content: bytes, side: int) -> bytes:
        """Raises Gone."""
        key = (hashlib.sha256(content).hexdigest(), side)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        drawn = self.painter.draw(content, side)
        if drawn is None:
            raise Gone("This is no image that can be shown.")
        with self._lock:
            if key not in self._kept:
                self._kept[key] = drawn
                self._size += len(drawn)
            while self._size > _KEPT_BYTES and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
        return drawn


drawings = _Drawn()


def inline_image(message: Message, content_id: str) -> tuple[str, bytes]:
    """Type and bytes of an image that the mail itself carries, drawn anew. Raises Gone for anything else."""
    content = raw_bytes(message)
    part = find_content_ids(content).get(content_id)
    found = find_part(content, part) if part else None
    if found is None:
        raise Gone("There is no such image.")
    return CONTENT_TYPE, drawings.draw(found[2], IN_MAIL)


def remote_image(address: str) -> tuple[str, bytes]:
    """An image from elsewhere: asked for by the one function that may, and drawn anew. Raises Gone."""
    if not _AT_ONCE.acquire(timeout=6.0):
        raise Gone("Too many images are being loaded.")
    try:
        content = fetch_picture(address, settings.EGRESS)
    except NotFetched as why:
        raise Gone(str(why)) from None
    finally:
        _AT_ONCE.release()
    return CONTENT_TYPE, drawings.draw(content, IN_MAIL)


def may_be_previewed(content_type: str, size: int) -> bool:
    return content_type in ("image/png", "image/jpeg", "image/gif", "image/webp") and 0 < size <= _MAX_PREVIEWED


def preview(attachment: Attachment) -> tuple[str, bytes]:
    """A small drawing of an attached picture. Raises Gone."""
    if not may_be_previewed(attachment.content_type, attachment.size):
        raise Gone("This is no image that can be shown.")
    return CONTENT_TYPE, drawings.draw(attachment_bytes(attachment), PREVIEW)
