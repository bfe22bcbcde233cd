"""Acts, writing and sending through the pages, with scripts (fragments) and without (303 and a page)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from inbox import accounts
from inbox.models import Conversation, Draft, Envelope, Message, ReplyTemplate
from inbox.rules.states import SendState, Status
from tests.web.conftest import House, write

HTMX = {"HTTP_HX_REQUEST": "true"}
TO = "Ana Pop <ana@shop.example>"


def status(house: House) -> str:
    return Conversation.objects.get(id=house.conversation.id).status


def press(client: Client, house: House, act: str, **data: str) -> Any:
    return client.post(f"/c/{house.conversation.id}/act/{act}", data, **HTMX)


def undo_address(page: str) -> str:
    found = re.search(r'action="(/undo/[^"]+|/sends/\d+/undo)"', page)
    assert found, page
    return found.group(1)


ACTS = [
    ("resolve", {}, Status.RESOLVED),
    ("no-answer", {}, Status.RESOLVED),
    ("snooze", {"until": "tomorrow"}, Status.SNOOZED),
    ("snooze", {"at": (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")}, Status.SNOOZED),
    ("spam", {}, Status.SPAM),
]


@pytest.mark.parametrize(("name", "data", "after"), ACTS)
def test_an_act_answers_with_the_row_and_a_notice_whose_undo_restores(
    name: str, data: dict[str, str], after: Status, house: House
) -> None:
    client = house.client("own")
    response = press(client, house, name, **data)
    page = response.content.decode()
    assert status(house) == after
    assert f'id="row-{house.conversation.id}"' in page
    assert "is-settled" in page
    assert json.loads(response["HX-Trigger"])["balas:changed"]["id"] == str(house.conversation.id)
    assert client.post(undo_address(page), **HTMX).status_code == 200
    assert status(house) == Status.OPEN


@pytest.mark.parametrize(("name", "data", "after"), ACTS)
def test_without_scripts_an_act_leads_back_and_says_what_was_done(
    name: str, data: dict[str, str], after: Status, house: House
) -> None:
    client = house.client("own")
    response = client.post(f"/c/{house.conversation.id}/act/{name}", data)
    assert response.status_code == 302
    page = client.get(response["Location"]).content.decode()
    assert status(house) == after
    assert client.post(undo_address(page)).status_code == 302
    assert status(house) == Status.OPEN


def test_an_undo_after_somebody_elses_act_says_that_it_is_too_late(house: House) -> None:
    client = house.client("own")
    undo = undo_address(press(client, house, "resolve").content.decode())
    press(house.client("owner"), house, "reopen")
    assert b"can no longer be undone" in client.post(undo, **HTMX).content
    assert status(house) == Status.OPEN


def test_f79_an_undo_token_of_another_team_opens_nothing(house: House) -> None:
    undo = undo_address(press(house.client("own"), house, "resolve").content.decode())
    assert house.client("other").post(undo, **HTMX).status_code == 404
    assert status(house) == Status.RESOLVED


@pytest.mark.parametrize("token", ["nothing", "1:abc", "x" * 500])
def test_an_undo_token_that_we_never_gave_out_is_refused_calmly(token: str, house: House) -> None:
    assert b"cannot be undone" in house.client("own").post(f"/undo/{token}", **HTMX).content


def test_assigning_goes_to_me_to_a_colleague_and_back_to_everybody(house: House) -> None:
    client = house.client("own")
    for choice, owner in (("me", house.agent.id), (str(house.manager.id), house.manager.id), ("", None)):
        press(client, house, "assign", owner=choice)
        assert Conversation.objects.get(id=house.conversation.id).owner_id == owner


def test_assigning_to_somebody_who_may_not_read_it_is_refused_with_a_sentence(house: House) -> None:
    page = press(house.client("own"), house, "assign", owner=str(house.stranger.id)).content.decode()
    assert "cannot read this mailbox" in page
    assert Conversation.objects.get(id=house.conversation.id).owner_id is None


def test_tags_are_put_on_and_taken_off(house: House) -> None:
    client = house.client("own")
    press(client, house, "tag", name="returns")
    assert b"returns" in client.get(f"/c/{house.conversation.id}").content
    press(client, house, "untag", name="returns")
    assert b">returns<" not in client.get(f"/c/{house.conversation.id}/live").content


def test_get_changes_nothing(house: House) -> None:
    client = house.client("own")
    assert client.get(f"/c/{house.conversation.id}/act/resolve").status_code == 405
    assert status(house) == Status.OPEN


def test_a_post_without_its_token_is_refused(house: House) -> None:
    client = house.client("own", enforce_csrf_checks=True)
    response = client.post(f"/c/{house.conversation.id}/act/resolve")
    assert response.status_code == 403
    assert b"too old to send from" in response.content
    assert status(house) == Status.OPEN


# --- Writing --------------------------------------------------------------------------------------------------------


def fields(house: House, client: Client, **changes: str) -> dict[str, str]:
    """What the composer's form holds, with changes."""
    page = client.get(f"/c/{house.conversation.id}/composer").content.decode()
    values = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {"to": TO, "cc": "", "text": "It is on its way.", "with_quote": "1", **values, **changes}


