"""From what an agent wrote to frozen bytes in the outbox. Signatures first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.messages import Address
from inbox.models import Draft, User


@dataclass(frozen=True, slots=True)
class Queued:
    envelope_id: int
    message_id: int
    send_at: datetime  # until then undo_send works
    is_repeat: bool = False  # this request had been queued before


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the composer starts with."""

    account_id: int
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    seen_message: int
    accounts: tuple[tuple[int, str, str], ...]  # (id, name, address) to choose from


class SendProblem(Exception):
    """str() is a sentence for the person."""


def propose(conversation_id: int, user: User) -> Proposal: ...
def queue_reply(
    *,
    conversation_id: int,
    user: User,
    request_id: str,
    text: str,
    to: Sequence[Address],
    now: datetime,
    cc: Sequence[Address] = (),
    account_id: int | None = None,
    with_quote: bool = True,
    attachments: Sequence[int] = (),  # ids of DraftAttachment
    seen_message: int = 0,
    confirmations: frozenset[str] = frozenset(),
    subject: str | None = None,
    template_version_id: int | None = None,
    missing: Sequence[str] = (),
) -> Queued | list[object]:
    """Queued, or the gates (inbox.rules.gates.Gate) that stand in the way."""
    ...


def undo_send(envelope_id: int, user: User, now: datetime) -> Draft: ...
def send_again(envelope_id: int, user: User, now: datetime, *, confirmed: bool) -> None: ...
def confirm_arrived(envelope_id: int, user: User, now: datetime) -> None: ...
def give_up(envelope_id: int, user: User, now: datetime) -> Draft: ...
