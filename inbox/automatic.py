"""The home's rule for automatic mail: which classes stand aside (rules/automatic.py), read and set."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from inbox.models import Organisation
from inbox.people import Actor, audit
from inbox.rules.automatic import ASIDE_BY_DEFAULT, MailClass

_KEY = "automatic_aside"


def classes_aside(organisation: Organisation | None = None) -> frozenset[MailClass]:
    """The classes that are kept out of the queue."""
    found = organisation or Organisation.objects.filter(id=1).first()
    chosen = (found.settings if found else {}).get(_KEY)
    if not isinstance(chosen, list):
        return ASIDE_BY_DEFAULT
    return frozenset(one for one in MailClass if one in chosen)


@transaction.atomic
def set_classes_aside(classes: Iterable[str], actor: Actor, now: datetime) -> frozenset[MailClass]:
    """For mail that arrives from now on; what is here stays where it is. Unknown words are ignored."""
    wanted = set(classes)
    aside = frozenset(one for one in MailClass if one in wanted)
    organisation = Organisation.objects.select_for_update().get_or_create(id=1)[0]
    if aside != classes_aside(organisation):
        organisation.settings = {**organisation.settings, _KEY: sorted(aside)}
        organisation.save(update_fields=["settings"])
        audit("automatic-mail", "organisation:1", actor, now, {"aside": sorted(aside)})
    return aside
