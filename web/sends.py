"""Where a send stands, in words, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from connectors.messages import Outcome
from inbox.rules.delivery import is_temporary
from inbox.rules.states import SendState
from web.failures import refused_words
from web.formatting import Clock


def _button(text: str, name: str, envelope_id: int, confirm: str = "") -> dict[str, str]:
    return {"text": text, "url": reverse("send-act", args=[envelope_id, name]), "confirm": confirm}


def send_words(send: dict[str, Any], clock: Clock, accepted: str = "") -> dict[str, Any]:
    """Where a send stands: words, a shape and a tone, and what a person can do about it.

    `accepted`: what is said of one that left, where it is no mail.
    """
    state, id, due = SendState(send["state"]), send["id"], send.get("due_at")
    sentence = send.get("sentence") or ""
    shown: dict[str, Any] = {"tone": "", "icon": "clock", "words": "", "detail": "", "until": 0, "buttons": []}
    if state is SendState.QUEUED:
        is_waiting = isinstance(due, datetime) and due > clock.now
        shown.update(words=_("Sending"), until=due.timestamp() if is_waiting and due else 0)
        shown["buttons"] = [_button(_("Undo"), "undo", id)]
    elif state in (SendState.SENDING, SendState.COMMITTING):
        shown.update(words=_("Leaving now"), icon="send")
    elif state is SendState.SENT:
        shown.update(words=accepted or _("Accepted by the server"), tone="good", icon="check")
    elif state is SendState.RETRY:
        again = _("Will be tried again at %(time)s") % {"time": clock.moment(due)} if due else _("Will be tried again")
        shown.update(words=again, tone="warn", icon="refresh-cw", detail=sentence)
    elif state is SendState.FAILED:
        shown.update(words=_("Not sent"), tone="late", icon="circle-x", detail=sentence)
        shown["buttons"] = [_button(_("Send again"), "again", id), _button(_("Back to the draft"), "give-up", id)]
    elif state is SendState.UNKNOWN:
        shown.update(
            words=_("May have been delivered. Looking for proof"),
            tone="late",
            icon="circle-help",
            detail=sentence
            or _("The connection broke before the server's last answer. It is not sent again without you."),
        )
        sure = _("It may already have arrived. If you send it again, the customer may get it twice. Send again?")
        shown["buttons"] = [_button(_("It arrived"), "arrived", id), _button(_("Send again"), "again", id, sure)]
    else:
        shown.update(words=_("Taken back before it was sent"), icon="undo-2")
    _add_recipients(shown, state, send.get("recipients") or ())
    return shown


def _add_recipients(shown: dict[str, Any], state: SendState, recipients: Sequence[dict[str, Any]]) -> None:
    """Whom it did not reach, at once or by what a delivery report said later; and whom it reaches late."""
    if state not in (SendState.SENT, SendState.FAILED, SendState.RETRY):
        return
    refused = [one for one in recipients if str(one.get("outcome", "")).startswith("refused")]
    late = [one for one in recipients if one.get("outcome") == Outcome.SENT and is_temporary("", one.get("code") or "")]
    if refused:
        shown["detail"] = "\n".join(refused_words(one) for one in refused)
        if state is SendState.SENT:
            to_all = all(one in refused for one in recipients)
            words = _("Came back: it reached nobody") if to_all else _("Did not reach everybody")
            shown.update(words=words, tone="late" if to_all else "warn", icon="triangle-alert")
    elif late:
        names = ", ".join(str(one["address"]) for one in late[:3])
        shown["detail"] = _("%(names)s: not there yet, the servers are still trying. Nothing to do.") % {"names": names}
