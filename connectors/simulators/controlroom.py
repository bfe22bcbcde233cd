"""The page from which a visitor moves the simulated networks: speak as somebody, boost, edit, delete, break things.

    with ControlServer([x, mastodon, bluesky]) as room: … room.base_url …

One server for all networks that keep `Controllable`. Without scripts everything works; with them the timeline follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlencode, urlsplit

from connectors.simulators.breaking import BREAKS, waiting_words
from connectors.simulators.control import Controllable, Entry, NoSuchEntry, Person
from connectors.simulators.page import page
from connectors.simulators.web import Answer, Request, SimulatedServer, html_answer, redirect, utc_now

MOST_SHOWN = 60
_KINDS = {"post": "", "reply": "replied", "quote": "quoted", "boost": "boosted", "direct": "wrote privately"}
# The timeline is fetched again while nobody is inside one of its buttons.
_FOLLOW = """
<script>
const list = document.getElementById("timeline");
setInterval(async () => {
  if (document.hidden || list.contains(document.activeElement)) return;
  try {
    const found = await (await fetch(list.dataset.from)).text();
    if (found !== list.dataset.last) { list.innerHTML = found; list.dataset.last = found; }
  } catch { /* the simulators are stopping; the next round tells */ }
}, 2500);
</script>
"""


class ControlServer(SimulatedServer):
    name = "control page"

    def __init__(
        self,
        networks: Sequence[Controllable],
        *,
        port: int = 0,
        usual_port: int = 0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(port=port, usual_port=usual_port, now=now)
        self.networks = {one.network.lower(): one for one in networks}
        self.route("GET /", self.show_first)
        self.route("GET /:network", self.show)
        self.route("GET /:network/timeline", self.show_timeline)
        for name, act in (
            ("say", self.say),
            ("boost", self.boost),
            ("edit", self.edit),
            ("delete", self.delete),
            ("suspend", self.suspend),
            ("break", self.break_),
            ("mend", self.mend),
        ):
            self.route(f"POST /:network/{name}", self._acting(act))

    def prepare(self, request: Request) -> Answer | None:
        """Another page in the visitor's browser must not speak here."""
        origin = request.headers.get("origin", "")
        if request.method == "POST" and origin and urlsplit(origin).netloc != request.headers.get("host", ""):
            return html_answer(page("Not from here", "<h1>Only this page may do that.</h1>"), 403)
        if request.route and "network" in request.values and request.values["network"] not in self.networks:
            return self.missing(request)
        return None

    def missing(self, request: Request) -> Answer:
        return html_answer(page("Nothing here", '<h1>Nothing here</h1><p><a href="/">All networks</a></p>'), 404)

    # --- Looking ----------------------------------------------------------------------------------------------------

    def show_first(self, request: Request) -> Answer:
        if not self.networks:
            return html_answer(page("Simulated networks", "<h1>No simulated network is running.</h1>"))
        return redirect("/" + next(iter(self.networks)))

    def show(self, request: Request) -> Answer:
        name = request.values["network"]
        network = self.networks[name]
        entries = network.timeline(MOST_SHOWN)
        chosen = next((one for one in entries if one.id == request.first("about")), None)
        how = request.first("how") if chosen else ""
        title = f"{network.network}, simulated"
        links = "".join(
            f'<a href="/{escape(other)}"{" aria-current=page" if other == name else ""}>{escape(one.network)}</a>'
            for other, one in self.networks.items()
        )
        words = "Nothing here leaves this computer. Write as a customer, and look at Balas: it arrives as from outside."
        body = (
            f'<h1>Simulated networks</h1><p class="quiet">{words}</p><nav aria-label="Networks">{links}</nav>'
            f'{_note(request)}<div class="columns"><section class="sheet"><h2>{escape(network.network)} now</h2>'
            f'<ol class="entries" id="timeline" data-from="/{escape(name)}/timeline">'
            f"{_timeline(name, entries)}</ol></section>"
            f"<aside>{_writing(name, network, chosen, how, request.first('who'))}{_breaking(name, network)}"
            f"{_people(name, network)}</aside></div>{_FOLLOW}"
        )
        return html_answer(page(title, body))

    def show_timeline(self, request: Request) -> Answer:
        name = request.values["network"]
        return html_answer(_timeline(name, self.networks[name].timeline(MOST_SHOWN)))

    # --- Doing ------------------------------------------------------------------------------------------------------

    def _acting(self, act: Callable[[Controllable, dict[str, str]], str]) -> Callable[[Request], Answer]:
        def take(request: Request) -> Answer:
            name = request.values["network"]
            form = {field: values[0] for field, values in request.form().items()}
            try:
                told = {"note": act(self.networks[name], form), "who": form.get("who", "")}
            except (NoSuchEntry, ValueError) as refusal:
                told = {"refused": str(refusal), "who": form.get("who", "")}
            return redirect(f"/{name}?" + urlencode(told))

        return take

    def say(self, network: Controllable, form: dict[str, str]) -> str:
        text, how, about = form.get("text", "").strip(), form.get("how", ""), form.get("about", "")
        if not text:
            raise ValueError("Write a few words first.")
        network.say(
            form.get("who", ""),
            text,
            answers=about if how in ("reply", "direct") else "",
            quotes=about if how == "quote" else "",
            is_direct=how == "direct",
        )
        return "Written. It will arrive with the next poll."

    def boost(self, network: Controllable, form: dict[str, str]) -> str:
        network.boost(form.get("who", ""), form.get("about", ""))
        return "Boosted."

    def edit(self, network: Controllable, form: dict[str, str]) -> str:
        if not form.get("text", "").strip():
            raise ValueError("Write a few words first.")
        network.edit(form.get("about", ""), form["text"].strip())
        return "Edited."

    def delete(self, network: Controllable, form: dict[str, str]) -> str:
        network.delete(form.get("about", ""))
        return "Deleted."

    def suspend(self, network: Controllable, form: dict[str, str]) -> str:
        is_suspended = form.get("suspended") == "yes"
        network.suspend(form.get("person", ""), is_suspended)
        return f"@{form.get('person', '')} is {'suspended' if is_suspended else 'back'}."

    def break_(self, network: Controllable, form: dict[str, str]) -> str:
        chosen = BREAKS.get(form.get("fault", ""))
        if chosen is None:
            raise ValueError("There is no such way to break things.")
        posting = getattr(network, "posting_route", "")
        for route, fault in chosen.faults(posting, self.now()):
            network.faults.add(route, fault)
        return f"{chosen.words}."

    def mend(self, network: Controllable, form: dict[str, str]) -> str:
        network.faults.clear()
        return "Everything works again."


# --- Parts of the page ----------------------------------------------------------------------------------------------


def _note(request: Request) -> str:
    if request.first("refused"):
        return f'<p class="note bad" role="alert">{escape(request.first("refused"))}</p>'
    return f'<p class="note" role="status">{escape(request.first("note"))}</p>' if request.first("note") else ""


def _timeline(name: str, entries: Sequence[Entry]) -> str:
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


def _writing(name: str, network: Controllable, chosen: Entry | None, how: str, who: str) -> str:
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


def _breaking(name: str, network: Controllable) -> str:
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


def _people(name: str, network: Controllable) -> str:
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
