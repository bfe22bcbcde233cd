"""By what a message is known, whether it may enter a strand, and whether it may come back to old work.

A thread is a graph of references and knows no persons. A strand is one counterparty's part of it: five hundred
answers to one newsletter are one thread and five hundred strands. Subjects and ticket numbers never join anything.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from connectors.messages import Automatic, Flag
from inbox.rules.states import Status

MAX_KEY_LENGTH: Final = 500
MIN_KEY_LENGTH: Final = 6
DEFAULT_REOPEN: Final = timedelta(days=30)

# What broken software writes where an id should be. Joining by these would join strangers' matters.
_NO_IDS = frozenset({"null", "none", "nil", "undefined", "unknown", "message-id", "messageid", "id", "nan", "noreply"})


# --- Names --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)  # a thread's messages name each other again and again
def reference_key(message_id: str) -> str | None:
    """How a Message-ID is compared and stored: as written, long ones by hash; None when it identifies nothing."""
    key = message_id.strip().strip("<>").strip()
    local, _, domain = key.partition("@")
    if len(key) < MIN_KEY_LENGTH or not key.isprintable() or " " in key:
        return None
    if local.casefold() in _NO_IDS or not local or (not domain and (len(key) < 12 or "@" in key)):
        return None
    if len(set(key)) < 4:
        return None
    return key if len(key) <= MAX_KEY_LENGTH else "sha256:" + sha256(key.encode()).hexdigest()


# --- Strands --------------------------------------------------------------------------------------------------------


def may_join(verified: bool | None, participates: bool, refers: bool) -> bool:
    """Whether mail from outside may enter a strand and wake it.

    A failed check never may. Otherwise the writer must take part in it and name a message of it; where no server
    verifies senders (None) the same holds, because our Message-IDs cannot be guessed, and the message is badged.
    """
    return verified is not False and participates and refers


def joins_nothing(verified: bool | None, automatic: str, flags: Collection[str]) -> bool:
    """Whether the references of a mail count for nothing, because its sender is not who it says.

    Servers that send bounces seldom have a signature, so one that is merely not vouched for may still name the send
    that it speaks of (it can join nothing else, see strands.py); one whose check failed may not.
    """
    if verified is not False:
        return False
    return automatic != Automatic.BOUNCE or Flag.FAILED_SENDER_CHECK in flags


# --- Coming back ----------------------------------------------------------------------------------------------------


class Return(StrEnum):
    CONTINUE = "continue"  # the conversation is alive
    REOPEN = "reopen"
    FOLLOW_UP = "follow-up"  # next strand of the pair, new conversation, linked to the old one
    KEEP = "keep"  # spam: it joins, and nothing changes


def on_return(
    status: Status | str,
    resolved_at: datetime | None,
    received_at: datetime,
    window: timedelta = DEFAULT_REOPEN,
) -> Return:
    """What a customer's message does to the conversation whose strand it joins."""
    if status == Status.SPAM:
        return Return.KEEP
    if status != Status.RESOLVED:
        return Return.CONTINUE
    if resolved_at is None or received_at - resolved_at <= window:
        return Return.REOPEN
    return Return.FOLLOW_UP


def is_history(written_at: datetime, cut_at: datetime) -> bool:
    """Older than the cut chosen when its account was connected: it arrives resolved, without clock or notice."""
    return written_at < cut_at
