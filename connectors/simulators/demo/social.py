"""The shop's customers on the simulated social networks: what lies there at first, what comes, what they answer.

    with SocialWorld(folder) as social: … social.connections(), social.control_url …

Networks whose simulator is not installed are left out. People, posts and tokens are kept in FOLDER, so that a restart
goes on where it stood, at the same addresses.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from connectors.simulators.control import Connection, Entry, Kept, NoSuchEntry, Person, Rehearsable
from connectors.simulators.controlroom import ControlServer
from connectors.simulators.demo.content import PRODUCTS, read, read_gap
from connectors.simulators.exchange import utc_now
from connectors.simulators.keeping import find_state, write_state

log = logging.getLogger(__name__)

NETWORKS = {
    "x": "connectors.simulators.x:XServer",
    "mastodon": "connectors.simulators.mastodon:MastodonServer",
    "bluesky": "connectors.simulators.bluesky:BlueskyServer",
}
FIRST_PACE = 0.4  # of the shortest pause: a visitor should not wait long for the first one
KEEP_EVERY = timedelta(seconds=10)
LOOK_SECONDS = 1.0
ANSWERS_OUT_OF_TEN = 9
MOST_WATCHED = 40
FAMOUS = 100_000  # followers of those who carry others' words, and write none of their own

Span = tuple[float, float]


class ShiftedClock:
    """The time, or for a moment a time in the past: the opening is written as if it had been then."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.back = timedelta(0)

    def now(self) -> datetime:
        return self._clock() - self.back


