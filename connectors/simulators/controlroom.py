"""The page from which a visitor moves the simulated networks: speak as somebody, boost, edit, delete, break things.

    with ControlServer([x, mastodon, bluesky]) as room: … room.base_url …

One server for all networks that keep `Controllable`. Without scripts everything works; with them the timeline follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlencode, urlsplit

from connectors.simulators.breaking import BREAKS
from connectors.simulators.control import Controllable, NoSuchEntry
from connectors.simulators.controlparts import breaking, facts, note, people, timeline, writing
from connectors.simulators.page import page
from connectors.simulators.web import Answer, Request, SimulatedServer, html_answer, redirect, utc_now

MOST_SHOWN = 60
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
            f'{note(request)}<div class="columns"><section class="sheet"><h2>{escape(network.network)} now</h2>'
            f"{facts(network)}"
            f'<ol class="entries" id="timeline" data-from="/{escape(name)}/timeline">'
            f"{timeline(name, entries)}</ol></section>"
            f"<aside>{writing(name, network, chosen, how, request.first('who'))}{breaking(name, network)}"
            f"{people(name, network)}</aside></div>{_FOLLOW}"
        )
        return html_answer(page(title, body))

    def show_timeline(self, request: Request) -> Answer:
        name = request.values["network"]
        return html_answer(timeline(name, self.networks[name].timeline(MOST_SHOWN)))

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
