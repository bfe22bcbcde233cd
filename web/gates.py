"""What stands in the way of a reply, in one sentence each, and whether saying "that is right" takes it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from inbox.rules.gates import Gate, GateCode
from web.formatting import file_size


@dataclass(frozen=True, slots=True)
class GateWords:
    name: str
    sentence: str
    is_confirmable: bool


def _stranger_words(data: Mapping[str, Any]) -> str:
    asked = data.get("asked", ())
    others = [one for one in data.get("addresses", ()) if one not in asked]
    if not asked:
        return _("It also goes to others than the customer: %(names)s.")
    words = _("The mail asks for answers to go to %(asked)s, which is not its sender.") % {"asked": ", ".join(asked)}
    if others:
        words = f"{words} " + _("It also goes to %(names)s.") % {"names": ", ".join(others)}
    return words.replace("%", "%%")


def gate_words(gate: Gate) -> GateWords:
    data = gate.data
    names = ", ".join(str(one) for one in data.get("addresses", data.get("names", ())))
    limit = data.get("limit", 0)
    sentences = {
        GateCode.EMPTY: _("Write something first."),
        GateCode.MISSING_VALUES: _("Fill in what is missing: %(names)s."),
        GateCode.NO_RECIPIENT: _("Say who it goes to."),
        GateCode.BAD_RECIPIENT: _("These addresses cannot be read: %(names)s."),
        GateCode.TOO_MANY_RECIPIENTS: _("%(count)s recipients are more than the %(limit)s that are allowed."),
        GateCode.STALE: _("Somebody wrote while you were writing. Read it first."),
        GateCode.TOO_LONG: _("The text is longer than the %(limit)s characters that are allowed."),
        GateCode.ATTACHMENTS_TOO_LARGE: _("The files are larger than the %(size)s that mail servers take."),
        GateCode.NOT_THE_CUSTOMER: _stranger_words(data),
        GateCode.SENDING_STOPPED: _("Sending is stopped at the moment: it leaves as soon as it is allowed again."),
        GateCode.CLOSED_ACCOUNT: _("The mailbox that it would leave from is paused or removed. Choose another."),
        GateCode.SENT_BEFORE: _("The same text went there within the last day."),
        GateCode.TOO_MANY_ANSWERS: _(
            "This conversation had %(limit)s answers within %(minutes)s minutes. Wait a little."
        ),
    }
    values = {
        "names": names,
        "limit": limit,
        "count": data.get("count", 0),
        "minutes": data.get("minutes", 0),
        "size": file_size(int(limit)) if gate.code is GateCode.ATTACHMENTS_TOO_LARGE else "",
    }
    return GateWords(str(gate.code), sentences[gate.code] % values, gate.is_confirmable)
