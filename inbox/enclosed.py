"""What a message carries besides words, as its row keeps it: invitations, delivery reports, a complaint.

    {"invitations": [{…Invitation}], "reports": [{…DeliveryReport}], "complaint": {…Complaint}}

Only what there is stands there, and of each only the fields that hold something.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connectors.messages import ParsedMessage
from inbox.ingest.text import clean

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
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one not in ("", None, (), [], 0, False)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return clean(value) if isinstance(value, str) else value
