"""Ring (b): one message, several deliveries; or two messages and a flag."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.rules.sameness import MAX_FOOTER, Content, Sameness, Sighting, Verdict, bare_subject, fold, is_list_copy

INBOX: Hashable = ("help", "INBOX", "1")
SALES: Hashable = ("sales", "INBOX", "1")
NEXT_EPOCH: Hashable = ("help", "INBOX", "2")
DIRECT = Content("ana@example.org", datetime(2026, 11, 24, tzinfo=UTC), "Broken teapot", "The lid broke.\nAna")


def held(id: int, reference: str, sha: str, *scopes: Hashable, content: Content | None = None) -> Sighting:
    return Sighting(reference, sha, frozenset(scopes or (INBOX,)), content, id)


def seen(reference: str, sha: str, scope: Hashable = INBOX, content: Content | None = None) -> Sighting:
    return Sighting(reference, sha, frozenset({scope}), content)


@pytest.mark.parametrize("scope", [INBOX, SALES, NEXT_EPOCH])
def test_f29_f30_the_same_id_and_content_is_one_message_wherever_it_is_seen(scope: Hashable) -> None:
    assert fold([held(1, "a@x", "h1")], seen("a@x", "h1", scope)) == Verdict(Sameness.SAME, 1)


def test_f16_same_message_id_with_other_content_is_two_messages() -> None:
    assert fold([held(1, "a@x", "h1")], seen("a@x", "h2")) == Verdict(Sameness.OTHER_CONTENT, None, (1,))


def test_f16_an_id_sent_first_does_not_suppress_the_real_mail_nor_its_copies() -> None:
    both = [held(1, "a@x", "forged"), held(2, "a@x", "real")]
    assert fold(both, seen("a@x", "real", SALES)) == Verdict(Sameness.SAME, 2)
    assert fold(both, seen("a@x", "third")) == Verdict(Sameness.OTHER_CONTENT, None, (1, 2))


def test_another_id_is_another_message_whatever_it_says() -> None:
    assert fold([held(1, "a@x", "h1")], seen("b@x", "h1")) == Verdict(Sameness.DIFFERENT)
    assert fold([], seen("a@x", "h1")) == Verdict(Sameness.DIFFERENT)


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        (INBOX, Verdict(Sameness.DIFFERENT)),  # the same words twice in one mailbox were said twice
        (SALES, Verdict(Sameness.SAME, 1)),  # a copy in another mailbox
        (NEXT_EPOCH, Verdict(Sameness.SAME, 1)),  # the server numbered its mail anew
    ],
)
def test_without_an_id_equal_content_is_the_same_only_in_another_scope(scope: Hashable, verdict: Verdict) -> None:
    assert fold([held(1, "", "h1")], seen("", "h1", scope)) == verdict


def test_f6_two_equal_mails_without_id_stay_two_after_a_new_epoch() -> None:
    first, second = held(1, "", "h1"), held(2, "", "h1")
    assert fold([first, second], seen("", "h1", NEXT_EPOCH)).message == 1
    first = replace(first, scopes=frozenset({INBOX, NEXT_EPOCH}))
    assert fold([first, second], seen("", "h1", NEXT_EPOCH)).message == 2


def test_a_message_without_id_never_folds_into_one_that_has_one() -> None:
    assert fold([held(1, "a@x", "h1", SALES)], seen("", "h1")) == Verdict(Sameness.DIFFERENT)


FOOTER = "\n_______\nshop-talk mailing list\nshop-talk@lists.example"


@pytest.mark.parametrize(
    ("change", "is_copy"),
    [
        ({}, True),
        ({"subject": "[shop-talk] Broken teapot"}, True),
        ({"text": DIRECT.text + FOOTER}, True),
        ({"subject": "[shop-talk] Broken teapot", "text": DIRECT.text.replace("\n", "\r\n") + FOOTER}, True),
        ({"text": "Please pay here first.\n" + DIRECT.text}, False),
        ({"text": "Another text"}, False),
        ({"text": ""}, False),
        ({"text": DIRECT.text + "x" * (MAX_FOOTER + 1)}, False),
        ({"subject": "Broken cup"}, False),
        ({"author": "eve@evil.test"}, False),
        ({"author": ""}, False),
        ({"written_at": None}, False),
        ({"written_at": datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=1)}, False),
    ],
)
def test_f29_a_lists_prefix_and_footer_do_not_make_it_another_content(change: dict[str, object], is_copy: bool) -> None:
    copy = replace(DIRECT, **change)  # type: ignore[arg-type]
    assert is_list_copy(DIRECT, copy) is is_list_copy(copy, DIRECT) is is_copy
    expected = Sameness.SAME if is_copy else Sameness.OTHER_CONTENT
    assert fold([held(1, "a@x", "h1", content=DIRECT)], seen("a@x", "h2", content=copy)).sameness is expected


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: [shop-talk] RE: Broken  teapot", "broken teapot"),
        ("AW: WG: Broken teapot", "broken teapot"),
        ("Răsp: Broken teapot", "broken teapot"),
        ("[1] [2] ok", "ok"),
        ("Results: fine", "results: fine"),
        ("[unclosed", "[unclosed"),
        ("", ""),
    ],
)
def test_a_subject_is_compared_without_its_marks(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


def test_f83_hostile_subjects_take_linear_time() -> None:
    for subject in ("[" * 100_000, "re:" * 100_000, "re " * 100_000):
        assert len(bare_subject(subject)) <= 1000


references = st.sampled_from(["", "a@x", "b@x"])
shas = st.sampled_from(["h1", "h2"])
scopes = st.sampled_from([INBOX, SALES, NEXT_EPOCH])


@given(st.lists(st.tuples(references, shas, scopes), max_size=12))
def test_f16_folding_loses_nothing_and_never_joins_other_content(arrivals: list[tuple[str, str, Hashable]]) -> None:
    held_now: dict[int, Sighting] = {}
    for number, (reference, sha, scope) in enumerate(arrivals, 1):
        verdict = fold(held_now.values(), seen(reference, sha, scope))
        if verdict.message is None:
            held_now[number] = held(number, reference, sha, scope)
        else:
            same = held_now[verdict.message]
            assert (same.reference, same.stable_sha256) == (reference, sha)
            held_now[same.id] = replace(same, scopes=same.scopes | {scope})
    named = {(reference, sha) for reference, sha, _ in arrivals if reference}
    assert len([one for one in held_now.values() if one.reference]) == len(named)
    # Without an id: as many messages as the fullest scope shows.
    for sha in ("h1", "h2"):
        shown = [scope for reference, other, scope in arrivals if not reference and other == sha]
        fullest = max((shown.count(scope) for scope in set(shown)), default=0)
        assert len([one for one in held_now.values() if not one.reference and one.stable_sha256 == sha]) == fullest
