"""Every address × every role × an object of one's own and of somebody else (failures 79)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import get_resolver, reverse
from django.utils import timezone

from connectors.messages import Address
from inbox import conversations, drafts, replies
from tests.web.conftest import House
from web.passes import make_pass

ROLES = ("owner", "manager", "own", "other", "anonymous")
OK, FORBIDDEN, MISSING = 200, 403, 404
TO_DOOR = 302


@dataclass(frozen=True)
class Line:
    """What an address answers to owner, manager, own agent, agent of another team, nobody."""

    answers: tuple[int, int, int, int, int]
    arguments: Callable[[House], list[Any]] = field(default=lambda _house: [])
    post: dict[str, str] | None = None  # None: GET


def conversation(house: House) -> list[Any]:
    return [house.conversation.id]


def message(house: House) -> list[Any]:
    return [house.message.id]


def envelope(house: House) -> list[Any]:
    queued = replies.queue_reply(
        conversation_id=house.conversation.id,
        user=house.owner,
        request_id="matrix",
        text="Soon.",
        to=[Address("ana@shop.example")],
        now=timezone.now(),
        seen_message=house.message.id,
    )
    assert isinstance(queued, replies.Queued), queued
    return [queued.envelope_id, "undo"]


def draft_file(house: House) -> list[Any]:
    now = timezone.now()
    return [
        drafts.attach(house.conversation.id, house.agent, now, name="a", content_type="text/plain", content=b"a").id
    ]


def undo_token(house: House) -> list[Any]:
    return [conversations.resolve(house.conversation.id, house.owner, timezone.now()).undo]


def session_of(house: House) -> str:
    return house.client("owner").session.session_key or ""


def image_pass(house: House) -> list[Any]:
    return [make_pass(session_of(house), "image", house.message.id, "zip@shop")]


def body_pass(house: House) -> list[Any]:
    return [make_pass(session_of(house), "body", house.message.id)]


def a_pass(purpose: str, *names: str) -> Callable[[House], list[Any]]:
    return lambda house: [make_pass(session_of(house), purpose, house.message.id, *names)]


def file_pass(purpose: str) -> Callable[[House], list[Any]]:
    return lambda house: [make_pass(session_of(house), purpose, house.attachment.id)]


READ = (OK, OK, OK, MISSING, TO_DOOR)
EVERYONE = (OK, OK, OK, OK, TO_DOOR)
ACT = (302, 302, 302, MISSING, TO_DOOR)
MANAGERS = (OK, OK, FORBIDDEN, FORBIDDEN, TO_DOOR)
MANAGERS_ACT = (302, 302, FORBIDDEN, FORBIDDEN, TO_DOOR)
PUBLIC = (OK, OK, OK, OK, OK)

MATRIX: dict[str, Line] = {
    "home": Line((302, 302, 302, 302, TO_DOOR)),
    "sign-in": Line((302, 302, 302, 302, OK)),
    "sign-in-link": Line((410, 410, 410, 410, 410), lambda _house: ["nothing"]),
    "password": Line(EVERYONE),
    "step-in": Line((404, 404, 404, 404, 404), post={"role": "owner"}),
    "sign-out": Line((302, 302, 302, 302, 302), post={}),
    "own-home": Line((404, 404, 404, 404, 404)),
    "simulated-networks": Line((404, 404, 404, 404, TO_DOOR)),
    "queue": Line(EVERYONE, lambda _house: ["open"]),
    "queue-rows": Line(EVERYONE, lambda _house: ["open"]),
    "queue-news": Line(EVERYONE, lambda _house: ["open"]),
    "queue-clocks": Line(EVERYONE, lambda _house: ["open"]),
    "next": Line((302, 302, 302, 302, TO_DOOR)),
    "counters": Line(EVERYONE),
    "conversation": Line(READ, conversation),
    "conversation-live": Line(READ, conversation),
    "conversation-earlier": Line(READ, conversation),
    "act": Line(ACT, lambda house: [house.conversation.id, "resolve"], post={}),
    "choose": Line(READ, lambda house: [house.conversation.id, "assign"]),
    "undo": Line(ACT, undo_token, post={}),
    "send-act": Line(ACT, envelope, post={}),
    "composer": Line(READ, conversation),
    "draft": Line(READ, conversation, post={"text": "Dear"}),
    "measure": Line((204, 204, 204, MISSING, TO_DOOR), conversation, post={"text": "Dear"}),  # mail is not measured
    "discard": Line(ACT, conversation, post={}),
    "attach": Line(READ, conversation, post={}),
    "detach": Line((404, 404, 302, 404, TO_DOOR), draft_file, post={}),
    "reply": Line(ACT, conversation, post={"mode": "note", "text": "A note"}),
    "insertable": Line(READ, conversation),
    "insert": Line(READ, lambda house: [house.conversation.id, house.template.id]),
    "body": Line(READ, message),
    "raw": Line(READ, message),
    "attachment": Line(READ, lambda house: [house.attachment.id]),
    "preview": Line((404, 404, 404, 404, TO_DOOR), lambda house: [house.attachment.id]),  # the file is no picture
    "mail-look": Line(READ, message),
    "mail-images": Line(ACT, message, post={"act": "remember"}),
    "post-pictures": Line((404, 404, 404, 404, TO_DOOR), message),  # a mail is no post: tests/web/test_posts.py
    "post-picture": Line((404, 404, 404, 404, TO_DOOR), lambda house: [house.message.id, 0]),
    "inline-image": Line(PUBLIC, image_pass),  # the pass is the permission
    "shown-body": Line(PUBLIC, body_pass),
    "remote-image": Line((404, 404, 404, 404, 404), a_pass("remote", "https://127.0.0.1/inside.png")),
    "leave": Line(PUBLIC, a_pass("leave", "https://evil.example/", "shop.example")),
    "handed-file": Line(PUBLIC, file_pass("file")),
    "handed-source": Line(PUBLIC, a_pass("source")),
    "shown-preview": Line((404, 404, 404, 404, 404), file_pass("preview")),
    "search": Line(EVERYONE),
    "search-results": Line(EVERYONE),
    "settings": Line(EVERYONE),
    "me": Line((302, 302, 302, 302, TO_DOOR), post={"theme": "dark"}),
    "drop-relay": Line(MANAGERS_ACT, lambda house: [house.support.id], post={"address": "x@y.example"}),
    "automatic-mail": Line(MANAGERS_ACT, post={"aside": "list"}),
    "connect-mailbox": Line(MANAGERS),
    "signed-in": Line((422, 422, FORBIDDEN, FORBIDDEN, TO_DOOR)),
    "connect": Line(MANAGERS),
    "connect-kind": Line((MISSING, MISSING, FORBIDDEN, FORBIDDEN, TO_DOOR), lambda _house: ["nothing"]),
    "connect-returned": Line((302, 302, FORBIDDEN, FORBIDDEN, TO_DOOR)),
    "account-arriving": Line(MANAGERS, lambda house: [house.support.id]),
    "spending": Line((OK, OK, FORBIDDEN, FORBIDDEN, TO_DOOR)),
    "enter-price": Line(MANAGERS_ACT, lambda house: [house.support.id], post={"resource": "post.read", "price": "1"}),
    "drop-price": Line(MANAGERS_ACT, lambda house: [house.support.id], post={"price": "1"}),
    "account-budget": Line(MANAGERS_ACT, lambda house: [house.support.id], post={"soft": "80"}),
    "account": Line(MANAGERS, lambda house: [house.support.id]),
    "sender-check": Line(MANAGERS_ACT, lambda house: [house.support.id], post={"act": "stop"}),
    "account-act": Line(MANAGERS_ACT, lambda house: [house.support.id, "pause"], post={}),
    "templates": Line(EVERYONE),
    "template-new": Line(MANAGERS),
    "template-preview": Line(MANAGERS, post={"body": "Dear"}),
    "template": Line(MANAGERS, lambda house: [house.template.id]),
    "template-archive": Line(MANAGERS_ACT, lambda house: [house.template.id], post={}),
    "health": Line(EVERYONE),
    "health-account": Line(READ, lambda house: [house.support.id]),
    "health-prove": Line(ACT, lambda house: [house.support.id], post={}),
    "health-settle": Line(
        (404, 404, FORBIDDEN, FORBIDDEN, TO_DOOR), lambda house: [house.support.id, 7, "leave-out"], post={}
    ),
}


def test_f79_no_address_is_missing_from_the_matrix() -> None:
    names = {pattern.name for pattern in get_resolver().url_patterns}
    assert names == set(MATRIX)


def test_f79_every_view_says_what_it_needs() -> None:
    assert [p.name for p in get_resolver().url_patterns if not hasattr(p.callback, "permission")] == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(MATRIX))
def test_f79_each_role_gets_what_the_matrix_says(name: str, role: str, house: House) -> None:
    line = MATRIX[name]
    address = reverse(name, args=line.arguments(house))
    client = house.client(role)
    response = client.get(address) if line.post is None else client.post(address, line.post)
    assert response.status_code == line.answers[ROLES.index(role)]
    if role == "anonymous" and response.status_code == TO_DOOR:
        assert response["Location"].startswith("/sign-in")


@pytest.mark.parametrize("name", ["conversation", "body", "raw", "attachment", "reply", "act"])
def test_f79_a_foreign_object_answers_like_one_that_is_not_there(name: str, house: House) -> None:
    line = MATRIX[name]
    arguments = line.arguments(house)
    client = house.client("other")

    def ask(address: str) -> tuple[int, bytes]:
        response = client.get(address) if line.post is None else client.post(address, line.post)
        return response.status_code, response.content

    foreign = ask(reverse(name, args=arguments))
    absent = ask(reverse(name, args=[12345, *arguments[1:]]))
    assert foreign == absent


def test_f79_lists_counters_and_search_hold_nothing_of_another_team(house: House) -> None:
    other = house.client("other")
    for address in ("/q/all", "/search?q=zip", "/search/results?q=zip", f"/q/open/rows?ids={house.conversation.id}"):
        assert b"Ana Pop" not in other.get(address).content, address
    assert other.get("/counters").json()["counts"]["open"] == 0
    assert b"Ana Pop" in house.client("own").get("/q/all").content


def test_ids_too_long_for_the_database_are_simply_not_found(house: House) -> None:
    assert house.client("own").get(f"/c/{1 << 63}").status_code == 404
