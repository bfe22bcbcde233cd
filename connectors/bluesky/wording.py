"""The words of posts and direct messages as they are kept, and what stands for those that cannot be read."""

from __future__ import annotations

from hashlib import sha256

from connectors.messages import Address, Flag, ParsedMessage, Passage, RawItem
from connectors.passages import NEW
from connectors.social import Post, Visibility

MAX_TEXT = 20_000
_CONTROL = {code: None for code in range(32) if code not in (9, 10)} | {127: None}


def digest_of(*parts: str) -> str:
    return sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def clean(shown: str) -> str:
    return shown.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL)


def unreadable(item: RawItem) -> ParsedMessage:
    """As much as there is: the reference, and a text that says what is missing."""
    shown = (item.content or b"")[:MAX_TEXT].decode("utf-8", "replace").translate(_CONTROL)
    return ParsedMessage(
        author=Address(""),
        recipients=(),
        subject="",
        text=shown,
        visible_text=shown,
        written_at=None,
        message_id=item.external_id if item.external_id.startswith(("at://", "bsky:")) else "",
        passages=(Passage(NEW, shown),) if shown else (),
        flags=(Flag.UNREADABLE,),
        stable_sha256=sha256(item.content or b"").hexdigest(),
        post=Post(visibility=Visibility.DIRECT),
    )
