"""What people did with a conversation, as its timeline tells it: one sentence for each act."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from inbox.models import User
from web.failures import failure_words
from web.formatting import Clock
from web.posts import why_hidden


def _changed(data: dict[str, Any], name: str) -> Any:
    """What a field became, or None: audit data holds {"changed": {field: [before, after]}}."""
    pair = (data.get("changed") or {}).get(name)
    return pair[1] if isinstance(pair, list) and len(pair) == 2 else None


def _act_words(act: str, data: dict[str, Any], who: str, names: dict[int, str], clock: Clock) -> tuple[str, str]:
    owner, until = _changed(data, "owner_id"), _changed(data, "snoozed_until")
    if act == "assign" and owner is None:
        act = "unassign"
    values = {
        "who": who,
        "act": act,
        "owner": names.get(owner, _("somebody")) if isinstance(owner, int) else "",
        "tag": str(data.get("tag") or ""),
        "subject": str(data.get("subject") or ""),
        "name": str(data.get("name") or ""),
        "recipient": str(data.get("recipient") or _("the address")),
        "why": failure_words(str(data.get("why") or "")),
        "why_hidden": why_hidden(str(data.get("why") or "")),
        "until": clock.moment(datetime.fromisoformat(until)) if isinstance(until, str) else "",
    }
    words = {
        "resolve": ("check", _("%(who)s resolved it.")),
        "no-answer-needed": ("ban", _("%(who)s resolved it: no answer needed.")),
        "split": ("layers", _("%(who)s split it: “%(subject)s” is a conversation of its own now.")),
        "split-off": ("layers", _("%(who)s split this off another conversation.")),
        "take-person": ("contact", _("%(who)s took %(name)s as the customer.")),
        "needs-answer": ("inbox", _("%(who)s put it into the queue.")),
        "reopen": ("undo-2", _("%(who)s opened it again.")),
        "snooze": ("moon", _("%(who)s put it aside until %(until)s.")),
        "unsnooze": ("zap", _("%(who)s woke it up.")),
        "snooze-ended": ("zap", _("It woke up by itself.")),
        "assign": ("user-plus", _("%(who)s gave it to %(owner)s.")),
        "unassign": ("user", _("%(who)s gave it back to everybody.")),
        "team": ("users", _("%(who)s moved it to another team.")),
        "tag": ("tag", _("%(who)s tagged it “%(tag)s”.")),
        "untag": ("tag", _("%(who)s took off the tag “%(tag)s”.")),
        "spam": ("shield-alert", _("%(who)s marked it as spam.")),
        "hate": ("shield-alert", _("%(who)s put it away as hateful.")),
        "block": ("ban", _("%(who)s blocked who wrote this: what they write arrives as spam.")),
        "hide": ("eye-off", _("%(who)s hid a post: %(why_hidden)s.")),
        "show-again": ("undo-2", _("%(who)s showed a hidden post again.")),
        "not-spam": ("undo-2", _("%(who)s said that it is no spam.")),
        "undo": ("undo-2", _("%(who)s took back the last step.")),
        "undo-send": ("undo-2", _("%(who)s took a reply back before it left.")),
        "send-again": ("send", _("%(who)s asked to send it again.")),
        "send-given-up": ("undo-2", _("%(who)s took back a reply that could not be sent.")),
        "bounced": ("triangle-alert", _("The reply came back from %(recipient)s: %(why)s")),
        "delayed": ("clock", _("The reply has not reached %(recipient)s yet: the servers are still trying.")),
    }
    icon, text = words.get(act, ("history", _("%(who)s: %(act)s")))
    return icon, text % values


def act_entry(entry: dict[str, Any], number: int, user: User, names: dict[int, str], clock: Clock) -> dict[str, Any]:
    actor = str(entry.get("actor") or "balas")
    who = "Balas"
    if actor.startswith("user:"):
        who = _("You") if actor == f"user:{user.id}" else names.get(int(actor[5:]), _("Somebody"))
    data = entry["data"] if isinstance(entry.get("data"), dict) else {}
    icon, text = _act_words(str(entry["act"]), data, who, names, clock)
    return {"entry": "act", "key": f"a{number}", "at": entry["at"], "icon": icon, "text": text}
