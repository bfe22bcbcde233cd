"""The door: links that only a button uses up, the same answer for everybody, limits, and the demo's one click."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inbox import people
from inbox.models import AuditRecord, Organisation, User
from inbox.rules.states import Role
from tests.web.conftest import House
from web import throttle
from web.views.page import forget_organisation

PASSWORD = "seven quiet herons"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def user(db: None) -> User:
    return people.create_user("ana@balas.example", Role.AGENT, timezone.now(), name="Ana")


def is_signed_in(client: Client) -> bool:
    return client.get("/q/open").status_code == 200


def test_a_link_is_used_up_by_the_button_and_not_by_opening_it(client: Client, user: User) -> None:
    address = f"/sign-in/link/{people.make_sign_in_token(user, timezone.now())}"
    for _opening in range(2):
        assert client.get(address).status_code == 200
    assert not is_signed_in(client)
    assert client.post(address)["Location"] == "/sign-in/password"
    assert is_signed_in(client)
    assert Client().post(address).status_code == 410
    assert Client().get(address).status_code == 410


def test_after_the_link_a_password_is_chosen_and_opens_the_door_next_time(client: Client, user: User) -> None:
    client.post(f"/sign-in/link/{people.make_sign_in_token(user, timezone.now())}")
    weak = client.post("/sign-in/password", {"password": "short"})
    assert weak.status_code == 422
    assert client.post("/sign-in/password", {"password": PASSWORD})["Location"] == "/"
    assert is_signed_in(client)  # this session goes on, others end
    later = Client()
    assert later.post("/sign-in", {"email": "ANA@balas.example ", "password": PASSWORD})["Location"] == "/"
    assert is_signed_in(later)


def test_a_session_without_a_link_may_not_set_another_password(house: House) -> None:
    people.set_password(house.agent, PASSWORD, timezone.now())
    client = Client()
    client.post("/sign-in", {"email": house.agent.email, "password": PASSWORD})
    assert client.post("/sign-in/password", {"password": "another long password"}).status_code == 404


def test_f84_unknown_person_and_wrong_password_get_the_same_answer(client: Client, user: User) -> None:
    people.set_password(user, PASSWORD, timezone.now())
    answers = []
    for email in ("ana@balas.example", "nobody@balas.example"):
        response = client.post("/sign-in", {"email": email, "password": "wrong"})
        answers.append((response.status_code, response.content.decode().replace(email, "")))
    codes, pages = zip(*answers, strict=True)
    assert codes == (401, 401)
    # The one thing that differs from page to page is the form's own token.
    assert len({page.split("csrfmiddlewaretoken")[0] for page in pages}) == 1


@pytest.mark.parametrize("email", ["ana@balas.example", "nobody@balas.example"])
def test_f84_tries_are_limited_per_account_and_network_also_for_unknown_people(
    email: str, client: Client, user: User
) -> None:
    people.set_password(user, PASSWORD, timezone.now())
    for _try in range(throttle.PER_ACCOUNT_AND_NETWORK):
        assert client.post("/sign-in", {"email": email, "password": "wrong"}).status_code == 401
    rows = AuditRecord.objects.count()
    assert client.post("/sign-in", {"email": email, "password": PASSWORD}).status_code == 429
    assert AuditRecord.objects.count() == rows  # a flood writes nothing more
    elsewhere = client.post("/sign-in", {"email": "ana@balas.example", "password": PASSWORD}, REMOTE_ADDR="10.1.2.3")
    assert elsewhere.status_code == 302


def test_f84_a_forged_forwarding_header_does_not_make_another_network(client: Client, user: User) -> None:
    for number in range(throttle.PER_ACCOUNT_AND_NETWORK):
        header = {"HTTP_X_FORWARDED_FOR": f"10.0.0.{number}"}
        client.post("/sign-in", {"email": user.email, "password": "wrong"}, **header)
    last = client.post("/sign-in", {"email": user.email, "password": "wrong"}, HTTP_X_FORWARDED_FOR="10.9.9.9")
    assert last.status_code == 429


def test_a_disabled_person_is_out_at_once(house: House) -> None:
    client = house.client("own")
    assert is_signed_in(client)
    people.disable(house.agent, timezone.now())
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_never_leads_elsewhere(target: str, client: Client, user: User) -> None:
    people.set_password(user, PASSWORD, timezone.now())
    response = client.post("/sign-in", {"email": user.email, "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


class TestDemo:
    @pytest.fixture(autouse=True)
    def _demo(self, house: House) -> None:
        Organisation.objects.update_or_create(id=1, defaults={"is_demo": True, "name": "Tasbora"})
        forget_organisation()

    def test_one_click_steps_in_on_this_machine(self) -> None:
        client = Client()
        assert b'value="manager"' in client.get("/sign-in").content
        assert client.post("/step-in", {"role": "manager"})["Location"] == "/"
        assert is_signed_in(client)

    @pytest.mark.parametrize(
        "where",
        [
            {"REMOTE_ADDR": "192.168.1.20"},
            {"HTTP_X_FORWARDED_FOR": "192.168.1.20"},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"HTTP_FORWARDED": "for=127.0.0.1"},
        ],
    )
    def test_nobody_steps_in_from_elsewhere_or_through_a_proxy(self, where: dict[str, str]) -> None:
        client = Client()
        assert b'value="manager"' not in client.get("/sign-in", **where).content
        assert client.post("/step-in", {"role": "manager"}, **where).status_code == 404
        assert not is_signed_in(client)

    def test_a_role_that_does_not_exist_opens_nothing(self) -> None:
        assert Client().post("/step-in", {"role": "root"}).status_code == 404


def test_outside_the_demo_nobody_steps_in(client: Client, house: House) -> None:
    assert client.post("/step-in", {"role": "owner"}).status_code == 404
