"""What stands in the way of a reply, in one sentence each, and whether saying "that is right" takes it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from inbox.rules.exposure import Exposed
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


def _exposure_words(what: Sequence[str]) -> str:
    words: dict[str, str] = {
        Exposed.ORDER_NUMBER: _("An order number would be public."),
        Exposed.EMAIL: _("An e-mail address would be public."),
        Exposed.PHONE: _("A telephone number would be public."),
        Exposed.CARD: _("A card number would be public."),
        Exposed.BANK_ACCOUNT: _("A bank account would be public."),
        Exposed.PRIVATE_WORDS: _("Words from a private message would be public."),
    }
    several: str = _("Something personal would be public: %(found)s.")
    return words.get(what[0], several) if len(what) == 1 else several


def _limit_words(unit: str) -> str:
    if unit == "bytes":
        return _("The text has %(count)s bytes; %(limit)s are allowed.")
    return _("The text is longer than the %(limit)s characters that are allowed.")


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
        GateCode.TOO_LONG: _limit_words(str(data.get("unit", ""))),
        GateCode.OBJECTION: "%(sentence)s",
        GateCode.NOT_PERMITTED: "%(sentence)s",
        GateCode.TOO_PUBLIC: _("More people could read this than what it answers."),
        GateCode.PUBLIC_PERSONAL_DATA: _exposure_words(data.get("what", ("",))),
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
        "sentence": data.get("sentence", "") or _("The platform does not allow this."),
        "found": ", ".join(str(one) for one in data.get("found", ())),
        "names": names,
        "limit": limit,
        "count": data.get("count", 0),
        "minutes": data.get("minutes", 0),
        "size": file_size(int(limit)) if gate.code is GateCode.ATTACHMENTS_TOO_LARGE else "",
    }
    return GateWords(str(gate.code), sentences[gate.code] % values, gate.is_confirmable)
