"""What a message carries besides words, as its row keeps it: invitations, delivery reports, a complaint, a post.

    {"invitations": [{…Invitation}], "reports": [{…DeliveryReport}], "complaint": {…Complaint}, "post": {…Post}}

Only what there is stands there, and of each only the fields that hold something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from connectors.messages import Address, DeliveryReport, ParsedMessage
from connectors.social import Post, plain
from inbox.text import clean

MAX_REPORTS = 50
MAX_GUESTS = 100


def enclosed(parsed: ParsedMessage) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if parsed.invitations:
        found["invitations"] = [_plain(asdict(one)) for one in parsed.invitations]
        for one in found["invitations"]:
            if guests := one.get("guests"):
                one["guests"] = guests[:MAX_GUESTS]
    if parsed.reports:
        found["reports"] = [_plain(asdict(one)) for one in parsed.reports[:MAX_REPORTS]]
    if parsed.complaint is not None:
        found["complaint"] = _plain(asdict(parsed.complaint))
    if parsed.post is not None:
        found["post"] = cleaned(plain(parsed.post))
    return found


def redacted(post: Post) -> Post:
    """What stays of a post that its author deleted: who could read it and how it concerned us."""
    return Post(standing=post.standing, visibility=post.visibility)


def stored_recipient(role: str, address: Address) -> dict[str, str]:
    """One recipient as a message's row and a draft keep it; mail has no id but the address."""
    kept = {"role": role, "name": clean(address.name)[:200], "address": clean(address.address)[:320]}
    if address.external_id:
        kept["external_id"] = clean(address.external_id)[:200]
    return kept if role else {name: value for name, value in kept.items() if name != "role"}


def cleaned(value: Any) -> Any:
    """JSON whose texts every database stores."""
    if isinstance(value, dict):
        return {clean(str(name)): cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(one) for one in value]
    return clean(value) if isinstance(value, str) else value


def reported(row: Mapping[str, Any]) -> DeliveryReport:
    """One of `reports` as it was read."""
    names = ("message_id", "recipient", "action", "status", "diagnostic")
    return DeliveryReport(*(str(row.get(name) or "") for name in names))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one not in ("", None, (), [], 0, False)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return clean(value) if isinstance(value, str) else value
