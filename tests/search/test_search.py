"""Finding messages: one behaviour, whichever index answers."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.models import Account, ConversationAccount, Message, Strand, StrandLink
from search.document import allows, matches
from search.query import parse_query
from search.rows import load_documents
from tests.search.conftest import Indexed
from tests.search.records import NOW, deliver, make_account, make_conversation, make_message

pytestmark = pytest.mark.django_db

EXAMPLES = [
    ("kettle", True),
    ("KETTLE ordered", True),
    ("ordered kettle teapot", False),
    ('"blue kettle"', True),
    ('"kettle blue"', False),
    ('"arrived yet Tak"', False),  # no phrase reaches from one field into the next
    ("ket*", True),
    ("kettles", False),
    ("ket", False),
    ("intarzie", True),
    ("Întârzie", True),
    ("tb-20418", True),
    ("TB20418", True),
    ("20418", True),
    ("tb-204*", True),
    ('"order tb"', True),
    ("tb-2041", False),
    ('"tb20418 email"', False),  # wholes stand in no order
    ("返金", True),
    ("返", True),
    ("金", True),
    ("返金して", True),
    ("金返", False),
    ("email", True),
    ("e-mail", True),
    ("maria", True),
    ("maria@exemplu.ro", True),
    ('"Maria Popescu"', True),
    ('"Popescu maria"', False),  # her name, then her address
    ("from:maria", True),
    ("from:mar*", True),
    ("from:maria@exemplu.ro", True),
    ('from:"maria popescu"', True),
    ("from:help", False),
    ("help@toko.example", True),
    ("from:kettle", False),
    ("subject", False),
    ("?!", False),
]


@pytest.fixture
def mail(index: Indexed) -> Message:
    box = make_account()
    _, strand = make_conversation(box)
    message = make_message(
        strand,
        box,
        subject="Late, has not arrived yet",
        text="Tak se întârzie! I ordered the blue kettle (order TB-20418).\nPlease e-mail me. 返金してください 返金",
        author=("Maria Popescu", "Maria@exemplu.ro"),
        recipients=[("Help", "help@toko.example")],
    )
    make_message(strand, box, text="another one", author=("Someone", "else@example.com"), minutes=1)
    index.backend.index(Message.objects.values_list("id", flat=True))
    index.settle()
    return message


def test_the_language_finds_what_it_says(index: Indexed, mail: Message) -> None:
    assert {query: index.find(query) == [mail.id] for query, _ in EXAMPLES} == dict(EXAMPLES)
    assert all(index.find(query) in ([], [mail.id]) for query, _ in EXAMPLES)


def test_hits_come_newest_first_and_pages_join_without_gap_or_repeat(index: Indexed) -> None:
    box = make_account()
    _, strand = make_conversation(box)
    order = list(range(25))
    random.Random(7).shuffle(order)
    made = {minutes: make_message(strand, box, text="parcel", minutes=minutes // 3).id for minutes in order}
    index.backend.index(made.values())
    index.settle()
    found: list[int] = []
    cursor = None
    for _ in range(10):
        page = index.backend.search("parcel", accounts=None, limit=4, cursor=cursor)
        found += [hit.message for hit in page.hits]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(found) == sorted(made.values())
    times = dict(Message.objects.values_list("id", "written_at"))
    assert [times[id] for id in found] == sorted(times.values(), reverse=True)
    assert index.find("parcel") == found


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1" * 30, "１２", "1; drop table"])
def test_a_cursor_that_was_not_made_here_starts_at_the_top(index: Indexed, mail: Message, cursor: str) -> None:
    page = index.backend.search("kettle", accounts=None, cursor=cursor)
    assert [hit.message for hit in page.hits] == [mail.id]


def test_a_hit_says_where_it_is_and_why(index: Indexed, mail: Message) -> None:
    (hit,) = index.backend.search('"blue kettle" tb-20418', accounts=None).hits
    link = StrandLink.objects.get(strand=mail.strand)
    assert (hit.conversation, hit.customer) == (link.conversation_id, link.conversation.customer_id)
    assert (hit.subject, hit.author, hit.sent_at, hit.score) == (mail.subject, "Maria Popescu", NOW, None)
    assert [hit.passage.text[start:end] for start, end in hit.passage.marks] == ["blue kettle", "TB-20418"]


def test_f79_a_search_shows_only_what_the_reader_may_read(index: Indexed) -> None:
    mine, theirs = make_account(), make_account()
    _, strand = make_conversation(mine)
    _, shared = make_conversation(mine, theirs)
    _, hidden = make_conversation(theirs)
    own = make_message(strand, mine, text="secret")
    note = make_message(shared, text="secret note", direction="note", minutes=1)
    both = make_message(shared, mine, theirs, text="secret", minutes=2)
    make_message(hidden, theirs, text="secret", minutes=3)
    make_message(hidden, text="secret note", direction="note", minutes=4)
    index.backend.index(Message.objects.values_list("id", flat=True))
    index.settle()
    assert index.find("secret", {mine.id}) == [both.id, note.id, own.id]
    assert len(index.find("secret", {theirs.id})) == 4
    assert len(index.find("secret")) == 5
    assert index.find("secret", set()) == []
    assert index.find(f"a{theirs.id}") == index.find("a0") == []


def test_f79_the_rows_decide_even_when_the_index_is_behind(index: Indexed, mail: Message) -> None:
    (box,) = Account.objects.all()
    assert index.find("kettle", {box.id}) == [mail.id]
    ConversationAccount.objects.all().delete()
    assert index.find("kettle", {box.id}) == []


def test_pages_are_full_though_most_answers_may_not_be_seen(index: Indexed) -> None:
    mine, theirs = make_account(), make_account()
    _, strand = make_conversation(mine)
    _, hidden = make_conversation(theirs)
    seen = [make_message(strand, mine, text="x1", minutes=n * 10).id for n in range(3)]
    for n in range(40):
        make_message(hidden, text="x1", direction="note", minutes=n)
    index.backend.index(Message.objects.values_list("id", flat=True))
    index.settle()
    page = index.backend.search("x1", accounts={mine.id}, limit=3)
    assert [hit.message for hit in page.hits] == seen[::-1]


def test_a_hit_follows_its_strand_to_another_conversation(index: Indexed, mail: Message) -> None:
    other, _ = make_conversation()
    StrandLink.objects.filter(strand=mail.strand).update(ended_at=NOW)
    StrandLink.objects.create(strand=mail.strand, conversation=other, linked_at=NOW)
    (hit,) = index.backend.search("kettle", accounts=None).hits
    assert hit.conversation == other.id


def test_a_delivery_in_another_account_can_be_found_there(index: Indexed, mail: Message) -> None:
    second = make_account()
    link = StrandLink.objects.get(strand=mail.strand)
    ConversationAccount.objects.create(conversation=link.conversation, account=second)
    assert index.find("kettle", {second.id}) == []
    deliver(mail, second)
    index.backend.index([mail.id])
    index.settle()
    assert index.find("kettle", {second.id}) == index.find("kettle") == [mail.id]


def test_f67_a_rebuild_gives_the_same_answers_and_mends_what_was_lost(index: Indexed, mail: Message) -> None:
    late = make_message(mail.strand, text="kettle again", minutes=5)
    assert index.backend.rebuild() >= 3  # messages, and conversations where they have documents
    assert index.find("kettle") == [late.id, mail.id]
    assert index.backend.drift().total == 0
    assert index.backend.status(NOW).drift == 0


def test_an_audit_counts_what_is_missing_and_repair_brings_it_back(index: Indexed, mail: Message) -> None:
    late = make_message(mail.strand, text="kettle again", minutes=5)
    drift = index.backend.drift()
    assert (drift.missing, drift.total) == (1, 1)
    assert index.backend.status(NOW).drift == 1
    index.backend.repair()
    index.settle()
    assert index.find("kettle") == [late.id, mail.id]
    assert index.backend.drift().total == 0


def test_a_message_whose_row_is_gone_is_no_longer_in_the_index(index: Indexed, mail: Message) -> None:
    id = mail.id
    mail.deliveries.all().delete()
    mail.delete()
    assert index.backend.drift().extra == 1
    index.backend.repair()
    assert index.find("kettle") == []
    assert index.backend.drift().extra == 0
    assert not Message.objects.filter(id=id).exists()


def test_f63_a_text_that_is_far_too_long_is_cut_and_still_found(index: Indexed, mail: Message) -> None:
    words = " ".join(f"w{n:07}" for n in range(150_000))
    long = make_message(mail.strand, text=f"kettle {words} end", minutes=5)
    index.backend.index([long.id])
    index.settle()
    assert index.find("kettle") == [long.id, mail.id]
    assert index.find("kettle w0000001") == [long.id]
    assert index.find("end w0000001") == []


def test_a_long_query_is_cut_and_says_so(index: Indexed, mail: Message) -> None:
    page = index.backend.search("kettle " * 200, accounts=None)
    assert [hit.message for hit in page.hits] == [mail.id]
    assert "first words" in page.notice


ALPHABET = [
    "ab",
    "abc",
    "b",
    "ba",
    "tb-20418",
    "tb20418",
    "20418",
    "ăb",
    "返",
    "返金",
    "金返金",
    "x@y.z",
    "что-то",
    "ж1",
]


def random_text(dice: random.Random) -> str:
    return dice.choice([" ", ", ", "\n"]).join(dice.choices(ALPHABET, k=dice.randrange(9)))


def fill(strands: list[Strand], boxes: list[Account], dice: random.Random) -> None:
    for n in range(60):
        at = dice.randrange(2)
        make_message(
            strands[at],
            *dice.sample(boxes, dice.randrange(3)),
            subject=random_text(dice),
            text=random_text(dice),
            author=(random_text(dice)[:100], dice.choice(["ab@x.org", "ba@y.org", ""])),
            recipients=[(random_text(dice), "b@x.org")] * dice.randrange(3),
            minutes=n / 40,
            direction=dice.choice(["inbound", "note"]),
        )


QUERIES = st.lists(
    st.tuples(st.sampled_from(["", "", "from:"]), st.sampled_from(ALPHABET), st.sampled_from(["", "", "*"])).map(
        "".join
    )
    | st.lists(st.sampled_from(ALPHABET), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"')
    | st.text(alphabet='ab返金"*: .-@', max_size=6),
    min_size=1,
    max_size=3,
).map(" ".join)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_index_answers_as_the_meaning_of_the_query_says(index: Indexed, seed: int) -> None:
    dice = random.Random(seed)
    boxes = [make_account(), make_account()]
    strands = [make_conversation(*boxes)[1], make_conversation(*boxes)[1]]
    fill(strands, boxes, dice)
    ids = list(Message.objects.values_list("id", flat=True))
    dice.shuffle(ids)
    index.backend.index(ids)
    index.settle()
    documents = sorted(load_documents(ids), key=lambda each: each.rowid, reverse=True)

    @given(QUERIES, st.sampled_from([None, {boxes[0].id}, {boxes[0].id, boxes[1].id}]))
    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    def agree(query: str, accounts: set[int] | None) -> None:
        root = parse_query(query).root
        expected = [
            each.id for each in documents if root is not None and allows(accounts, each) and matches(root, each)
        ]
        assert index.find(query, accounts) == expected

    agree()
