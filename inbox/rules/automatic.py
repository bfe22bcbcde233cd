"""Which mail stands aside: labelled, shown under its own tab, in no queue and on no clock.

Every class has a switch of its own for the whole home. What is switched off counts as a person's mail: it opens a
conversation, starts the clock and waits for an answer.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from connectors.messages import Automatic, Flag


class MailClass(StrEnum):
    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    LIST = "list"
    NEWSLETTER = "newsletter"
    REPORT = "report"
    GROUP = "group"  # a person's mail that came through a group of our own


ASIDE_BY_DEFAULT: Final = frozenset(MailClass) - {MailClass.GROUP}

_CLASSES: Final = {
    Automatic.BOUNCE: MailClass.BOUNCE,
    Automatic.AUTO_REPLY: MailClass.AUTO_REPLY,
    Automatic.LIST: MailClass.LIST,
    Automatic.REPORT: MailClass.REPORT,
}


def class_of(automatic: str, flags: Collection[str]) -> MailClass | None:
    """None for what a person wrote to us directly."""
    if not automatic:
        return MailClass.GROUP if Flag.VIA_GROUP in flags else None
    if automatic == Automatic.LIST and Flag.NEWSLETTER in flags:
        return MailClass.NEWSLETTER
    return _CLASSES.get(Automatic(automatic))


def stands_aside(automatic: str, flags: Collection[str], aside: Collection[str]) -> bool:
    """`aside`: the classes that the home keeps out of the queue."""
    found = class_of(automatic, flags)
    return found is not None and found in aside


def is_own_group(list_key: str, own: Collection[str]) -> bool:
    """Whether a list's address (as an identity key) is one of ours, or at the domain of one of ours.

    Mail that people write to support@ may reach the mailbox through a group of that name: its list headers then say
    how it came, not that nobody waits for an answer.
    """
    domain = list_key.rpartition("@")[2]
    return bool(domain) and (list_key in own or any(key.rpartition("@")[2] == domain for key in own))
