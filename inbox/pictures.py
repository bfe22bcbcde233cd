"""Whose images from elsewhere are loaded without asking: somebody said so, and anybody may take it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from inbox import people
from inbox.models import Message, PictureConsent, User


def remember(message: Message, user: User, now: datetime) -> bool:
    """From now on for every mail of its sender. False for a sender whom nobody can tell."""
    if message.author_id is None or message.verified is False:
        return False
    with transaction.atomic():
        values = {"actor": people.actor_name(user), "at": now}
        _row, is_new = PictureConsent.objects.get_or_create(identity_id=message.author_id, defaults=values)
        if is_new:
            people.audit("images.remembered", f"identity:{message.author_id}", user, now)
    return True


def forget(message: Message, user: User, now: datetime) -> None:
    with transaction.atomic():
        if message.author_id and PictureConsent.objects.filter(identity_id=message.author_id).delete()[0]:
            people.audit("images.forgotten", f"identity:{message.author_id}", user, now)
