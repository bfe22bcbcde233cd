"""Writing to a social platform: who reads it, how long it is, what it costs, and what stands in the way."""

from __future__ import annotations

import re
from typing import Any

import pytest

from connectors.social import Post, Visibility, plain
from inbox import drafts, replies
from inbox.models import Draft, DraftAttachment, Envelope, Message
from tests.web.conftest import PIXEL, House
from tests.web.posting import mention, profile, x_account
from tests.web.test_posts import HTMX, of

ONLY_CORIN = "Only @corin can read it"


@pytest.fixture
def post(house: House) -> Message:
    return mention(x_account(house), "Where is my refund?")


def kept_as(message: Message, **facts: Any) -> None:
    facts = {"facts": {"summons": "mention"}, **facts}
    Message.objects.filter(id=message.id).update(enclosed={"post": plain(Post(profile=profile(), **facts))})


def composer(house: House, message: Message) -> str:
    return house.client("own").get(f"/c/{of(message).id}/composer").content.decode()


def measured(house: House, message: Message, text: str, **more: str) -> str:
    account = str(message.account_id)
    data = {"mode": "reply", "text": text, "account": account, "seen_message": str(message.id), **more}
    return house.client("own").post(f"/c/{of(message).id}/measure", data, headers=HTMX).content.decode()


def count(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html.partition('id="composer-count"')[2].partition(">")[2].partition("<span")[0])


def send(house: House, message: Message, text: str, **more: Any) -> Any:
    data = {
        "mode": "reply",
        "text": text,
        "account": str(message.account_id),
        "seen_message": str(message.id),
        "request_id": "one-and-only",
        **more,
    }
    return house.client("own").post(f"/c/{of(message).id}/reply", data, headers=HTMX)


def test_there_are_no_recipients_no_subject_and_no_quote_but_who_reads_it(house: House, post: Message) -> None:
    html = composer(house, post)
    for name in ("to", "cc", "subject", "with_quote"):
        assert f'name="{name}"' not in html
    assert "Everyone can read it" in html
    assert ONLY_CORIN in html
    assert "@tasbora" in html
    assert re.search(r'value="public" checked', html)


def test_only_what_the_platform_allows_can_be_chosen_and_never_more_than_was_answered(
    house: House, post: Message
) -> None:
    kept_as(post, visibility=Visibility.DIRECT)
    html = composer(house, post)
    assert re.findall(r'name="visibility" value="(\w+)"', html) == ["direct"]
    answer = send(house, post, "Hello", visibility="public")
    assert answer.status_code == 422
    assert "More people could read this than what it answers." in answer.content.decode()
    assert not Envelope.objects.exists()


def test_the_counter_counts_as_the_platform_does(house: House, post: Message) -> None:
    assert count(measured(house, post, "")) == "280"
    assert count(measured(house, post, "a" * 10)) == "270"
    assert count(measured(house, post, "日本語👩‍👩‍👧‍👦")) == "272"
    assert count(measured(house, post, "https://a.com/" + "x" * 100)) == "257"
    over = measured(house, post, "a" * 281)
    assert count(over) == "-1"
    assert 'class="counter is-over"' in over
    assert 'data-excess="280"' in over
    assert count(measured(house, post, "a" * 281, visibility="direct")) != "-1"


def test_what_it_costs_is_said_and_that_a_link_makes_it_dearer(house: House, post: Message) -> None:
    assert "$0.015; a link makes it $0.20" in measured(house, post, "Hello")
    assert "$0.015; the link makes it $0.20" in measured(house, post, "Hello, see https://shop.com/a")
    assert "link" not in measured(house, post, "Hello", visibility="direct").partition("composer-count")[0]


def test_what_would_be_refused_is_said_before_sending_and_stops_it(house: House, post: Message) -> None:
    html = measured(house, post, "About $ACME and $OTHER")
    sentence = re.search(r'class="gate is-hint">.*?<span>(.*?)</span>', html, re.DOTALL)
    assert sentence, html
    answer = send(house, post, "About $ACME and $OTHER")
    assert answer.status_code == 422
    assert sentence[1] in answer.content.decode()
    assert "About $ACME and $OTHER" in answer.content.decode()  # nothing that was written is lost


