"""Who wrote a forwarded mail, and what is offered for which messages."""

from __future__ import annotations

from typing import Any

import pytest

from inbox.rules.forwards import Forwarded, find_forwarded
from inbox.rules.offers import Offer, Ours, bare, find_offers, numbers_of

ANA = Forwarded("ana@shop.example", "Ana Pop")
OURS = Ours(frozenset({"support@balas.example", "dan@gmail.com"}), frozenset({"forms@balas.example"}))

HEAD = "From: Ana Pop <ana@shop.example>"
FORWARDS = {
    "gmail": f"FYI\n\n---------- Forwarded message ---------\n{HEAD}\nDate: Tue\nSubject: Order\nTo: <d@x>\n\nHi",
    "apple": f"Begin forwarded message:\n\n> {HEAD}\n> Subject: Order\n> Date: 24 November\n> To: Dan\n>\n> Hello\n",
    "outlook": f"See below\n\n{'_' * 32}\n{HEAD}\nSent: Tuesday\nTo: Dan <d@x.example>\nSubject: Order\n\nHi\n",
    "outlook-bare": "Answer\n\nFrom: Ana Pop [mailto:ana@shop.example]\nSent: Tuesday\nTo: Dan\nSubject: Order\n\nHi",
    "thunderbird": f"-------- Forwarded Message --------\nSubject: Order\nDate: Tue\n{HEAD}\nTo: d@x.example\n\nHi",
    "yahoo": f"----- Forwarded Message -----\n{HEAD}\nTo: d@x.example\nSent: Tuesday\nSubject: Order\n\nHi",
    "bold": "*From:* Ana Pop <ana@shop.example>\n*Sent:* Tuesday\n*To:* Dan\n*Subject:* My order\n\nHi",
    "german": "Von: Ana Pop <ana@shop.example>\nGesendet: Dienstag\nAn: Dan\nBetreff: Bestellung\n\nHallo",
    "romanian": "---- Forwarded message ----\nDe la: Ana Pop <ana@shop.example>\nDate: m.\nSubject: C\n\nBună",
    "indonesian": "---- Pesan diteruskan ---------\nDari: Ana Pop <ana@shop.example>\nTanggal: Sel\nPerihal: P\n\nHalo",
    "french": "De : Ana Pop <ana@shop.example>\nEnvoyé : mardi\nÀ : Dan\nObjet : Commande\n\nBonjour",
    "spanish": "De: Ana Pop <ana@shop.example>\nEnviado el: martes\nPara: Dan\nAsunto: Pedido\n\nHola",
}


@pytest.mark.parametrize("client", FORWARDS)
def test_the_original_writer_is_found_in_the_block_of_the_usual_programs(client):
    assert find_forwarded(FORWARDS[client]) == ANA


@pytest.mark.parametrize(
    "text",
    [
        "Hello, where is my order?",
        "From: the warehouse\nTo: the shop\n\nA poem",
        "On Tue, Ana Pop <ana@shop.example> wrote:\n> Hello",
        "---------- Forwarded message ---------\nFrom: Ana, Bob\nDate: x\nSubject: y\n\nz",
        "---------- Forwarded message ---------\nFrom: a@b.example\nFrom: c@d.example\nDate: x\nSubject: y\n\nz",
        "From: " * 5000,
        ("From: a\n" * 3000) + "x",
    ],
)
def test_what_is_no_forward_or_names_nobody_gives_nobody(text):
    assert find_forwarded(text) is None


def test_subjects_are_compared_without_prefixes_tags_and_case():
    assert bare("Re: [shop] AW: Fwd: My  ORDER ") == "my order"
    assert numbers_of("Order TB-20418 of 2026, ref #778812") == {"TB20418", "778812"}


def message(id: int = 1, **values: Any) -> dict[str, Any]:
    base = {"entry": "message", "id": id, "direction": "inbound", "subject": "Where is my parcel?", "text": "Hello",
            "author_address": "ana@shop.example", "author_name": "Ana", "automatic": "", "flags": [], "verified": None,
            "recipients": [{"role": "to", "address": "support@balas.example", "name": ""}]}  # fmt: skip
    return {**base, **values}


def offered(*entries: dict[str, Any], others: Any = (), answered: Any = ()) -> list[tuple[Offer, int]]:
    return [(one.offer, one.message_id) for one in find_offers(entries, others, OURS, answered, is_whole=True)]


def test_a_new_subject_in_an_old_conversation_offers_to_split():
    first = message(1)
    assert offered(first, message(2, subject="Re: Where is my parcel?")) == []
    assert offered(first, message(2, subject="Invoice for October")) == [(Offer.SPLIT, 2)]
    assert offered(first, message(2, subject="Re: Where is my parcel? Urgent")) == []
    assert offered(first, message(2, subject="Invoice for October", direction="outbound")) == []
    assert offered(first, message(2, subject="Out of office today", automatic="auto-reply")) == []
    assert offered(first, message(2, subject="Invoice for October"), answered={(2, "split")}) == []
    assert offered(message(1, subject="Invoice for October")) == []


def test_what_a_colleague_forwards_offers_the_original_writer():
    text = FORWARDS["gmail"]
    assert offered(message(author_address="dan@balas.example", text=text)) == [(Offer.WRITER, 1)]
    assert offered(message(author_address="dan@gmail.com", text=text)) == [(Offer.WRITER, 1)]
    assert offered(message(author_address="eve@gmail.com", text=text)) == []  # anybody may have an address there
    assert offered(message(text=text)) == []
    assert offered(message(author_address="dan@balas.example", text=text, verified=False)) == []


def reply_to(address: str) -> list[dict[str, str]]:
    return [{"role": "reply-to", "address": address, "name": "Ana"}]


def test_a_contact_form_offers_the_person_it_speaks_for():
    form = {"author_address": "wordpress@site.example", "recipients": reply_to("ana@shop.example")}
    assert offered(message(**form)) == [(Offer.RELAY, 1)]
    assert offered(message(**{**form, "author_address": "support@balas.example"})) == [(Offer.RELAY, 1)]
    group = {"author_name": "'Ana Pop' via Support", "author_address": "help@other.example"}
    assert offered(message(**{**form, **group})) == [(Offer.RELAY, 1)]
    assert offered(message(**{**form, "author_address": "forms@balas.example"})) == []  # a rule holds already
    assert offered(message(**{**form, "flags": ["via-relay"]})) == []
    assert offered(message(**{**form, "automatic": "list"})) == []
    assert offered(message(**{**form, "author_address": "bob@shop.example"})) == []  # a person with another address
    assert offered(message(**{**form, "recipients": reply_to("support@balas.example")})) == []


def test_the_same_subject_or_number_elsewhere_only_suggests():
    other = {"id": 9, "subject": "Re: Where is my parcel?", "status": "open"}
    assert offered(message(1), others=[other]) == [(Offer.SAME_MATTER, 1)]
    assert offered(message(1, subject="About TB-20418"), others=[{**other, "subject": "tb20418 late"}]) == [
        (Offer.SAME_MATTER, 1)
    ]
    assert offered(message(1, subject="Hello"), others=[{**other, "subject": "Hello"}]) == []
    assert offered(message(1), others=[{**other, "status": "spam"}]) == []
