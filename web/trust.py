"""What a message's sender is worth, in words: vouched for or not, and made to look like somebody else or not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from connectors.mail.authentication import UNNAMED
from connectors.mail.lookalikes import Mark, Seeming
from inbox import lookalikes

_SECONDS = 30.0
_MOST_SENDERS = 2000


@dataclass(slots=True)
class _Memory:
    """For seconds: every conversation asks for it, it hardly ever changes, and some of it is a walk over all people."""

    until: float
    ours: lookalikes.Ours
    marks: dict[tuple[str, str, str], list[Seeming]] = field(default_factory=dict)
    namesakes: dict[tuple[str, str, str], str | None] = field(default_factory=dict)


_memory: _Memory | None = None


def _recall() -> _Memory:
    global _memory
    memory = _memory
    if memory is None or time.monotonic() > memory.until or len(memory.marks) > _MOST_SENDERS:
        memory = _memory = _Memory(time.monotonic() + _SECONDS, lookalikes.ours())
    return memory


def _marks_of(kind: str, name: str, address: str) -> list[Seeming]:
    memory, key = _recall(), (kind, name, address)
    if key not in memory.marks:
        memory.marks[key] = lookalikes.marks_of(kind, name, address, memory.ours)
    return memory.marks[key]


def _namesake_of(kind: str, name: str, address: str) -> str | None:
    memory, key = _recall(), (kind, name, address)
    if key not in memory.namesakes:
        memory.namesakes[key] = lookalikes.find_namesake(kind, name, address)
    return memory.namesakes[key]


def forget_ours() -> None:
    global _memory
    _memory = None


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
    for one in _marks_of(entry["kind"], name, address)[:3]:
        title, text = _seeming_words(one)
        found.append((title, text, "warn", "shield-alert", False))
    return found


def sender_badges(entry: dict[str, Any]) -> list[str]:
    """Calm words for what nobody vouches for; none where somebody does, and where a notice says it louder."""
    if entry["direction"] != "inbound" or entry.get("verified") is True:
        return []
    found = []
    if "failed-sender-check" not in (entry.get("flags") or ()):
        found.append(_("Sender not confirmed") if entry.get("verified") is False else _("Sender not checked"))
    name, address = entry.get("author_name") or "", entry.get("author_address") or ""
    if namesake := _namesake_of(entry["kind"], name, address):
        found.append(_("Has the name of %(address)s") % {"address": namesake})
    return found


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
