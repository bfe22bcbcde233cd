"""The control page and the demo's life on the simulated networks, as a visitor meets them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.simulators.controlroom import ControlServer
from connectors.simulators.demo.content import read
from connectors.simulators.demo.social import NETWORKS, SocialWorld
from connectors.simulators.x import XServer


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer() as server:
        server.join("tasbora", "Tasbora", is_ours=True)
        server.join("ana_p", "Ana <Popescu>", followers=320)
        server.join("dan", "Dan")
        yield server


@pytest.fixture
def act(x: XServer) -> Iterator[Callable[..., str]]:
    """Presses a button of the control page and tells what it says then."""
    with ControlServer([x]) as room:

        def press(action: str, **form: str) -> str:
            return requests.post(f"{room.base_url}/x/{action}", data=form, timeout=5).text

        yield press


def test_a_visitor_mentions_replies_quotes_writes_privately_and_boosts(x: XServer, act: Callable[..., str]) -> None:
    ours = x.say("tasbora", "moss is back")
    assert "Written." in act("say", who="ana_p", text="where is it?", how="")
    assert x.timeline()[0].text == "@tasbora where is it?"
    act("say", who="dan", text="me too", how="reply", about=ours)
    act("say", who="dan", text="nice", how="quote", about=ours)
    act("say", who="dan", text="TB-1", how="direct")
    act("boost", who="ana_p", about=ours)
    assert [(one.kind, one.author, one.about) for one in x.timeline(4)] == [
        ("boost", "ana_p", ours),
        ("direct", "dan", ""),
        ("quote", "dan", ours),
        ("reply", "dan", ours),
    ]


def test_a_visitor_edits_deletes_and_suspends(x: XServer, act: Callable[..., str]) -> None:
    first = x.say("ana_p", "wher is it?")
    assert "Edited." in act("edit", about=first, text="@tasbora where is it?")
    assert (x.timeline()[0].text, x.timeline()[0].is_edited) == ("@tasbora where is it?", True)
    assert "Deleted." in act("delete", about=x.timeline()[0].id)
    assert x.timeline()[0].is_deleted
    assert "@dan is suspended." in act("suspend", person="dan", suspended="yes")
    assert [one.is_suspended for one in x.people() if one.handle == "dan"] == [True]
    act("suspend", person="dan", suspended="no")
    assert not any(one.is_suspended for one in x.people())


def test_what_the_network_refuses_is_said_and_nothing_happens(x: XServer, act: Callable[..., str]) -> None:
    assert "longer than a post on X may be" in act("say", who="ana_p", text="x" * 300, how="")
    assert "Write a few words first." in act("say", who="ana_p", text="  ", how="")
    assert "Nobody is called @nobody here." in act("say", who="nobody", text="x", how="")
    assert "There is no post 7 here." in act("delete", about="7")
    assert x.timeline() == []


def test_things_are_broken_and_mended(x: XServer, act: Callable[..., str]) -> None:
    headers = {"Authorization": "Bearer " + x.grant("tasbora")["access_token"]}
    call = lambda: requests.get(f"{x.base_url}/2/users/me", headers=headers, timeout=5)  # noqa: E731
    act("break", fault="limit")
    assert (call().status_code, call().status_code) == (429, 200)
    assert "Any call answers 503, until mended." in act("break", fault="off")
    assert call().status_code == 503
    act("mend")
    assert call().status_code == 200
    act("break", fault="html")
    assert call().text.startswith("<!doctype html>")
    act("break", fault="lost")
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{x.base_url}/2/tweets", json={"text": "hello"}, headers=headers, timeout=5)
    assert x.timeline()[0].text == "hello"


def test_the_page_shows_everything_newest_first_and_escapes_it(x: XServer) -> None:
    x.say("ana_p", "<script>alert(1)</script>")
    x.say("tasbora", "second")
    with ControlServer([x]) as room:
        page = requests.get(room.base_url, timeout=5)
        assert page.url == f"{room.base_url}/x"
        assert "<script>alert(1)" not in page.text
        assert "Ana &lt;Popescu&gt;" in page.text
        shown = requests.get(f"{room.base_url}/x/timeline", timeout=5).text
        assert shown.index("second") < shown.index("&lt;script&gt;")
        assert requests.get(f"{room.base_url}/mastodon", timeout=5).status_code == 404


def test_another_site_in_the_visitors_browser_cannot_speak_here(x: XServer) -> None:
    with ControlServer([x]) as room:
        form, address = {"who": "ana_p", "text": "x", "how": ""}, f"{room.base_url}/x/say"
        assert (
            requests.post(address, data=form, headers={"Origin": "http://evil.example"}, timeout=5).status_code == 403
        )
        assert requests.post(address, data=form, headers={"Origin": room.base_url}, timeout=5).ok
    assert len(x.timeline()) == 1


# --- The demo's social world ----------------------------------------------------------------------------------------


def test_the_world_opens_in_the_past_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with SocialWorld(tmp_path, quiet=True) as world:
        x = world.networks["x"]
        entries = x.timeline()
        assert entries[-1].at < datetime.now(UTC) - timedelta(days=1)
        assert {one.kind for one in entries} >= {"post", "reply", "quote", "boost", "direct"}
        before = (x.base_url, world.control_url, [one.id for one in entries])
        token = next(one for one in world.connections() if one.kind == "x").secrets["access_token"]
    with SocialWorld(tmp_path, quiet=True) as world:
        x = world.networks["x"]
        assert (x.base_url, world.control_url, [one.id for one in x.timeline()]) == before
        answer = requests.get(f"{x.base_url}/2/users/me", headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert answer.json()["data"]["username"] == "tasbora"


def test_every_step_of_the_script_can_be_done_and_then_chance_takes_over(tmp_path: Path) -> None:
    with SocialWorld(tmp_path, quiet=True) as world:
        before = sum(len(one.timeline(500)) for one in world.networks.values())
        script = [one for one in read("social")["arriving"] if one["network"] in world.networks]
        for _ in range(len(script) + 5):
            world.happen()
        after = [entry for one in world.networks.values() for entry in one.timeline(500)]
    unmade = sum(one.get("how") in ("edit", "delete") for one in script)
    assert len(after) == before + len(script) - unmade + 5
    assert any(one.is_edited for one in after)
    assert any(one.is_deleted for one in after)


def test_a_customer_answers_what_we_said_and_only_once(tmp_path: Path) -> None:
    with SocialWorld(tmp_path, quiet=True) as world:
        x = world.networks["x"]
        asked = next(one for one in x.timeline() if one.author == "andreea_marin")
        ours = x.say("tasbora", "Ne pare rău!", answers=asked.id)
        assert world.answer_all() == 1
        thanks = x.timeline()[0]
        assert (thanks.author, thanks.about, thanks.kind) == ("andreea_marin", ours, "reply")
        assert world.answer_all() == 0


def test_what_the_demo_says_fits_its_network_and_names_only_who_is_there() -> None:
    content: dict[str, Any] = dict(read("social"))
    people = {(one["network"], one["handle"]) for one in content["person"]}
    ids = {(one["network"], one["id"]) for part in ("opening", "arriving") for one in content[part] if one.get("id")}
    for step in (*content["opening"], *content["arriving"]):
        assert (step["network"], step["who"]) in people
        assert "about" not in step or (step["network"], step["about"]) in ids
        assert len(step.get("text", "")) <= 240
    assert {one["network"] for one in content["person"]} == set(NETWORKS)
    assert all(re.fullmatch(r"[a-z0-9_.]+", one["handle"]) for one in content["person"])
