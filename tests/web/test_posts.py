"""Posts in a conversation: who can read them, what hangs on them, who wrote them, and pictures through our own door."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connectors.social import Media, Poll, Post, Quoted, Visibility, plain
from inbox.models import Conversation, Message, PostEdition, PostReach, PostState
from tests.web.conftest import House
from tests.web.posting import mention, profile, x_account
from tests.web.test_mail_as_sent import far  # noqa: F401  a fixture
from web.formatting import compact
from web.posts import label_word, safe_url

HTMX = {"HX-Request": "true"}


@pytest.fixture
def post(house: House) -> Message:
    return mention(x_account(house), "Where is my refund?")


def of(message: Message) -> Conversation:
    return Conversation.objects.get(strand_links__strand_id=message.strand_id, strand_links__ended_at=None)


def page(house: House, message: Message, role: str = "own") -> str:
    return house.client(role).get(f"/c/{of(message).id}").content.decode()


def shown(house: House, message: Message, **facts: Any) -> str:
    """The page, where the post is kept with these facts."""
    kept = Post(profile=profile(), url="https://x.com/corin/status/1", **facts)
    Message.objects.filter(id=message.id).update(enclosed={"post": plain(kept)})
    return page(house, message)


# --- Who can read it, and what was said -----------------------------------------------------------------------------


def test_how_many_follow_us_is_not_said_of_our_own_posts(house: House, post: Message) -> None:
    Message.objects.filter(id=post.id).update(direction="outbound")
    ours = shown(house, post)
    assert "X, public" in ours
    assert "48 k followers" not in ours.partition("<article")[2].partition("</article>")[0]


def test_public_and_private_are_told_apart_by_words_and_by_the_shape_of_the_tile(house: House, post: Message) -> None:
    public = shown(house, post)
    assert "X, public, 48 k followers" in public
    assert '<span class="channel" aria-hidden="true">X</span>' in public
    private = shown(house, post, visibility=Visibility.DIRECT)
    assert "X, direct, 48 k followers" in private
    assert '<article class="message is-unread"' in private
    tile = private.partition("<article")[2].partition("message-main")[0]
    assert 'class="channel is-private"' in tile


def test_a_conversation_without_a_subject_is_called_by_its_first_words(house: House, post: Message) -> None:
    assert "Where is my refund?</h1>" in page(house, post)
    assert "(no subject)" not in page(house, post)


def test_a_quoted_post_a_poll_and_labels_are_put_into_words(house: House, post: Message) -> None:
    ends = (timezone.now() + timedelta(hours=5)).isoformat()
    html = shown(
        house,
        post,
        quoted=Quoted("x:1", "https://x.com/tasbora/status/9", "tasbora", "Two years <b>of</b> warranty"),
        poll=Poll((("They will", 12), ("They will not", 188)), ends, takes_several=True),
        labels=("spam", "!warn-me"),
    )
    assert "Two years &lt;b&gt;of&lt;/b&gt; warranty" in html
    assert "94 %, 188" in html
    assert "Several answers are possible, ends" in html
    assert "Labelled as spam" in html
    assert "Labelled “!warn-me”" in html


def test_a_content_warning_folds_the_words_and_what_hangs_on_them(house: House, post: Message) -> None:
    html = shown(house, post, warning="Injury", media=(Media("image", "https://far.example/a.png", alt="A hand"),))
    folded = html.partition('<details class="quote warned">')[2].partition("</details>")[0]
    assert "Injury" in folded.partition("</summary>")[0]
    assert "Where is my refund?" in folded
    assert "A hand" in folded


@pytest.mark.parametrize(
    "address",
    [
        "http://x.com/1",
        "javascript:alert(1)",
        "https://a@b.example/",
        "https:///x",
        "//x.com",
        "https://x.com/a b",
        "[",
    ],
)
def test_only_a_plain_https_address_stands_behind_a_link(address: str, house: House, post: Message) -> None:
    assert safe_url(address) == ""
    kept = Post(profile=profile(url=address), url=address, quoted=Quoted(url=address, handle="x", text="y"))
    Message.objects.filter(id=post.id).update(enclosed={"post": plain(kept)})
    assert f'href="{address}' not in page(house, post)


def test_a_link_to_the_platform_says_where_it_leads_and_tells_it_nothing(house: House, post: Message) -> None:
    html = shown(house, post)
    assert (
        '<a href="https://x.com/corin/status/1" target="_blank" rel="noopener noreferrer nofollow">Open on x.com</a>'
        in html
    )


def test_edited_deleted_and_carried_posts_say_so(house: House, post: Message) -> None:
    now = timezone.now()
    state = {"account": post.account, "visibility": "public", "standing": "mention"}
    PostState.objects.update_or_create(message=post, defaults={**state, "edited_at": now})
    PostEdition.objects.create(message=post, revision="1", text="Where is my fridge?", seen_at=now)
    for number in range(4):
        PostReach.objects.create(
            kind="x", reference=post.reference, actor_key=str(number), action="repost", followers=3000, at=now
        )
    html = page(house, post)
    assert ", edited " in html
    assert "Where is my fridge?" in html
    assert "Boosted 4 times, reach 12 k" in html
    PostState.objects.filter(message=post).update(deleted_at=now)
    assert "Deleted by its author" in page(house, post)


def test_a_hidden_post_is_folded_with_the_reason(house: House, post: Message) -> None:
    state = {"account": post.account, "visibility": "public", "standing": "mention", "hidden_why": "hate"}
    PostState.objects.update_or_create(message=post, defaults=state)
    assert "Hidden as hateful" in page(house, post)


# --- The author, and the row ----------------------------------------------------------------------------------------


def test_the_card_shows_the_author_as_the_platform_does(house: House, post: Message) -> None:
    card = page(house, post).partition('<section class="author">')[2].partition("</section>")[0]
    for words in ("On X", "@corin", "Film, food, football.", "48 k", "4.1 k", "March 2019", "Verified by the platform"):
        assert words in card


def test_a_changed_handle_is_told(house: House, post: Message) -> None:
    kept = Post(profile=profile(handle="corin_vale"))
    Message.objects.filter(id=post.id).update(enclosed={"post": plain(kept)})
    later = mention(post.account, "And now?")
    later.author_id, later.strand_id = post.author_id, post.strand_id
    later.save()
    assert "Wrote here before as @corin_vale" in page(house, post)


def test_a_row_says_the_channel_who_reads_it_and_how_many(house: House, post: Message) -> None:
    Conversation.objects.filter(id=of(post).id).update(visibility="public", reach=48_200)
    html = house.client("own").get("/q/open").content.decode()
    row = html.partition(f'id="row-{of(post).id}"')[2].partition("</li>")[0]
    assert "Reach 48 k" in row
    assert "X, public" in row
    assert '<span class="channel" aria-hidden="true">X</span>' in row
    assert "E-mail, support" in html


@pytest.mark.parametrize(
    ("count", "words"),
    [
        *[(-1, "0"), (0, "0"), (999, "999"), (1000, "1 k"), (4120, "4.1 k"), (9999, "9.9 k"), (48_200, "48 k")],
        *[(999_999, "999 k"), (1_000_000, "1 M"), (1_250_000, "1.2 M"), (2_500_000_000, "2,500 M")],
    ],
)
def test_large_numbers_are_short_and_never_more_than_there_are(count: int, words: str) -> None:
    assert compact(count) == words


def test_an_unknown_label_is_shown_as_it_is() -> None:
    assert label_word("x" * 200) == f"Labelled “{'x' * 40}”"


# --- Pictures -------------------------------------------------------------------------------------------------------


def with_picture(post: Message, host: str) -> Message:
    media = (Media("image", f"{host}/a.jpg", alt="A torn strap"), Media("video", f"{host}/v.mp4"))
    Message.objects.filter(id=post.id).update(enclosed={"post": plain(Post(media=media))})
    return post


def test_f75_pictures_of_a_post_come_only_when_asked_for_and_through_us(house: House, post: Message, far: Any) -> None:  # noqa: F811
    host, asked = far
    message, client = with_picture(post, host), house.client("own")
    html = page(house, message)
    assert f"/m/{message.id}/pictures/0" in html
    assert "<img" not in html.partition('class="timeline"')[2].partition("</main>")[0].partition("composer")[0]
    assert "A torn strap" in html
    assert host not in html
    assert asked == []
    once = client.get(f"/m/{message.id}/pictures", headers=HTMX).content.decode()
    assert f'<img src="/m/{message.id}/pictures/0" alt="A torn strap"' in once
    assert asked == []
    picture = client.get(f"/m/{message.id}/pictures/0")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/webp")
    assert asked == ["/a.jpg"]
    assert client.get(f"/m/{message.id}/pictures/1").status_code == 404  # a film has no still picture of its own
    assert client.get(f"/m/{message.id}/pictures/2").status_code == 404


def test_pictures_are_remembered_for_an_author_and_forgotten_again(house: House, post: Message, far: Any) -> None:  # noqa: F811
    message, client = with_picture(post, far[0]), house.client("own")
    client.post(f"/m/{message.id}/pictures", {"act": "remember"}, headers=HTMX)
    assert f'<img src="/m/{message.id}/pictures/0"' in page(house, message)
    client.post(f"/m/{message.id}/pictures", {"act": "forget"})
    assert f'<img src="/m/{message.id}/pictures/0"' not in page(house, message)


def test_f76_what_lies_inside_is_never_asked_for_by_a_post(house: House, post: Message) -> None:
    message = with_picture(post, "http://127.0.0.1:8025")
    assert house.client("own").get(f"/m/{message.id}/pictures/0").status_code == 404


def test_who_may_not_read_a_post_gets_none_of_its_pictures(house: House, post: Message, far: Any) -> None:  # noqa: F811
    message, asked = with_picture(post, far[0]), far[1]
    assert house.client("other").get(f"/m/{message.id}/pictures/0").status_code == 404
    assert house.client("other").get(f"/m/{message.id}/pictures").status_code == 404
    assert asked == []


def test_facts_of_another_version_do_not_break_the_page(house: House, post: Message) -> None:
    kept = replace(Post(), poll=Poll((("", -1),), "tomorrow"), media=tuple(Media("?", "x") for _ in range(30)))
    Message.objects.filter(id=post.id).update(enclosed={"post": {**plain(kept), "more": 1, "visibility": "circle"}})
    assert "X, direct" in page(house, post)  # what is not known is taken for private


# --- Put away -------------------------------------------------------------------------------------------------------


def press(house: House, message: Message, act: str, **data: str) -> Any:
    data = {"message": str(message.id), **data}
    return house.client("own").post(f"/c/{of(message).id}/act/{act}", data, headers=HTMX)


def undo_in(answer: Any) -> str:
    found = re.search(r'action="(/undo/[^"]+)"', answer.content.decode())
    assert found, answer.content.decode()
    return found[1]


def test_a_post_is_hidden_with_a_reason_and_the_act_is_told_and_undone(house: House, post: Message) -> None:
    assert 'name="why" value="off-topic"' in page(house, post)
    hidden = press(house, post, "hide", why="hate")
    assert PostState.objects.get(message=post).hidden_why == "hate"
    html = page(house, post)
    assert "Hidden as hateful" in html
    assert "You hid a post: hateful." in html
    assert "/act/show-again" in html
    house.client("own").post(undo_in(hidden), headers=HTMX)
    assert PostState.objects.get(message=post).hidden_why == ""
    press(house, post, "hide", why="spam")
    press(house, post, "show-again")
    assert PostState.objects.get(message=post).hidden_why == ""


def test_nothing_is_hidden_without_a_reason_or_out_of_another_conversation(house: House, post: Message) -> None:
    assert "Choose a reason." in press(house, post, "hide").content.decode()
    assert "Choose a reason." in press(house, post, "hide", why="dull").content.decode()
    other = mention(post.account, "Something else", who="dana")
    answer = house.client("own").post(
        f"/c/{of(other).id}/act/hide", {"message": str(post.id), "why": "spam"}, headers=HTMX
    )
    assert "no longer here" in answer.content.decode()
    assert PostState.objects.get(message=post).hidden_why == ""


def test_a_whole_conversation_is_put_away_as_hateful_and_brought_back(house: House, post: Message) -> None:
    assert "/act/hate" in page(house, post)
    away = press(house, post, "hate")
    assert (of(post).status, of(post).status_reason) == ("spam", "hate")
    house.client("own").post(undo_in(away), headers=HTMX)
    assert of(post).status == "open"
    press(house, post, "hate")
    press(house, post, "not-spam")
    assert of(post).status == "open"
