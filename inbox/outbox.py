"""Sends, their claims and what became of them (failures never send twice). Signatures first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.messages import DeliveryReport, OutboundMessage, Receipt
from inbox.people import Actor

CLAIM_SECONDS = 1800


class ClaimLost(Exception):
    """The envelope passed to somebody else, or was cancelled."""


@dataclass(frozen=True, slots=True)
class Due:
    envelope_id: int
    account_id: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Claim:
    envelope_id: int
    account_id: int
    epoch: int
    owner: str
    message: OutboundMessage


def find_due(now: datetime, limit: int = 50) -> list[Due]: ...
def claim(envelope_id: int, owner: str, now: datetime) -> Claim | None: ...
def commit(claim: Claim, now: datetime) -> None: ...
def record(claim: Claim, result: Receipt | BaseException, now: datetime) -> str:
    """The new state."""
    ...


def sweep_abandoned(now: datetime, limit: int = 50) -> int:
    """`committing` left behind by a crash becomes unknown."""
    ...


def find_unknown_to_check(now: datetime, limit: int = 50) -> list[Due]: ...
def settle(envelope_id: int, receipt: Receipt | None, why: str, now: datetime) -> str:
    """None: this look found nothing; the next one is scheduled."""
    ...


def settle_by_message_id(message_id: str, why: str, now: datetime) -> int: ...
def note_report(report: DeliveryReport, now: datetime) -> int | None:
    """A bounce for one of ours: the conversation's id, or None."""
    ...


def find_to_file(now: datetime, limit: int = 50) -> list[Due]: ...
def message_to_file(envelope_id: int) -> OutboundMessage | None: ...
def filed(envelope_id: int, now: datetime) -> None: ...
def filing_failed(envelope_id: int, now: datetime) -> None: ...
def stop_sending(why: str, actor: Actor, now: datetime) -> None: ...
def allow_sending(actor: Actor, now: datetime) -> None: ...
def counts() -> dict[str, int]:
    """State → envelopes, for the health page."""
    ...
