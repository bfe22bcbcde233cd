"""What no browser of ours would ask: forged posts, nonsense in every parameter, acts of other people."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from inbox import conversations, drafts, people
from inbox.models import Conversation, Draft, Envelope
from inbox.rules.states import Role, Status
from tests.web.conftest import House
from tests.web.test_access_matrix import MATRIX, envelope
from web.access import PERMISSIONS

POSTS = sorted(name for name, line in MATRIX.items() if line.post is not None)
# These two also answer to GET, and their forms need more than the matrix posts.
FORMS = {
    "sign-in": {"email": "a@b.example", "password": "x"},
    "password": {"password": "seven quiet herons"},
    "me": {"theme": "dark"},
    "connect-mailbox": {"address": "a@b.example"},
    "template-new": {"name": "x"},
}


@pytest.mark.parametrize("name", sorted({*POSTS, *FORMS}))
def test_f79_no_post_is_taken_without_the_token_of_our_own_page(name: str, house: House) -> None:
    line = MATRIX[name]
    address = reverse(name, args=line.arguments(house))
    client = house.client("owner", enforce_csrf_checks=True)
    response = client.post(address, line.post or FORMS.get(name, {}))
    assert response.status_code == 403
    assert "too old to send from" in response.content.decode()


@pytest.mark.parametrize("name", POSTS)
def test_what_changes_something_is_not_done_by_opening_an_address(name: str, house: House) -> None:
    if name in ("template-preview",):
        return
    response = house.client("owner").get(reverse(name, args=MATRIX[name].arguments(house)))
    assert response.status_code == 405


NONSENSE = (
    "'", '"', "1 OR 1=1", "-1", "9" * 30, "-." + "9" * 30, "9" * 30 + ".1", "٣", "²", "1.1", "7", "-.-5",
    "a" * 3000, "(", '"a', "from:", "NEAR(a b)", "{{7*7}}", "{% raise %}", "%s", "\u0000", "<b>", "﷽" * 80,
)  # fmt: skip
GETS = sorted(name for name, line in MATRIX.items() if line.post is None)
READ = ("tab", "after", "open", "beside", "ids", "q", "cursor", "earlier", "language", "compose", "continues", "next")
WRITTEN = (
    "owner", "until", "at", "name", "tab", "text", "to", "cc", "subject", "account", "seen_message", "request_id",
    "template_version", "theme", "density", "zone", "role", "email", "password", "body", "mode", "confirm", "shortcut",
    "body_en", "with_quote",
)  # fmt: skip


@pytest.mark.parametrize("name", GETS)
def test_f80_nonsense_in_an_address_is_answered_and_never_breaks(name: str, house: House) -> None:
    address = reverse(name, args=MATRIX[name].arguments(house))
    client = house.client("own", raise_request_exception=False)
    broken = []
    for value in NONSENSE:
        everywhere = client.get(address, dict.fromkeys(READ, value), HTTP_HX_REQUEST="true")
        one_by_one = [client.get(address, {key: value}) for key in ("after", "earlier", "ids", "cursor", "q")]
        if any(answer.status_code >= 500 for answer in (everywhere, *one_by_one)):
            broken.append(value)
    assert broken == []


ACTS = [
    ("act", ["snooze"]), ("act", ["assign"]), ("act", ["tag"]), ("act", ["untag"]), ("draft", []), ("reply", []),
    ("discard", []), ("attach", []),
]  # fmt: skip
ELSEWHERE = ["me", "template-new", "template-preview", "sign-in"]


@pytest.mark.parametrize(("name", "more"), [*ACTS, *((name, None) for name in ELSEWHERE)])
def test_f80_nonsense_in_a_form_is_answered_and_never_breaks(name: str, more: list[str] | None, house: House) -> None:
    address = reverse(name, args=[] if more is None else [house.conversation.id, *more])
    client = Client(raise_request_exception=False)
    client.force_login(house.owner)
    if name == "sign-in":
        client.logout()
    broken = [value for value in NONSENSE if client.post(address, dict.fromkeys(WRITTEN, value)).status_code >= 500]
    assert broken == []


@pytest.mark.parametrize("where", ["query", "form"])
def test_a_nul_is_refused(where: str, house: House) -> None:
    client, address = house.client("own"), f"/c/{house.conversation.id}/draft"
    answer = client.get("/search?q=%00a") if where == "query" else client.post(address, {"text": "a\0b"})
    assert answer.status_code == 400
    assert not Draft.objects.exists()


# --- What belongs to other people -----------------------------------------------------------------------------------


def test_f79_only_who_did_it_takes_it_back(house: House) -> None:
    token = conversations.resolve(house.conversation.id, house.owner, timezone.now()).undo
    for role in ("own", "manager", "other"):
        house.client(role).post(reverse("undo", args=[token]))
        assert Conversation.objects.get(id=house.conversation.id).status == Status.RESOLVED, role
    house.client("owner").post(reverse("undo", args=[token]))
    assert Conversation.objects.get(id=house.conversation.id).status == Status.OPEN


@pytest.mark.parametrize("token", ["1", "1:abc", ":", "999999999999999999999:x"])
def test_f79_a_forged_undo_is_refused(token: str, house: House) -> None:
    assert house.client("owner").post(reverse("undo", args=[token]), HTTP_HX_REQUEST="true").status_code == 200
    assert Conversation.objects.get(id=house.conversation.id).version == house.conversation.version


def test_f79_a_draft_and_its_files_are_its_writers_alone(house: House) -> None:
    now = timezone.now()
    file = drafts.attach(house.conversation.id, house.agent, now, name="s", content_type="text/plain", content=b"s")
    drafts.save_draft(house.conversation.id, house.agent, now, body="An unsent secret", fields={}, seen_message=0)
    for role in ("owner", "manager"):
        client = house.client(role)
        assert b"An unsent secret" not in client.get(f"/c/{house.conversation.id}?compose=1").content
        assert client.post(reverse("detach", args=[file.id])).status_code == 404
        client.post(f"/c/{house.conversation.id}/discard")
    assert Draft.objects.get(user=house.agent).attachments.count() == 1


def test_f79_nobody_answers_from_a_mailbox_that_they_may_not_use(house: House) -> None:
    response = house.client("own").post(
        f"/c/{house.conversation.id}/reply",
        {"text": "x", "to": "ana@shop.example", "account": str(house.sales.id), "request_id": "r1"},
        HTTP_HX_REQUEST="true",
    )
    assert response.status_code == 422
    assert Envelope.objects.count() == 0


@pytest.mark.parametrize("name", ["undo", "again", "give-up", "arrived"])
@pytest.mark.parametrize("role", ["other", "anonymous"])
def test_f79_a_send_is_touched_only_by_who_may_use_its_mailbox(role: str, name: str, house: House) -> None:
    id, _undo = envelope(house)
    before = Envelope.objects.filter(id=id).values().get()
    response = house.client(role).post(reverse("send-act", args=[id, name]), {"confirmed": "1"})
    assert response.status_code in (302, 404)
    assert Envelope.objects.filter(id=id).values().get() == before


def test_f78_a_planted_session_is_not_the_one_that_is_signed_in(house: House) -> None:
    people.set_password(house.agent, "seven quiet herons", timezone.now())
    client = Client()
    client.get("/sign-in")
    planted = client.session
    planted["planted"] = "yes"
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    client.post("/sign-in", {"email": house.agent.email, "password": "seven quiet herons"})
    assert client.get("/q/open").status_code == 200
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted.session_key


def test_f86_every_permission_that_a_view_wants_is_one_that_some_role_has() -> None:
    wanted = {pattern.callback.permission for pattern in get_resolver().url_patterns} - {None}
    assert wanted <= PERMISSIONS[Role.OWNER]
