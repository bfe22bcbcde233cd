"""The entries of a timeline in words: messages and where their sends stand, and what may not be read."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.models import User
from inbox.rules.automatic import MailClass, class_of
from inbox.rules.passages import is_shown
from web.enclosures import cards
from web.filenames import is_program, safe_name
from web.formatting import Clock
from web.languages import find_language, language_words
from web.mailbody import may_be_previewed
from web.posts import ShownPost, accepted_words, at_handle, find_post, safe_url, shown_entry
from web.rows import channel_of
from web.sends import send_words
from web.trust import checked_words, sender_badges, sender_notices

_PREFIX = re.compile(r"^\s*((re|aw|sv|vs|fw|fwd|wg|tr|rif|odp|ynt|bls|ref|râ)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def bare_subject(subject: str) -> str:
    return " ".join(_PREFIX.sub("", subject).split())


# Acts that their message tells already.
TOLD_BY_MESSAGE = frozenset({"reply", "note", "customer-wrote", "dismiss-offer"})


def hidden_entry(entry: dict[str, Any], number: int) -> dict[str, Any]:
    return {"entry": "hidden", "key": f"h{number}", "count": entry.get("count", 1)}


# --- Messages -------------------------------------------------------------------------------------------------------


def _part(kind: str, text: str) -> dict[str, Any]:
    lines = len(text.strip().splitlines())
    summaries = {
        "quote": ngettext("Quoted, %(num)s line", "Quoted, %(num)s lines", lines) % {"num": lines},
        "signature": _("Signature"),
        "footer": _("Footer"),
    }
    return {"is_shown": is_shown(kind), "text": text, "summary": summaries.get(kind, _("More"))}


def _notices(entry: dict[str, Any]) -> list[dict[str, Any]]:
    flags = set(entry.get("flags") or ())
    found = []
    if "unreadable" in flags:
        found.append((_("This mail could not be read"), _("It is kept byte for byte."), "warn", "file-text", True))
    if "too-large" in flags:
        found.append(
            (
                _("This mail is too large to be fetched whole"),
                _("Its head is shown; the rest lies on the server."),
                "warn",
                "file-text",
                False,
            )
        )
    elif "truncated" in flags:
        found.append(
            (_("Only a part of this mail is shown"), _("The whole is in its source."), "warn", "file-text", True)
        )
    if "encrypted" in flags:
        found.append(
            (
                _("This mail is encrypted"),
                _("Balas has no key for it. Open its source with a program that has."),
                "calm",
                "lock",
                True,
            )
        )
    found += sender_notices(entry)
    if "same-id-other-content" in flags:
        found.append(
            (_("Another mail has the same id"), _("Both are shown, because their words differ."), "warn", "copy", False)
        )
    return [{"title": a, "text": b, "tone": c, "icon": d, "raw": e} for a, b, c, d, e in found]


def _badges(entry: dict[str, Any]) -> list[dict[str, str]]:
    words = {
        MailClass.AUTO_REPLY: (_("Automatic answer"), "clock"),
        MailClass.BOUNCE: (_("Delivery report"), "triangle-alert"),
        MailClass.LIST: (_("From a mailing list"), "users"),
        MailClass.NEWSLETTER: (_("Newsletter"), "users"),
        MailClass.REPORT: (_("Automatic report"), "file-text"),
        MailClass.GROUP: (_("Through a group of ours"), "users"),
    }
    found = []
    mail_class = class_of(entry.get("automatic") or "", entry.get("flags") or ())
    if mail_class is not None:
        text, icon = words[mail_class]
        found.append({"text": text, "icon": icon, "tone": ""})
    if "from-own-address" in (entry.get("flags") or ()):
        found.append({"text": _("From one of our own addresses"), "icon": "info", "tone": ""})
    if "signed" in (entry.get("flags") or ()):
        found.append({"text": _("Signed; Balas does not check signatures"), "icon": "shield-check", "tone": ""})
    found += [{"text": unsure, "icon": "shield-alert", "tone": ""} for unsure in sender_badges(entry)]
    return found


def _people(recipients: list[dict[str, str]], role: str) -> str:
    shown = [_named(one) for one in recipients if one.get("role") == role]
    more = len(shown) - 20
    return ", ".join(shown[:20]) + (_(" and %(n)d more") % {"n": more} if more > 0 else "")


def _named(one: dict[str, str]) -> str:
    return f"{one['name']} <{one['address']}>" if one.get("name") else one.get("address", "")


def _details(entry: dict[str, Any], clock: Clock) -> list[tuple[str, str]]:
    author = {"name": entry.get("author_name", ""), "address": entry.get("author_address", "")}
    recipients = entry.get("recipients") or []
    found = [(_("From"), _named(author)), (_("To"), _people(recipients, "to")), (_("Cc"), _people(recipients, "cc"))]
    found.append((_("Answers go to"), _people(recipients, "reply-to")))
    found += [(_("Subject"), entry.get("subject") or ""), (_("Written"), clock.full(entry["at"]))]
    for delivery in entry.get("deliveries") or ():
        found.append((_("Arrived"), f"{delivery['account_name']}, {clock.full(delivery['received_at'])}"))
    found.append((_("Language"), language_words(entry) if entry["direction"] == "inbound" else ""))
    found.append((_("Sender check"), checked_words(entry)))
    return [(name, value) for name, value in found if value]


def _told_copies(entry: dict[str, Any], copies: list[dict[str, Any]], clock: Clock) -> dict[str, str] | None:
    deliveries = entry.get("deliveries") or []
    places = {delivery["account_name"] for delivery in deliveries}
    if find_post(entry) is not None and len(places) < 2:
        return None  # every version of a post arrives
    if len(deliveries) > 1:
        count = max(len(places), 2)
        summary = (
            ngettext("Arrived in %(num)s mailbox, shown once", "Arrived in %(num)s mailboxes, shown once", count)
            if len(places) > 1
            else _("Arrived %(num)s times, shown once")
        )
        told = [f"{one['account_name']}, {clock.time(one['received_at'])}" for one in deliveries]
        return {
            "summary": summary % {"num": len(places) if len(places) > 1 else len(deliveries)},
            "text": "; ".join(told),
        }
    if copies:
        count = len(copies)
        summary = ngettext("%(num)s copy folded in here", "%(num)s copies folded in here", count) % {"num": count}
        return {"summary": summary, "text": "; ".join(clock.full(one["at"]) for one in copies)}
    return None


def _by(entry: dict[str, Any], post: ShownPost | None) -> str:
    if entry["direction"] == "note":
        return _("Internal note, never sent")
    if post is not None and entry["direction"] == "inbound":
        return post.meta
    channel = post.meta if post is not None else channel_of(entry["kind"]).word
    if entry["direction"] == "outbound":
        to = [
            one.get("name") or one.get("address", "")
            for one in entry.get("recipients") or ()
            if one.get("role") == "to"
        ]
        return _("%(channel)s to %(names)s") % {"channel": channel, "names": ", ".join(to[:3])} if to else channel
    places = [delivery["account_name"] for delivery in entry.get("deliveries") or ()]
    return _("%(channel)s to %(place)s") % {"channel": channel, "place": places[0]} if places else channel


def _file(attachment: dict[str, Any]) -> dict[str, Any]:
    kind, name = attachment["content_type"], safe_name(attachment["name"]) if attachment["name"] else _("attachment")
    icon = "image" if kind.startswith("image/") else "file-text"
    runs = is_program(name)
    return {
        "id": attachment["id"],
        "name": name,
        "size": attachment["size"],
        "icon": "triangle-alert" if runs else icon,
        "runs": runs,
        "has_preview": not runs and may_be_previewed(kind, attachment["size"]),
    }


def message_entry(
    entry: dict[str, Any], user: User, clock: Clock, subject: str, copies: list[dict[str, Any]]
) -> dict[str, Any]:
    passages = [(kind, text) for kind, text in entry.get("passages") or () if text.strip()]
    words = sum(len(text) for kind, text in passages if is_shown(kind))
    parts = [_part(kind, text) for kind, text in passages]
    tail: list[dict[str, Any]] = []  # what is folded at the end stands in one line with the other folds
    while parts and not parts[-1]["is_shown"]:
        tail.insert(0, parts.pop())
    ours = entry["direction"] != "inbound"
    who = (entry.get("author_user_name") if ours else "") or entry.get("author_name") or entry.get("author_address")
    post = shown_entry(entry, clock)
    accepted = accepted_words(entry["kind"], post) if post else ""
    own_subject = bare_subject(entry.get("subject") or "")
    lines = sum(1 + len(line) // 90 for _kind, text in passages for line in text.splitlines())
    return {
        "entry": "message",
        "id": entry["id"],
        "direction": entry["direction"],
        "channel": channel_of(entry["kind"], post.visibility if post else ""),
        "post": post,
        "shows_pictures": bool(entry.get("shows_pictures")),
        "at": entry["at"],
        "who": (_("You") if entry.get("author_user_id") == user.id else who) or _("Unknown sender"),
        "by": _by(entry, post),
        "subject_change": own_subject if own_subject and own_subject != bare_subject(subject) else "",
        "language": find_language(entry),
        "now_in": "",  # the language, where the customer has changed it
        "parts": parts,
        "tail": tail,
        "has_html": bool(entry.get("has_html")),
        "opens_html": bool(entry.get("has_html")) and (not words or entry.get("automatic") == "list"),
        "lines": min(40, max(6, 2 * (lines // 2) + 4)),
        "files": [_file(one) for one in entry.get("attachments") or () if not one.get("is_inline")],
        "sends": [send_words(send, clock, accepted) for send in entry.get("sends") or ()],
        "copies": _told_copies(entry, copies, clock),
        "notices": _notices(entry),
        "cards": cards(entry, clock),
        "badges": _badges(entry),
        "details": _details(entry, clock),
        "has_source": entry["direction"] != "note",
        "is_unread": False,
    }


def context_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """A post of another conversation that this one answers."""
    address = at_handle(entry["author_address"])
    return {
        **{name: entry[name] for name in ("entry", "at", "text", "is_ours", "is_deleted")},
        "key": f"c{entry['id']}",
        "who": _("Our post") if entry["is_ours"] else entry["author_name"] or address,
        "address": address,
        "url": safe_url(entry["url"]),
    }