def test_who_may_not_be_answered_is_said_before_typing_with_what_else_can_be_done(house: House, post: Message) -> None:
    kept_as(post, facts={"summons": "none"}, url="https://x.com/corin/status/1")
    html = composer(house, post)
    assert "<textarea" not in html
    assert "data-send" not in html
    assert 'name="to"' not in html
    assert "X lets a program answer only those who name or quote this account" in html
    assert "write an internal note, or resolve it" in html
    assert "Open on x.com" in html
    assert 'data-mode-choice="note"' in html
    assert send(house, post, "Hello").status_code == 422
    assert not Envelope.objects.exists()


def test_who_may_not_be_answered_in_public_may_be_in_private(house: House, post: Message) -> None:
    kept_as(post, facts={"summons": "none"})
    html, client = composer(house, post), house.client("own")
    assert f"/c/{of(post).id}/composer?visibility=direct" in html
    for address in (f"/c/{of(post).id}/composer?visibility=direct", f"/c/{of(post).id}?compose=1&visibility=direct"):
        direct = client.get(address).content.decode()
        assert "<textarea" in direct
        assert re.search(r'value="direct" checked', direct)
    assert "X lets a program answer only" in measured(house, post, "Hello", visibility="public")
    assert send(house, post, "Hello", visibility="direct").status_code == 200


def test_an_order_number_would_be_public_and_is_taken_out_or_said_in_private(house: House, post: Message) -> None:
    text = "Your order TB-20418 left on Monday."
    assert "An order number would be public." in measured(house, post, text)
    assert "An order number would be public." in measured(house, post, f"{text} {text}")
    stopped = send(house, post, text).content.decode()
    assert "An order number would be public." in stopped
    assert re.findall(r'name="mend" value="(\w+)" data-key="(\d)"', stopped) == [("remove", "1"), ("direct", "2")]
    without = send(house, post, text, mend="remove").content.decode()
    assert "Your order left on Monday.</textarea>" in without
    direct = send(house, post, text, mend="direct").content.decode()
    assert re.search(r'value="direct" checked', direct)
    assert not Envelope.objects.exists()
    assert send(house, post, text, visibility="direct").status_code == 200
    assert Envelope.objects.get().state == "queued"


def test_it_is_sent_once_who_has_confirmed_it(house: House, post: Message) -> None:
    answer = send(house, post, "Your order TB-20418 left on Monday.", confirm="public-personal-data")
    assert answer.status_code == 200
    sent = Message.objects.get(direction="outbound")
    assert [one["address"].lstrip("@") for one in sent.recipients] == ["corin"]


def test_the_warning_of_what_is_answered_is_proposed_and_kept_with_the_draft(house: House, post: Message) -> None:
    kept_as(post, warning="Injury")
    assert 'name="warning" value="Injury"' in composer(house, post)
    conversation = of(post).id
    data = {"text": "Sorry", "account": str(post.account_id), "warning": "", "visibility": "direct"}
    assert house.client("own").post(f"/c/{conversation}/draft", data).status_code == 200
    assert Draft.objects.get().fields["warning"] == ""
    again = composer(house, post)
    assert "Injury" not in again
    assert re.search(r'value="direct" checked', again)
    assert "Sorry</textarea>" in again


def test_a_picture_has_a_place_for_what_it_shows_and_a_gentle_reminder(house: House, post: Message) -> None:
    conversation, now = of(post).id, post.created_at
    file = drafts.attach(conversation, house.agent, now, name="strap.png", content_type="image/png", content=PIXEL)
    html = composer(house, post)
    assert f'name="alt-{file.id}"' in html
    assert "Without words, people who cannot see it are left out." in html
    house.client("own").post(f"/c/{conversation}/draft", {"text": "Here", f"alt-{file.id}": "A green strap"})
    assert DraftAttachment.objects.get().alt == "A green strap"
    assert "left out" not in composer(house, post)
    house.client("owner").post(f"/c/{conversation}/draft", {"text": "x", f"alt-{file.id}": "Somebody else's words"})
    assert DraftAttachment.objects.get().alt == "A green strap"


def test_another_account_of_ours_can_answer(house: House, post: Message) -> None:
    assert "data-account-choice" not in composer(house, post)
    other = x_account(house, "tasbora_ro", "900000000000000002")
    html = composer(house, post)
    assert re.search(rf'<option value="{other.id}">tasbora_ro</option>', html)
    proposal = replies.propose(of(post).id, house.agent)
    assert proposal.account_id == post.account_id


def test_a_mail_is_written_as_before(house: House) -> None:
    html = house.client("own").get(f"/c/{house.conversation.id}/composer").content.decode()
    assert 'name="to"' in html
    assert "composer-count" not in html
    assert 'name="visibility"' not in html