class SocialWorld:
    """pace, answer_delay: seconds, from and to. quiet: nothing happens by itself; `happen()` brings what is next."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 2026,
        pace: Span = (45.0, 120.0),
        answer_delay: Span = (10.0, 40.0),
        quiet: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.networks: dict[str, Rehearsable] = {}
        self.control: ControlServer | None = None
        self._clock, self._pace, self._answer_delay, self._is_quiet = clock, pace, answer_delay, quiet
        self._random = random.Random(seed)
        self._shifted = ShiftedClock(clock)
        self._state: dict[str, Any] = {"ports": {}, "ids": {}, "arrived": 0, "answered": []}
        self._state |= find_state(folder / "life.json") or {}
        self._written: dict[str, str] = {}
        self._due: list[tuple[datetime, str, str]] = []  # when, network, our entry that somebody will answer
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="social life", daemon=True)

    # --- Life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """All networks at once: what they import takes longer than what they do."""
        with ThreadPoolExecutor(len(NETWORKS)) as pool:
            made = list(pool.map(self._start_network, NETWORKS))
        self.networks = {kind: network for kind, network in zip(NETWORKS, made, strict=True) if network is not None}
        ports = self._state["ports"]
        for kind, network in self.networks.items():
            self._open(kind, network)
        self.control = ControlServer(list(self.networks.values()), usual_port=ports.get("control", 0))
        self.control.start()
        ports["control"] = self.control.port
        for kind, network in self.networks.items():
            ports[kind] = int(network.base_url.rpartition(":")[2])
        self.keep()
        if not self._is_quiet:
            self._thread.start()

    def _start_network(self, kind: str) -> Rehearsable | None:
        module, _, name = NETWORKS[kind].partition(":")
        try:
            make = getattr(import_module(module), name, None)
            if make is None:
                return None
            network = make(usual_port=self._state["ports"].get(kind, 0), now=self._shifted.now)
            if not isinstance(network, Rehearsable) or not self._furnish(kind, network):
                return None
            network.start()  # type: ignore[attr-defined]
        except ImportError:
            return None  # this network has no simulator here
        except Exception:  # one network that cannot be made must not take the others away
            log.exception("The simulated %s did not start", kind)
            return None
        return network

    def _furnish(self, kind: str, network: Rehearsable) -> bool:
        kept = find_state(self.folder / f"{kind}.json")
        if kept and isinstance(network, Kept):
            try:
                network.recall(kept)
                return True
            except (ValueError, TypeError, KeyError):
                log.warning("What the simulated %s was cannot be read; it starts anew", kind)
        for one in read("social")["person"]:
            if one["network"] == kind:
                is_ours = bool(one.get("ours"))
                network.welcome(Person(one["handle"], one["name"], one["followers"], one["bio"], is_ours))
        return bool(network.our_handle)

    def _open(self, kind: str, network: Rehearsable) -> None:
        """What has happened before the demo began."""
        if kind in self._state["ids"]:
            return
        self._state["ids"][kind] = {}
        for step in read("social")["opening"]:
            if step["network"] == kind:
                self._shifted.back = read_gap(step["before"])
                self._do(network, kind, step)
        self._shifted.back = timedelta(0)

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)
        for server in (self.control, *self.networks.values()):
            if server is not None:
                server.stop()  # type: ignore[union-attr]
        self.keep()

    def keep(self) -> None:
        """Writes what has changed since the last time."""
        states = {kind: one.remember() for kind, one in self.networks.items() if isinstance(one, Kept)}
        for name, state in {**states, "life": self._state}.items():
            if self._written.get(name) != (written := json.dumps(state, ensure_ascii=False)):
                self._written[name] = written
                write_state(self.folder / f"{name}.json", written)

    # --- For those who connect --------------------------------------------------------------------------------------

    def connections(self) -> list[Connection]:
        return [network.connection() for network in self.networks.values()]

    @property
    def control_url(self) -> str:
        return self.control.base_url if self.control else ""

    # --- What happens -----------------------------------------------------------------------------------------------

    def _live(self) -> None:
        next_arrival, next_keeping = self._clock() + timedelta(seconds=FIRST_PACE * self._pace[0]), self._clock()
        while not self._stopping.wait(LOOK_SECONDS):
            now = self._clock()
            try:
                self._watch(now)
                if now >= next_arrival:
                    next_arrival = now + timedelta(seconds=self._random.uniform(*self._pace))
                    self.happen()
                if now >= next_keeping:
                    next_keeping = now + KEEP_EVERY
                    self.keep()
            except Exception:  # one thing that cannot happen must not end the demo
                log.exception("The demo's customers could not do what they wanted")

    def happen(self) -> None:
        """The next thing of the script, and when that is over, one by chance."""
        script = [one for one in read("social")["arriving"] if one["network"] in self.networks]
        number = self._state["arrived"]
        self._state["arrived"] = number + 1
        step = script[number] if number < len(script) else self._by_chance()
        if step is not None:
            try:
                self._do(self.networks[step["network"]], step["network"], step)
            except (NoSuchEntry, ValueError) as refusal:
                log.info("Not done: %s", refusal)  # the visitor deleted it, or suspended its author

    def _by_chance(self) -> dict[str, str] | None:
        people = [
            one
            for one in read("social")["person"]
            if not one.get("ours") and one["network"] in self.networks and one["followers"] < FAMOUS
        ]
        if not people:
            return None
        person = self._random.choice(people)
        text = self._random.choice(read("social")["further"][person["language"]]["text"])
        filled = text.format(n=self._random.randint(20_000, 29_999), product=self._random.choice(PRODUCTS))
        return {"network": person["network"], "who": person["handle"], "how": "mention", "text": filled}

    def _do(self, network: Rehearsable, kind: str, step: dict[str, str]) -> None:
        ids = self._state["ids"].setdefault(kind, {})
        how, text, who = step.get("how", "mention"), step.get("text", ""), step["who"]
        about = ids.get(step.get("about", ""), "")
        if "about" in step and not about:
            return
        if how == "boost":
            made = network.boost(who, about)
        elif how == "edit":
            made = network.edit(about, text)
        elif how == "delete":
            network.delete(about)
            made = ""
        else:
            answers, quotes = about if how == "reply" else "", about if how == "quote" else ""
            made = network.say(who, text, answers=answers, quotes=quotes, is_direct=how == "direct")
        if step.get("id"):
            ids[step["id"]] = made

    # --- What they answer -------------------------------------------------------------------------------------------

    def _watch(self, now: datetime) -> None:
        for kind, network in self.networks.items():
            entries = network.timeline(MOST_WATCHED)
            for entry in entries:
                if entry.is_ours and (entry.about or entry.to) and entry.id not in self._state["answered"]:
                    self._state["answered"] = [*self._state["answered"], entry.id][-500:]
                    if self._random.randrange(10) < ANSWERS_OUT_OF_TEN:
                        self._due.append((now + self._delay(), kind, entry.id))
        for due in [one for one in self._due if one[0] <= now]:
            self._due.remove(due)
            self._answer(self.networks[due[1]], due[2])

    def _delay(self) -> timedelta:
        return timedelta(seconds=self._random.uniform(*self._answer_delay))

    def answer_all(self) -> int:
        """Lets everybody answer what we have said to them and nobody has answered yet. Returns how many did."""
        told = 0
        for network in self.networks.values():
            for entry in reversed(network.timeline(MOST_WATCHED)):
                if entry.is_ours and (entry.about or entry.to) and entry.id not in self._state["answered"]:
                    self._state["answered"] = [*self._state["answered"], entry.id][-500:]
                    told += self._answer(network, entry.id)
        return told

    def _answer(self, network: Rehearsable, entry_id: str) -> bool:
        entries: Sequence[Entry] = network.timeline(MOST_WATCHED)
        known = {one.id: one for one in entries}
        ours = known.get(entry_id)
        about = known.get(ours.about) if ours else None
        whom = (ours.to if ours else "") or (about.author if about and not about.is_ours else "")
        person = next((one for one in read("social")["person"] if one["handle"] == whom and not one.get("ours")), None)
        if ours is None or person is None:
            return False
        text = self._random.choice(read("social")["further"][person["language"]]["thanks"])
        try:
            network.say(whom, text, answers=entry_id, is_direct=ours.kind == "direct")
        except (NoSuchEntry, ValueError):
            return False
        return True
