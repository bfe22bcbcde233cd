"""What a server's answers mean for each recipient (RFC 5321 §4.2.1): pure, so that every case fits in a table."""

from __future__ import annotations

import re
from functools import lru_cache

import idna
from aiosmtplib import SMTPResponse

from connectors.base import AuthFailed, OutcomeUnknown, RetryLater
from connectors.mail.smtp import Begun, describe
from connectors.messages import OutboundMessage, Outcome, Receipt, RecipientOutcome

Outcomes = dict[str, RecipientOutcome]

_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_QUEUE_ID = re.compile(
    r"queued as ([\w.-]{4,80})|\bid[=: ]\s*<?([\w.@-]{4,120})|Ok:? ([A-Za-z0-9]{8,80})\b", re.IGNORECASE
)


def addressees(message: OutboundMessage) -> list[str]:
    """The recipients that an envelope can name; none when the sender is no address."""
    if not envelope_address(message.sender):
        return []
    return [recipient for recipient in message.recipients if envelope_address(recipient)]


def receipt(message: OutboundMessage, outcomes: Outcomes, answer: SMTPResponse | None = None) -> Receipt:
    """One outcome per recipient in the message's order; who is missing in `outcomes` is no address."""
    is_sender_good = bool(envelope_address(message.sender))
    told = tuple(outcomes.get(one) or _no_address(one, is_sender_good) for one in message.recipients)
    if answer is None:
        return Receipt(told)
    found = _QUEUE_ID.search(answer.message)
    queue_id = next((group for group in found.groups() if group), "") if found else ""
    return Receipt(told, queue_id, describe(answer))


def after_refusal(server: str, begun: Begun, wanted: list[str]) -> Outcomes:
    """Sender, recipients or data were refused before the dot. Raises RetryLater or AuthFailed for the server's own
    troubles: one that is closing (421), wants a log-in, or answers what no server answers."""
    ended = begun.data or begun.sender
    if begun.sender.code == 250 and begun.data is None:
        return {one: _refusal(one, reply) for one, reply in zip(wanted, begun.recipients, strict=True)}
    if ended.code in {530, 535}:
        raise AuthFailed(f"{server} wants a log-in before it takes mail: “{describe(ended)}”.")
    if ended.code == 421 or not 400 <= ended.code < 600:
        raise RetryLater(f"{server} does not take the mail now: “{describe(ended)}”.")
    replies = zip(wanted, begun.recipients or [ended] * len(wanted), strict=True)
    return {one: _refusal(one, ended if _is_accepted(reply) else reply) for one, reply in replies}


def after_dot(server: str, begun: Begun, wanted: list[str], answer: SMTPResponse) -> Outcomes:
    """The dot was answered. Raises OutcomeUnknown where the answer is none."""
    if answer.code // 100 not in {2, 4, 5}:
        raise OutcomeUnknown(f"{server} got the mail and answered “{describe(answer)}”; it may have been delivered.")
    return {
        one: _final(one, answer) if _is_accepted(reply) else _refusal(one, reply)
        for one, reply in zip(wanted, begun.recipients, strict=True)
    }


def _is_accepted(answer: SMTPResponse) -> bool:
    return 250 <= answer.code <= 252


def _told(recipient: str, outcome: Outcome, answer: SMTPResponse) -> RecipientOutcome:
    enhanced = _ENHANCED.match(answer.message)
    code = f"{answer.code} {enhanced[1]}" if enhanced else str(answer.code)
    return RecipientOutcome(recipient, outcome, code, describe(answer).partition(" ")[2])


def _refusal(recipient: str, answer: SMTPResponse) -> RecipientOutcome:
    return _told(recipient, Outcome.REFUSED if 500 <= answer.code < 600 else Outcome.REFUSED_FOR_NOW, answer)


def _final(recipient: str, answer: SMTPResponse) -> RecipientOutcome:
    """What the answer to the dot, already known to be 2xx, 4xx or 5xx, means for a recipient that was accepted."""
    return _told(recipient, Outcome.SENT, answer) if answer.code < 300 else _refusal(recipient, answer)


def _no_address(recipient: str, is_sender_good: bool) -> RecipientOutcome:
    if is_sender_good:
        return RecipientOutcome(recipient, Outcome.REFUSED, "553 5.1.3", "This is no mail address.")
    return RecipientOutcome(recipient, Outcome.REFUSED, "553 5.1.7", "The sender's address is no mail address.")


@lru_cache(maxsize=4096)
def envelope_address(address: str) -> str:
    """The address as an envelope holds it, its domain in ASCII; "" when it is none or could smuggle a command."""
    local, at, domain = address.strip().rpartition("@")
    if not local or not at or not domain or _UNSAFE.search(address.strip()) or len(address) > 320:
        return ""
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            return ""
    return f"{local}@{domain}"