def reply(house: House, client: Client, **changes: str) -> Any:
    return client.post(f"/c/{house.conversation.id}/reply", fields(house, client, **changes), **HTMX)


def test_a_reply_waits_out_its_undo_and_comes_back_as_a_draft(house: House) -> None:
    client = house.client("own")
    response = reply(house, client)
    assert response.status_code == 200
    envelope = Envelope.objects.get()
    assert envelope.state == SendState.QUEUED
    page = response.content.decode()
    assert "data-until" in page
    assert client.post(undo_address(page), **HTMX).status_code == 200
    envelope.refresh_from_db()
    assert envelope.state == SendState.CANCELLED
    composer = client.get(f"/c/{house.conversation.id}/composer").content.decode()
    assert "It is on its way." in composer
    assert "ana@shop.example" in composer
    assert "[{" not in composer


def test_f42_a_form_that_is_posted_twice_sends_once(house: House) -> None:
    client = house.client("own")
    data = fields(house, client)
    for _click in range(3):
        assert client.post(f"/c/{house.conversation.id}/reply", data, **HTMX).status_code == 200
    assert Envelope.objects.count() == 1


def test_the_conversation_says_that_the_reply_is_leaving(house: House) -> None:
    client = house.client("own")
    reply(house, client)
    page = client.get(f"/c/{house.conversation.id}/live").content.decode()
    assert "Sending" in page
    assert "Waiting for the customer" in page


STOPPED = [
    ({"text": "Dear ⟦first name⟧"}, "Fill in what is missing"),
    ({"text": "   "}, "Write something first"),
    ({"to": ""}, "Say who it goes to"),
    ({"to": "not an address"}, "is not an e-mail address"),
    ({"to": TO, "cc": "stranger@elsewhere.example"}, "others than the customer: stranger@elsewhere.example"),
    ({"seen_message": "1"}, "Somebody wrote while you were writing"),
]


