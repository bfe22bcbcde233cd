"""Who may join whose conversation, whatever the mail's head claims."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest

from inbox import proposals
from inbox.models import Conversation, Customer, Envelope, Identity, Message, Thread
from tests.builders import NOW, SENT, make_account, make_item, make_mail, receive
from tests.inbox.correspondence import STYLES, Style
from tests.inbox.ground import make_user
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
OURS = "support@balas.example"


def of(text: str) -> Conversation:
    message = Message.objects.get(text__startswith=text)
    return Conversation.objects.get(strand_links__strand=message.strand, strand_links__ended_at=None)


VOUCHED = {"Authentication-Results": "mx.balas.example; dmarc=pass header.from=shop.example"}


def talk(**account: object) -> None:
    """Ana asked, we answered."""
    box = make_account(**account)  # type: ignore[arg-type]
    receive(box, make_item(make_mail("Where is it?\n", message_id="a1@shop.example", headers=VOUCHED)))
    ours = make_mail("On its way\n", author=OURS, to="ana@shop.example", message_id="o1@balas.example",
                     in_reply_to="a1@shop.example", at=NOW + HOUR)  # fmt: skip
    receive(box, make_item(ours, scope=SENT, at=NOW + HOUR), now=NOW + HOUR)


def arrive(mail: bytes, at: int = 2) -> None:
    box = Message.objects.filter(direction="inbound").earliest("id").account
    assert box is not None
    receive(box, make_item(mail, at=NOW + at * HOUR), now=NOW + at * HOUR)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
@pytest.mark.parametrize("is_parent_here", [True, False])
def test_f50_the_answer_of_every_kind_of_program_joins_ours_also_when_ours_comes_later(
    style: Style, is_parent_here: bool
):
    box = make_account()
    ours = make_mail("On its way\n", author=OURS, to="ana@shop.example", message_id="o1@balas.example", at=NOW)
    head = "\n".join(style(["a1@shop.example", "o1@balas.example"], random.Random(1)))
    mail = f"From: ana@shop.example\nTo: {OURS}\nMessage-ID: <a2@shop.example>\n{head}\n\nThanks\n"
    items = [make_item(ours, scope=SENT), make_item(mail.encode(), at=NOW + HOUR)]
    for item in items if is_parent_here else reversed(items):
        receive(box, item, now=NOW + HOUR)
    assert Conversation.objects.get().messages_count == 2
    assert_sums_hold()


def test_f50_thread_index_topic_and_subject_join_nobody():
    talk()
    index = {"Thread-Index": "AdHlq3l3Yk0yQ2p0S2m1Qm9mQm9uZw==", "Thread-Topic": "My order"}
    arrive(make_mail("One\n", author="bob@shop.example", subject="Re: My order", headers=index))
    arrive(make_mail("Two\n", author="cleo@shop.example", subject="Re: My order", headers=index), 3)
    arrive(make_mail("Three\n", subject="Re: My order", headers=index), 4)  # Ana herself, without a reference
    assert len({of(text).id for text in ("Where", "One", "Two", "Three")}) == 4


def test_f47_a_stranger_with_number_subject_and_reference_begins_anew_and_hears_nothing():
    talk()
    arrive(
        make_mail(
            "Let me in\n", author="eve@evil.example", subject="Re: [#20418] My order", in_reply_to="o1@balas.example"
        )
    )
    assert of("Let me in") != of("Where")
    assert of("Where").messages_count == 2
    assert Thread.objects.count() == 1  # one graph, two exchanges
    assert {one.address for one in proposals.propose(of("Let me in").id, make_user()).to} == {"eve@evil.example"}


@pytest.mark.parametrize(
    ("result", "refers", "writer"),
    list(itertools.product(("dmarc=pass", "dmarc=fail", None), (True, False), (OURS, "dan@balas.example"))),
)
def test_f46_mail_in_an_agents_name_is_never_sent_on_and_answers_nobody(result, refers, writer):
    """We know no mail that acts as an agent: it is inbound, flagged or not, and nothing leaves because of it."""
    talk(settings={"authserv_id": "mx.balas.example"})
    make_user("Dan")
    headers = {"Authentication-Results": f"mx.balas.example; {result} header.from=balas.example"} if result else {}
    tokens = {"X-Reply-Token": "a1b2", "X-FreeScout-Mail-Type": "agent.message"}
    head = {"in_reply_to": "o1@balas.example", "references": ["a1@shop.example", "o1@balas.example"]} if refers else {}
    arrive(
        make_mail(
            "#resolve\nPay here: https://evil.example\n",
            author=writer,
            headers={**headers, **tokens},
            at=NOW + 2 * HOUR,
            **head,
        )
    )
    assert Envelope.objects.count() == 0
    assert Message.objects.get(text__startswith="#resolve").direction == "inbound"
    assert of("Where").status == "waiting" or result == "dmarc=pass"
    assert of("Where").owner_id is None
    assert of("#resolve").status == "open"


LOOK_ALIKES = [
    "maria@shop.example", "maría@shop.example", "mаria@shop.example", "mar\u0131a@shop.example", "ｍaria@shop.example",
    "maria@shоp.example", "maria@shóp.example", "maria@sh0p.example", "maria@shop.examplе",
]  # fmt: skip


def test_f53_addresses_that_only_look_alike_are_different_people_and_the_answer_goes_to_the_stored_one():
    box, user = make_account(), make_user()
    for number, address in enumerate(LOOK_ALIKES):
        mail = f"From: {address}\nTo: {OURS}\nSubject: Hello\nMessage-ID: <m{number}@x.example>\n\nI am {number}.\n"
        receive(box, make_item(mail.encode(), uid=number + 1))
    assert Customer.objects.filter(conversations__isnull=False).distinct().count() == len(LOOK_ALIKES)
    keys = list(Identity.objects.filter(is_own=False).values_list("key", flat=True))
    assert len(set(keys)) == len(keys)
    arrive(make_mail("It is me\n", author=LOOK_ALIKES[2], in_reply_to="m0@x.example"))
    assert of("It is me") != of("I am 0")
    (only,) = proposals.propose(of("I am 5").id, user).to
    assert only.address == LOOK_ALIKES[5]


def test_f53_the_same_address_in_other_spelling_is_one_person():
    box = make_account()
    for number, address in enumerate(["Ana@Bücher.example", "ana@xn--bcher-kva.example", "ANA@BU\u0308CHER.example"]):
        mail = f"From: {address}\nTo: {OURS}\nSubject: Hello\nMessage-ID: <m{number}@x.example>\n\nI am {number}.\n"
        receive(box, make_item(mail.encode(), uid=number + 1))
    assert Identity.objects.filter(is_own=False).count() == 1


def test_f52_what_we_sent_ourselves_needs_nobody_to_vouch_for_it():
    """The copy in Sent never passed a server that could have checked it."""
    talk(settings={"authserv_id": "mx.balas.example"})
    ours = Message.objects.get(direction="outbound")
    assert (ours.verified, ours.flags) == (None, [])
    assert of("On its way") == of("Where")
    assert of("Where").status == "waiting"
