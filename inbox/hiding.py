"""Folding a post away, with the reason, for everybody here: spam, hate, off topic. At the platform nothing changes.

An act like others: recorded, told to every open page, undone by whoever did it. What is hidden stays in the
conversation, can be opened, and still counts in its history.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from inbox.acts import Act, Desk, Refusal
from inbox.models import AuditRecord, PostState
from inbox.people import Actor
from inbox.rules.states import HiddenWhy


@transaction.atomic
def hide(conversation_id: int, message_id: int, actor: Actor, now: datetime, *, why: str) -> Act:
    """`why`: a word of HiddenWhy, "" shows it again. Raises Refusal for a post that is not in this conversation."""
    if why and why not in set(HiddenWhy):
        raise Refusal(_("Choose a reason."))
    desk = Desk.open(conversation_id, actor, now)
    state = _post(conversation_id, message_id)
    before = state.hidden_why
    if before != why:
        _put(state, why)
        desk.touched = desk.is_reversible = True
    data = {"message": str(message_id), "why": why, "before": before}
    return desk.close("hide" if why else "show-again", data=data)


def _post(conversation_id: int, message_id: int) -> PostState:
    rows = PostState.objects.select_for_update(of=("self",)).filter(
        message__strand__links__conversation_id=conversation_id, message__strand__links__ended_at=None
    )
    found = rows.filter(message_id=message_id, message__direction="inbound").first()
    if found is None:
        raise Refusal(_("This post is no longer here."))
    return found


def _put(state: PostState, why: str) -> None:
    state.hidden_why = why
    state.save(update_fields=["hidden_why"])


def unhide(desk: Desk, record: AuditRecord) -> None:
    """Takes either act back, unless somebody has given another reason since."""
    state = _post(desk.conversation.id, int(record.data["message"]))
    if state.hidden_why != record.data["why"]:
        raise Refusal(_("This can no longer be undone: something else has changed since."))
    _put(state, str(record.data["before"]))
    desk.touched = True
