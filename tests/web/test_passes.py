"""Passes of frames without cookies, and the host that shows nothing but what strangers sent (failures 74, 78)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from inbox import people
from inbox.models import TeamMember
from tests.web.conftest import House
from web import passes
from web.middleware import _STRANGERS

INBOX, CONTENT = "inbox.example.org", "content.example.net"


def image_in(client: Client, house: House) -> str:
    page = client.get(f"/m/{house.message.id}/body").content.decode()
    found = re.search(r'<img[^>]*src="(/i/[^"]+)"', page)
    assert found
    return found.group(1)


def is_shown(address: str) -> bool:
    """To whoever has the address: the frame's own requests carry no cookies."""
    return Client().get(address).status_code == 200


ENDS: dict[str, Callable[[House, Client], object]] = {
    "signing out": lambda _house, client: client.post("/sign-out"),
    "a new password": lambda house, _client: people.set_password(house.agent, "seven quiet herons", timezone.now()),
    "signing out everywhere": lambda house, _client: people.sign_out_everywhere(house.agent, timezone.now()),
    "being disabled": lambda house, _client: people.disable(house.agent, timezone.now()),
    "leaving the team": lambda house, _client: TeamMember.objects.filter(user=house.agent).delete(),
}


@pytest.mark.parametrize("end", sorted(ENDS))
def test_f78_a_pass_ends_with(end: str, house: House) -> None:
    client = house.client("own")
    address = image_in(client, house)
    assert is_shown(address)
    ENDS[end](house, client)
    assert not is_shown(address)


def test_f78_a_pass_lasts_an_hour(house: House) -> None:
    address = image_in(house.client("own"), house)
    with time_machine.travel(timezone.now() + timedelta(seconds=passes.SECONDS - 5), tick=False):
        assert is_shown(address)
    with time_machine.travel(timezone.now() + timedelta(seconds=passes.SECONDS + 5), tick=False):
        assert not is_shown(address)


def test_f79_a_pass_opens_only_what_its_person_may_read(house: House) -> None:
    stranger = house.client("other").session.session_key or ""
    assert not is_shown(f"/b/{passes.make_pass(stranger, 'body', house.message.id)}")
    assert not is_shown(f"/i/{passes.make_pass(stranger, 'image', house.message.id, 'zip@shop')}")


def test_f78_a_pass_for_one_thing_is_none_for_another_and_holds_no_readable_session(house: House) -> None:
    session = house.client("own").session.session_key or ""
    token = passes.make_pass(session, "image", house.message.id, "zip@shop")
    assert session not in token
    assert not is_shown(f"/b/{token}")
    for forged in (token[:-4] + "AAAA", "x", "é", "a" * 4000):
        assert passes.read_pass(forged, "image") is None


class TestContentHost:
    @pytest.fixture(autouse=True)
    def _two_hosts(self, settings: Any) -> None:
        settings.BALAS = replace(django_settings.BALAS, public_url=f"https://{INBOX}", content_url=f"https://{CONTENT}")
        settings.ALLOWED_HOSTS = [INBOX, CONTENT]

    def ask(self, client: Client, path: str, host: str) -> Any:
        return client.get(path, headers={"host": host}, secure=True)

    def test_f74_a_mail_is_shown_there_and_framed_by_the_inbox_alone(self, house: House) -> None:
        client = house.client("own")
        page = self.ask(client, f"/c/{house.conversation.id}", INBOX)
        assert f"frame-src 'self' https://{CONTENT};" in page["Content-Security-Policy"]
        there = self.ask(client, f"/m/{house.message.id}/body", INBOX)["Location"]
        assert there.startswith(f"https://{CONTENT}/b/")
        shown = self.ask(Client(), there.removeprefix(f"https://{CONTENT}"), CONTENT)
        assert b"<b>zip</b>" in shown.content
        policy = shown["Content-Security-Policy"]
        assert f"frame-ancestors https://{INBOX};" in policy
        assert f"img-src https://{CONTENT}/i/ data:;" in policy
        assert not shown.cookies
        image = re.search(rb'src="(/i/[^"]+)"', shown.content)
        assert image
        assert self.ask(Client(), image.group(1).decode(), CONTENT).status_code == 200

    @pytest.mark.parametrize("path", ["/", "/sign-in", "/q/open", "/static/css/app.css", "/settings", "/step-in"])
    def test_f74_nobody_signs_in_there_and_nothing_else_is_served(self, path: str, house: House) -> None:
        answer = self.ask(house.client("owner"), path, CONTENT)
        assert (answer.status_code, answer.content) == (404, b"")

    def test_f74_files_and_sources_are_handed_out_there_and_nothing_of_it_here(self, house: House) -> None:
        client = house.client("own")
        for path in (f"/a/{house.attachment.id}", f"/m/{house.message.id}/raw"):
            there = self.ask(client, path, INBOX)["Location"]
            assert there.startswith(f"https://{CONTENT}/")
            token = there.removeprefix(f"https://{CONTENT}")
            handed = self.ask(Client(), token, CONTENT)
            assert handed["Content-Disposition"].startswith("attachment")
            assert "sandbox" in handed["Content-Security-Policy"]
            assert not handed.cookies
            assert self.ask(client, token, INBOX).status_code == 404

    @pytest.mark.parametrize(
        "name", ["shown-body", "inline-image", "remote-image", "leave", "handed-file", "shown-preview"]
    )
    def test_f74_the_host_of_the_pages_answers_none_of_its_addresses(self, name: str, house: House) -> None:
        session = house.client("own").session.session_key or ""
        address = reverse(name, args=[passes.make_pass(session, "body", house.message.id)])
        assert self.ask(house.client("own"), address, INBOX).status_code == 404

    def test_f74_every_address_is_for_one_of_the_hosts_alone(self, house: House) -> None:
        """What answers by a pass answers there; what needs a session never does."""
        by_pass = {
            "shown-body",
            "inline-image",
            "remote-image",
            "leave",
            "handed-file",
            "shown-preview",
            "handed-source",
        }
        for pattern in get_resolver().url_patterns:
            route = "/" + str(pattern.pattern)
            is_there = route.startswith(_STRANGERS)
            assert is_there is (pattern.name in by_pass), route

    def test_f74_pictures_of_a_mail_that_were_asked_for_are_framed_with_a_policy_for_them(self, house: House) -> None:
        there = self.ask(house.client("own"), f"/m/{house.message.id}/body?images=1", INBOX)["Location"]
        shown = self.ask(Client(), there.removeprefix(f"https://{CONTENT}"), CONTENT)
        assert f"img-src https://{CONTENT}/i/ https://{CONTENT}/r/ data:;" in shown["Content-Security-Policy"]
