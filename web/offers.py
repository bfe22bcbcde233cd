"""Offers in words: what Balas could do with a message, one press to take it, one to be rid of it."""

from __future__ import annotations

import time
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from connectors.messages import Automatic
from inbox.models import User
from inbox.offers import answers_to, who_we_are
from inbox.reports import find_send_of
from inbox.rules.offers import Offer, Offered, Ours, find_offers
from inbox.timeline import Timeline
from web import access

_OURS_SECONDS = 30.0
_ours: tuple[float, Ours] | None = None


def known_ours() -> Ours:
    """Who we are, remembered for seconds: every conversation page asks."""
    global _ours
    if _ours is None or time.monotonic() - _ours[0] > _OURS_SECONDS:
        _ours = (time.monotonic(), who_we_are())
    return _ours[1]


def forget_ours() -> None:
    global _ours
    _ours = None


def offers_beside(timeline: Timeline, user: User, tab: str) -> dict[int, dict[str, Any]]:
    """Message id → its offer. Nothing for who may not answer."""
    if not access.may(user, "answer"):
        return {}
    entries, others, is_whole = timeline.entries, timeline.others, not timeline.earlier
    id = timeline.conversation["id"]
    offered = [*find_offers(entries, others, known_ours(), (), is_whole=is_whole), *_came_back(timeline, user)]
    if not offered:
        return {}
    answered = answers_to(one.message_id for one in offered)
    # What was answered may have stood before another offer for the same message.
    found = find_offers(entries, others, known_ours(), answered, is_whole=is_whole)
    found += [one for one in offered if one.offer is Offer.CAME_BACK and (one.message_id, "came-back") not in answered]
    return {one.message_id: _view(one, id, tab, may_rule=access.may(user, "accounts")) for one in found}


def _came_back(timeline: Timeline, user: User) -> list[Offered]:
    """A bounce that names no id of ours, in a conversation of its own, and whom we had written to just before."""
    bounces = [one for one in timeline.entries if one.get("automatic") == Automatic.BOUNCE][-1:]
    found = []
    for one in bounces:
        send = find_send_of(one["id"], timeline.conversation["id"])
        if send is not None and access.envelopes(user).filter(id=send.envelope_id).exists():
            data = {"address": send.address, "subject": send.envelope.conversation.subject}
            found.append(Offered(Offer.CAME_BACK, one["id"], {**data, "conversation": send.envelope.conversation_id}))
    return found


def _view(offered: Offered, id: int, tab: str, *, may_rule: bool) -> dict[str, Any]:
    data = offered.data
    who = data.get("name") or data.get("address") or ""
    shown: dict[str, Any] = {"message": offered.message_id, "offer": str(offered.offer), "link": "", "buttons": []}
    take = _button(id, tab, "take-person", _("Take %(who)s as the customer") % {"who": who})
    if offered.offer is Offer.SPLIT:
        shown.update(icon="layers", title=_("A new subject in an old conversation"))
        shown["text"] = _("From here on it can be a conversation of its own, with its own clock.")
        shown["buttons"] = [_button(id, tab, "split", _("Split from here"))]
    elif offered.offer is Offer.WRITER:
        shown.update(icon="contact", title=_("A colleague forwarded this"))
        shown["text"] = _("%(who)s wrote it first. An answer would go to them, without your colleague's words.") % {
            "who": f"{who} <{data['address']}>" if data.get("name") else who
        }
        shown["buttons"] = [take]
    elif offered.offer is Offer.RELAY:
        shown.update(icon="contact", title=_("This looks like a form that writes for somebody"))
        shown["text"] = _("%(relay)s sent it and asks to answer %(who)s. Nobody has checked that address.") % {
            "relay": data["relay"],
            "who": data["address"],
        }
        rule = _button(id, tab, "relay-rule", _("Always for mail from %(relay)s") % {"relay": data["relay"]})
        shown["buttons"] = [take, *([rule] if may_rule else [])]
    elif offered.offer is Offer.CAME_BACK:
        shown.update(icon="undo-2", title=_("This may be an answer of ours that came back"))
        shown["text"] = _("It names %(address)s, whom we had written to in “%(subject)s”. It does not prove it.") % data
        shown["buttons"] = [_button(id, tab, "came-back", _("Yes, it came back"))]
    else:
        shown.update(icon="link-2", title=_("This may be about something known"))
        shown["text"] = _("Another conversation with this customer is called “%(subject)s”.") % data
        shown["link"] = f"{reverse('conversation', args=[data['conversation']])}?tab={tab}"
    shown["dismiss"] = _button(id, tab, "dismiss-offer", _("No"))
    return shown


def _button(id: int, tab: str, name: str, text: str) -> dict[str, str]:
    return {"url": f"{reverse('act', args=[id, name])}?tab={tab}", "text": text}
