"""What a message's sender is worth, in words: vouched for or not, and made to look like somebody else or not."""

from __future__ import annotations

import time
from typing import Any

from django.utils.translation import gettext as _

from connectors.mail.authentication import UNNAMED
from connectors.mail.lookalikes import Mark, Seeming
from inbox import lookalikes

_OURS_SECONDS = 10.0
_remembered: tuple[float, lookalikes.Ours] | None = None


def our_names() -> lookalikes.Ours:
    """Remembered for seconds: every conversation asks for them, and they hardly ever change."""
    global _remembered
    if _remembered is None or time.monotonic() - _remembered[0] > _OURS_SECONDS:
        _remembered = (time.monotonic(), lookalikes.ours())
    return _remembered[1]


def forget_ours() -> None:
    global _remembered
    _remembered = None


def _seeming_words(one: Seeming) -> tuple[str, str]:
    words = {
        Mark.ADDRESS_IN_NAME: (
            _("The name holds another address: %(of)s"),
            _("The mail did not come from there. Its real address stands under “Details”."),
        ),
        Mark.MIXED_NAME: (
            _("“%(of)s” mixes letters of two alphabets"),
            _("It is written to look like another name."),
        ),
        Mark.FOREIGN_DOMAIN: (
            _("The domain %(of)s is not what it seems"),
            _("It is written with letters that look like others."),
        ),
        Mark.LIKE_OURS: (
            _("The sender looks like us: %(of)s"),
            _("It is somebody else. Do not give anything away."),
        ),
        Mark.LIKE_CUSTOMER: (
            _("The sender looks like somebody you know: %(of)s"),
            _("It is another address. Ask them on a way that you know."),
        ),
    }
    title, text = words[one.mark]
    return title % {"of": one.of}, text


def sender_notices(entry: dict[str, Any]) -> list[tuple[str, str, str, str, bool]]:
    """(title, text, tone, icon, whether the source is offered)."""
    if entry["direction"] != "inbound":
        return []
    found = []
    if "failed-sender-check" in (entry.get("flags") or ()):
        title = _("The sender may be somebody else")
        text = _("The mail server could not confirm the address. Do not send anything confidential.")
        found.append((title, text, "late", "shield-alert", False))
    name, address = entry.get("author_name") or "", entry.get("author_address") or ""
    for one in lookalikes.marks_of(entry["kind"], name, address, our_names())[:3]:
        title, text = _seeming_words(one)
        found.append((title, text, "warn", "shield-alert", False))
    return found


def sender_badge(entry: dict[str, Any]) -> str:
    """A calm word for what nobody vouches for; "" where somebody does, and where a notice says it louder."""
    if entry["direction"] != "inbound" or "failed-sender-check" in (entry.get("flags") or ()):
        return ""
    if entry.get("verified") is False:
        return _("Sender not confirmed")
    return _("Sender not checked") if entry.get("verified") is None else ""


def server_word(server: str) -> str:
    return _("the mail server that writes no name") if server == UNNAMED else server


def checked_words(entry: dict[str, Any]) -> str:
    """What the receiving server found, for who wants to know: "mx.example.org: dmarc pass (shop.example)"."""
    kept = entry.get("authentication")
    if not isinstance(kept, dict):
        return ""
    server = server_word(str(kept.get("server", "")))
    told = [f"{method} {result}" + (f" ({of})" if of else "") for method, result, of in kept.get("results", ())]
    if not kept.get("is_trusted"):
        return _("%(server)s says %(what)s; nobody has confirmed that it is ours") % {
            "server": server,
            "what": ", ".join(told) or _("nothing"),
        }
    return f"{server}: {', '.join(told) or _('nothing')}"
