"""What stands between a written reply and the outbox. Codes and numbers only: the pages have the sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from connectors.messages import Limits
from connectors.social import Measure, Permission, Visibility
from inbox.rules.exposure import Exposure
from inbox.rules.templates import find_missing


class GateCode(StrEnum):
    EMPTY = "empty"
    MISSING_VALUES = "missing-values"  # data: names
    NO_RECIPIENT = "no-recipient"
    BAD_RECIPIENT = "bad-recipient"  # data: addresses
    TOO_MANY_RECIPIENTS = "too-many-recipients"  # data: count, limit
    STALE = "stale"  # data: newest (the message that its writer has not seen)
    TOO_LONG = "too-long"  # data: count, limit, unit
    OBJECTION = "objection"  # data: sentence; the platform would refuse it
    NOT_PERMITTED = "not-permitted"  # data: sentence; the platform lets nobody, or not us, answer this
    TOO_PUBLIC = "too-public"  # data: visibility, allowed; more would read it than what it answers
    PUBLIC_PERSONAL_DATA = "public-personal-data"  # data: what (rules.exposure.Exposed), found; everybody would read it
    ATTACHMENTS_TOO_LARGE = "attachments-too-large"  # data: bytes, limit
    NOT_THE_CUSTOMER = "not-the-customer"  # data: addresses, asked (those that a Reply-To named)
    SENDING_STOPPED = "sending-stopped"
    CLOSED_ACCOUNT = "closed-account"
    SENT_BEFORE = "sent-before"  # data: addresses; the same text went there within a day
    TOO_MANY_ANSWERS = "too-many-answers"  # data: limit, minutes; in one conversation


# Passed when the agent says so; every other gate is passed by mending the reply.
CONFIRMABLE: Final = frozenset(
    {GateCode.STALE, GateCode.NOT_THE_CUSTOMER, GateCode.SENT_BEFORE, GateCode.PUBLIC_PERSONAL_DATA}
)


@dataclass(frozen=True, slots=True)
class Gate:
    code: GateCode
    blocks: bool = True
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_confirmable(self) -> bool:
        return self.code in CONFIRMABLE


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """A reply as it is about to be queued. Addresses are compared in their normalised form (`*_keys`)."""

    text: str
    recipients: Sequence[str]  # as they will be written
    recipient_keys: Sequence[str]
    customer_keys: Collection[str]  # all identities of the customer, and whom we have written to here before
    asked_keys: Collection[str] = ()  # whom the answered message asks to be answered to
    newest_inbound: int = 0  # id of the newest message the customer wrote; 0: none
    seen_message: int = 0  # id of the newest message its writer had before their eyes
    subject: str = ""
    measure: Measure | None = None  # as the channel counts; None: characters of the text
    objections: Sequence[str] = ()
    permission: Permission | None = None
    visibility: Visibility | None = None  # as it would leave; None: the channel knows no such thing
    visibilities: Collection[Visibility] = ()  # what it may be
    exposed: Sequence[Exposure] = ()  # what it would give away
    attachment_bytes: int = 0
    attachments: int = 0
    bad_recipients: Sequence[str] = ()  # written so that no address can be read
    is_stopped: bool = False  # the global stop switch
    is_account_closed: bool = False


def gate_reply(facts: ReplyFacts, limits: Limits, confirmations: Collection[str] = frozenset()) -> list[Gate]:
    """Every gate in the way, those that block first; an empty list means go.

    A stale reply blocks until its writer has seen the newer message or confirms; so does one that goes to somebody
    who takes no part. A gate that was confirmed is left out. The stop switch does not block: the reply waits.
    """
    gates = [*_content(facts, limits), *_spoken(facts), *_recipients(facts, limits)]
    if facts.newest_inbound > facts.seen_message:
        gates.append(Gate(GateCode.STALE, data={"newest": facts.newest_inbound}))
    if facts.is_account_closed:
        gates.append(Gate(GateCode.CLOSED_ACCOUNT))
    if facts.is_stopped:
        gates.append(Gate(GateCode.SENDING_STOPPED, blocks=False))
    kept = [gate for gate in gates if not (gate.is_confirmable and gate.code in confirmations)]
    return sorted(kept, key=lambda gate: not gate.blocks)


def _content(facts: ReplyFacts, limits: Limits) -> list[Gate]:
    gates = []
    if not facts.text.strip() and not facts.attachments:
        gates.append(Gate(GateCode.EMPTY))
    missing = find_missing(f"{facts.subject}\n{facts.text}")
    if missing:
        gates.append(Gate(GateCode.MISSING_VALUES, data={"names": missing}))
    measure = facts.measure or Measure(len(facts.text), limits.max_characters)
    if 0 < measure.limit < measure.count:
        data = {"count": measure.count, "limit": measure.limit, "unit": measure.unit}
        gates.append(Gate(GateCode.TOO_LONG, data=data))
    if 0 < limits.max_attachment_bytes < facts.attachment_bytes:
        data = {"bytes": facts.attachment_bytes, "limit": limits.max_attachment_bytes}
        gates.append(Gate(GateCode.ATTACHMENTS_TOO_LARGE, data=data))
    return gates


def _spoken(facts: ReplyFacts) -> list[Gate]:
    """What the rules of a platform say, and who would read it."""
    gates = []
    if facts.permission is not None and facts.permission.allowed is False:
        gates.append(Gate(GateCode.NOT_PERMITTED, data={"sentence": facts.permission.sentence}))
    if facts.visibility is not None and facts.visibility not in facts.visibilities:
        data = {"visibility": str(facts.visibility), "allowed": tuple(str(one) for one in facts.visibilities)}
        gates.append(Gate(GateCode.TOO_PUBLIC, data=data))
    gates += [Gate(GateCode.OBJECTION, data={"sentence": one}) for one in facts.objections]
    if facts.exposed:
        what = tuple(dict.fromkeys(str(one.what) for one in facts.exposed))
        found = tuple(dict.fromkeys(one.text for one in facts.exposed))
        gates.append(Gate(GateCode.PUBLIC_PERSONAL_DATA, data={"what": what, "found": found}))
    return gates


def _recipients(facts: ReplyFacts, limits: Limits) -> list[Gate]:
    gates = []
    if facts.bad_recipients:
        gates.append(Gate(GateCode.BAD_RECIPIENT, data={"addresses": tuple(facts.bad_recipients)}))
    elif not facts.recipients:
        gates.append(Gate(GateCode.NO_RECIPIENT))
    if 0 < limits.max_recipients < len(facts.recipients):
        data = {"count": len(facts.recipients), "limit": limits.max_recipients}
        gates.append(Gate(GateCode.TOO_MANY_RECIPIENTS, data=data))
    strangers = tuple(
        address
        for address, key in zip(facts.recipients, facts.recipient_keys, strict=True)
        if key not in facts.customer_keys
    )
    if strangers:
        gates.append(_not_the_customer(facts, strangers))
    return gates


def _not_the_customer(facts: ReplyFacts, strangers: Sequence[str]) -> Gate:
    keys = dict(zip(facts.recipients, facts.recipient_keys, strict=True))
    asked = tuple(one for one in strangers if keys[one] in facts.asked_keys)
    return Gate(GateCode.NOT_THE_CUSTOMER, data={"addresses": tuple(strangers), **({"asked": asked} if asked else {})})
