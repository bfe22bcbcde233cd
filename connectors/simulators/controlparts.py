"""The parts of the control page, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from connectors.simulators.breaking import BREAKS, waiting_words
from connectors.simulators.control import Controllable, Entry, Person, Telling
from connectors.simulators.web import Request

_KINDS = {"post": "", "reply": "replied", "quote": "quoted", "boost": "boosted", "direct": "wrote privately"}


def note(request: Request) -> str:
    if request.first("refused"):
        return f'<p class="note bad" role="alert">{escape(request.first("refused"))}</p>'
    return f'<p class="note" role="status">{escape(request.first("note"))}</p>' if request.first("note") else ""


def facts(network: Controllable) -> str:
    """A network may have more to tell (`facts`), such as what it would have charged."""
    told = network.facts() if isinstance(network, Telling) else ()
    return f'<p class="quiet small">{escape(" ".join(told))}</p>' if told else ""


def timeline(name: str, entries: Sequence[Entry]) -> str:
    known = {one.id: one for one in entries}
    return "".join(_entry(name, one, known.get(one.about)) for one in entries) or '<li class="quiet">Silence.</li>'


def _entry(name: str, entry: Entry, about: Entry | None) -> str:
    told = [_KINDS.get(entry.kind, ""), "edited" if entry.is_edited else "", "deleted" if entry.is_deleted else ""]
    told = [one for one in (*told, *entry.notes, f"to @{entry.to}" if entry.to else "") if one]
    classes = " ".join(("entry", "ours" * entry.is_ours, "gone" * entry.is_deleted)).strip()
    quoted = f'<div class="about">@{escape(about.author)}: {escape(_cut(about.text))}</div>' if about else ""
    text = "" if entry.kind == "boost" and about else f'<div class="text">{escape(entry.text)}</div>'
    return (
        f'<li><div class="{classes}"><span class="who">@{escape(entry.author)}</span> '
        f'<span class="quiet small">{escape(" · ".join([*told, f"{entry.at:%d %b, %H:%M:%S} UTC"]))}</span>'
        f"{quoted}{text}{'' if entry.is_deleted or entry.kind == 'boost' else _actions(name, entry)}</div></li>"
    )


def _actions(name: str, entry: Entry) -> str:
    def link(how: str, words: str) -> str:
        query = urlencode({"about": entry.id, "how": how, "who": "" if entry.is_ours else entry.author})
        return f'<a class="small" href="/{escape(name)}?{escape(query)}#write">{words}</a>'

    if entry.kind == "direct":
        return f'<div class="actions">{link("direct", "Write again")}</div>'
    remove = (
        f'<form method="post" action="/{escape(name)}/delete"><input type="hidden" name="about" '
        f'value="{escape(entry.id)}"><button class="slim bad">Delete</button></form>'
    )
    links = (link("reply", "Reply"), link("quote", "Quote"), link("boost", "Boost"), link("edit", "Edit"))
    return f'<div class="actions" style="gap:14px;align-items:center">{"".join(links)}{remove}</div>'


def _cut(text: str) -> str:
    return text if len(text) <= 90 else text[:88] + "…"


def writing(name: str, network: Controllable, chosen: Entry | None, how: str, who: str) -> str:
    people = [one for one in network.people() if not one.is_ours and not one.is_suspended]
    options = "".join(_option(one.handle, f"{one.name} (@{one.handle})", one.handle == who) for one in people)
    field = f'<label for="who">As</label><select id="who" name="who">{options}</select>'
    about = f'<input type="hidden" name="about" value="{escape(chosen.id)}">' if chosen else ""
    shown = f'<div class="about">@{escape(chosen.author)}: {escape(_cut(chosen.text))}</div>' if chosen else ""
    other = f'<p class="small"><a href="/{escape(name)}#write">Write something else</a></p>' if chosen else ""
    text = escape(chosen.text) if chosen and how == "edit" else ""
    area = f'<label for="text">Words</label><textarea id="text" name="text" required>{text}</textarea>'
    if how == "boost":
        inner = f'{field}<button class="main">Boost</button>'
    elif how == "edit":
        inner = f'{area}<button class="main">Save the edit</button>'
    else:
        ways = "".join(
            f'<label class="inline"><input type="radio" name="how" value="{value}"{" checked" * (value == how)}>'
            f"{words}</label>"
            for value, words in _ways(network, chosen, how)
        )
        inner = f'{field}{area}{ways}<button class="main" style="margin-top:8px">Write</button>'
    action = how if how in ("boost", "edit") else "say"
    return (
        f'<section class="sheet" id="write"><h2>Be a customer</h2>{shown}'
        f'<form method="post" action="/{escape(name)}/{action}">{about}{inner}</form>{other}</section>'
    )


def _option(value: str, words: str, is_chosen: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" * is_chosen}>{escape(words)}</option>'


def _ways(network: Controllable, chosen: Entry | None, how: str) -> list[tuple[str, str]]:
    if chosen and how == "reply":
        return [("reply", f"Reply to @{chosen.author}")]
    if chosen and how == "quote":
        return [("quote", f"Quote @{chosen.author}")]
    ways = [("", f"Mention @{network.our_handle}"), ("direct", f"Write to @{network.our_handle} privately")]
    return ways[1:] if how == "direct" else ways


def breaking(name: str, network: Controllable) -> str:
    buttons = "".join(
        f'<button class="slim" name="fault" value="{escape(key)}">{escape(one.words)}</button>'
        for key, one in BREAKS.items()
    )
    waiting = network.faults.waiting()
    state = "".join(f"<li>{escape(waiting_words(route, fault))}</li>" for route, fault in waiting)
    mend = (
        f'<ul class="small">{state}</ul><form method="post" action="/{escape(name)}/mend">'
        '<button class="slim">Mend everything</button></form>'
        if waiting
        else ""
    )
    return (
        f'<section class="sheet"><h2>Break things</h2><p class="quiet small">What {escape(network.network)} does '
        f'wrong when Balas calls it next.</p><form method="post" action="/{escape(name)}/break">'
        f'<div class="actions">{buttons}</div></form>{mend}</section>'
    )


def people(name: str, network: Controllable) -> str:
    rows = "".join(_person(name, one) for one in network.people())
    return f'<details class="sheet"><summary>People</summary><ol class="entries">{rows}</ol></details>'


def _person(name: str, one: Person) -> str:
    button = (
        ""
        if one.is_ours
        else (
            f'<form method="post" action="/{escape(name)}/suspend"><input type="hidden" name="person" '
            f'value="{escape(one.handle)}"><input type="hidden" name="suspended" '
            f'value="{"no" if one.is_suspended else "yes"}"><button class="slim">'
            f"{'Let back in' if one.is_suspended else 'Suspend'}</button></form>"
        )
    )
    state = "our account" if one.is_ours else f"{one.followers:,} followers" + ", suspended" * one.is_suspended
    return (
        f'<li><span class="who">{escape(one.name)}</span> <span class="quiet small">@{escape(one.handle)} · '
        f"{escape(state)}</span><div>{escape(one.bio)}</div>{button}</li>"
    )