@pytest.mark.parametrize(("changes", "words"), STOPPED)
def test_what_stands_in_the_way_is_said_and_the_text_stays(changes: dict[str, str], words: str, house: House) -> None:
    client = house.client("own")
    response = reply(house, client, **changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert changes.get("text", "It is on its way.").strip() in page
    assert Envelope.objects.count() == 0
    assert Draft.objects.get().body == changes.get("text", "It is on its way.")


def test_other_recipients_are_confirmed_by_a_click(house: House) -> None:
    client = house.client("own")
    page = reply(house, client, cc="stranger@elsewhere.example").content.decode()
    confirm = re.search(r'name="confirm" value="([\w-]+)"', page)
    assert confirm
    data = fields(house, client, cc="stranger@elsewhere.example", confirm=confirm.group(1))
    assert client.post(f"/c/{house.conversation.id}/reply", data, **HTMX).status_code == 200
    assert Envelope.objects.get().recipients.count() == 2


def test_without_scripts_a_stopped_reply_says_why_on_the_next_page(house: House) -> None:
    client = house.client("own")
    data = fields(house, client, text="Dear ⟦first name⟧")
    response = client.post(f"/c/{house.conversation.id}/reply", data)
    page = client.get(response["Location"]).content.decode()
    assert "Fill in what is missing" in page
    assert "Dear ⟦first name⟧" in page


def test_autosave_keeps_the_draft_and_says_that_somebody_wrote_meanwhile(house: House) -> None:
    client = house.client("own")
    data = fields(house, client, text="Dear Ana")
    said = client.post(f"/c/{house.conversation.id}/draft", data).json()
    assert said["is_stale"] is False
    write(house, "One thing more", author=TO, in_reply_to="zip-1@shop.example")
    assert client.post(f"/c/{house.conversation.id}/draft", data).json()["is_stale"] is True
    assert Draft.objects.get().body == "Dear Ana"


def test_a_draft_belongs_to_its_writer(house: House) -> None:
    mine, theirs = house.client("own"), house.client("manager")
    mine.post(f"/c/{house.conversation.id}/draft", fields(house, mine, text="Mine alone"))
    assert "Mine alone" in mine.get(f"/c/{house.conversation.id}/composer").content.decode()
    assert "Mine alone" not in theirs.get(f"/c/{house.conversation.id}/composer").content.decode()


def test_a_note_stays_inside(house: House) -> None:
    client = house.client("own")
    response = reply(house, client, mode="note", text="She is right.")
    assert response.status_code == 200
    assert Message.objects.get(direction="note").text == "She is right."
    assert Envelope.objects.count() == 0
    assert "Internal note, never sent" in client.get(f"/c/{house.conversation.id}").content.decode()


def test_files_hang_on_the_draft_and_leave_with_the_reply(house: House) -> None:
    client = house.client("own")
    file = SimpleUploadedFile("label.pdf", b"%PDF-1.4", "application/pdf")
    listed = client.post(f"/c/{house.conversation.id}/files", {"files": file}, **HTMX)
    assert b"label.pdf" in listed.content
    assert reply(house, client).status_code == 200
    assert b"label.pdf" in bytes(Envelope.objects.get().content)


def test_f79_a_file_of_somebody_elses_draft_cannot_be_taken_off(house: House) -> None:
    client = house.client("own")
    client.post(f"/c/{house.conversation.id}/files", {"files": SimpleUploadedFile("a.txt", b"a")}, **HTMX)
    attachment = Draft.objects.get().attachments.get()
    assert house.client("manager").post(f"/files/{attachment.id}/remove").status_code == 404
    assert client.post(f"/files/{attachment.id}/remove").status_code == 302


# --- Templates ------------------------------------------------------------------------------------------------------


def test_a_template_is_found_by_its_shortcut_and_filled_in(house: House) -> None:
    client = house.client("own")
    menu = client.get(f"/c/{house.conversation.id}/templates?q=sor", **HTMX).content.decode()
    address = re.search(r'data-insert="([^"]+)"', menu)
    assert address
    found = client.get(address.group(1)).json()
    assert found["body"].startswith("Dear Ana")
    assert found["missing"] == []


def test_a_template_with_a_mistake_is_refused_and_nothing_is_written(house: House) -> None:
    client = house.client("manager")
    for body in ("Dear {{ customer.frist_name }}", "Dear {% if", "{{ x | system }}"):
        response = client.post("/templates/new", {"name": "Bad", "body_en": body})
        assert response.status_code == 422
        assert body.split("{")[0] in response.content.decode()
    assert not ReplyTemplate.objects.filter(name="Bad").exists()
    assert "Did you mean" in client.post("/templates/preview", {"body": "{{ customer.frist_name }}"}).json()["problem"]


def test_a_changed_template_is_a_new_version_and_the_old_stays(house: House) -> None:
    client = house.client("manager")
    address = f"/templates/{house.template.id}"
    client.post(address, {"name": "Sorry", "shortcut": "sorry", "body_en": "Dear all", "body_ro": "Bună ziua"})
    bodies = list(house.template.versions.order_by("language", "number").values_list("language", "number", "body"))
    assert [(language, number) for language, number, _body in bodies] == [("en", 1), ("en", 2), ("ro", 1)]
    client.post(f"{address}/archive")
    assert client.get(address).status_code == 404


def test_a_preview_shows_the_example_values_as_words(house: House) -> None:
    answer = house.client("manager").post("/templates/preview", {"body": "<b>{{ customer.first_name }}</b>"}).json()
    assert answer == {"text": "<b>Ilinca</b>"}


# --- What is not usual ----------------------------------------------------------------------------------------------


def test_without_a_mailbox_to_answer_from_the_composer_says_so_and_keeps_the_draft(house: House) -> None:
    client = house.client("own")
    client.post(f"/c/{house.conversation.id}/draft", fields(house, client, text="Half a thought"))
    accounts.remove(house.support.id, timezone.now())
    page = client.get(f"/c/{house.conversation.id}/composer").content.decode()
    assert "There is no mailbox that you could answer from." in page
    assert "Half a thought" in page
    assert reply(house, client).status_code == 422


def test_an_answer_to_a_letter_that_came_back_goes_to_its_recipient(house: House) -> None:
    write(
        house,
        "User unknown",
        author="Mail Delivery System <mailer-daemon@mx.example>",
        in_reply_to="zip-1@shop.example",
        headers={"Auto-Submitted": "auto-replied", "Content-Type": "text/plain", "Return-Path": "<>"},
    )
    assert "ana@shop.example" in fields(house, house.client("own"))["to"]
    page = house.client("own").get(f"/c/{house.conversation.id}/composer").content.decode()
    assert "mailer-daemon" not in page
