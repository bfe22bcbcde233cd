"""What is new in an answer, in many languages and the shapes of the usual programs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mail.quotes import split_passages, visible
from connectors.messages import Address

NEW = "Parcel tb-20418 has not come.\nPlease look."

ATTRIBUTIONS = {
    "english gmail": "On Wed, Jun 5, 2024 at 10:11 AM Toko Biru <halo@toko.example> wrote:",
    "english wrapped": "On Wed, Jun 5, 2024 at 10:11 AM Toko Biru Customer Care Desk <\nhalo@toko.example> wrote:",
    "english apple": "On 5 Jun 2024, at 10:11, Toko Biru wrote:",
    "english thunderbird": "On 6/5/2024 10:11 AM, Toko Biru wrote:",
    "yahoo": "--- On Wed, 6/5/24, Toko Biru <halo@toko.example> wrote:",
    "german": "Am 05.06.2024 um 10:11 schrieb Toko Biru:",
    "german gmail": "Am Mi., 5. Juni 2024 um 10:11 Uhr schrieb Toko Biru <halo@toko.example>:",
    "french": "Le mer. 5 juin 2024 à 10:11, Toko Biru <halo@toko.example> a écrit :",
    "french apple": "Le 5 juin 2024 à 10:11, Toko Biru a écrit :",
    "spanish": "El mié, 5 jun 2024 a las 10:11, Toko Biru (<halo@toko.example>) escribió:",
    "italian": "Il giorno mer 5 giu 2024 alle ore 10:11 Toko Biru <halo@toko.example> ha scritto:",
    "dutch": "Op wo 5 jun 2024 om 10:11 schreef Toko Biru <halo@toko.example>:",
    "dutch apple": "Op 5 jun. 2024, om 10:11 heeft Toko Biru <halo@toko.example> het volgende geschreven:",
    "portuguese": "Em qua., 5 de jun. de 2024 às 10:11, Toko Biru <halo@toko.example> escreveu:",
    "romanian": "În mie., 5 iun. 2024 la 10:11, Toko Biru <halo@toko.example> a scris:",
    "romanian apple": "Pe 5 iun. 2024, la 10:11, Toko Biru a scris:",
    "indonesian": "Pada tanggal Rab, 5 Jun 2024 pukul 10.11 Toko Biru <halo@toko.example> menulis:",
    "indonesian short": "Pada Rab, 5 Jun 2024 10.11, Toko Biru menulis:",
    "polish": "śr., 5 cze 2024 o 10:11 Toko Biru <halo@toko.example> napisał(a):",
    "polish thunderbird": "W dniu 05.06.2024 o 10:11, Toko Biru pisze:",
    "czech": "st 5. 6. 2024 v 10:11 odesílatel Toko Biru <halo@toko.example> napsal:",
    "russian": "ср, 5 июн. 2024 г. в 10:11, Toko Biru <halo@toko.example>:",
    "russian thunderbird": "05.06.2024 10:11, Toko Biru пишет:",
    "yandex": '05.06.2024, 10:11, "Toko Biru" <halo@toko.example>:',
    "swedish": "Den ons 5 juni 2024 kl 10:11 skrev Toko Biru <halo@toko.example>:",
    "norwegian": "På 5 juni 2024 på 10:11:18, Toko Biru (halo@toko.example) skrev:",
    "finnish": "ke 5. kesäk. 2024 klo 10.11 Toko Biru (halo@toko.example) kirjoitti:",
    "turkish": "Toko Biru <halo@toko.example>, 5 Haz 2024 Çar, 10:11 tarihinde şunu yazdı:",
    "hungarian": "Toko Biru <halo@toko.example> ezt írta (időpont: 2024. jún. 5., Sze, 10:11):",
    "greek": "Στις Τετ 5 Ιουν 2024 στις 10:11 π.μ., ο χρήστης Toko Biru <halo@toko.example> έγραψε:",
    "japanese": "2024年6月5日(水) 10:11 Toko Biru <halo@toko.example>:",
    "chinese": "Toko Biru <halo@toko.example> 于2024年6月5日周三 10:11写道：",
    "korean": "2024년 6월 5일 (수) 오전 10:11, Toko Biru <halo@toko.example>님이 작성:",
    "vietnamese": "Vào Th 4, 5 thg 6, 2024 vào lúc 10:11 Toko Biru <halo@toko.example> đã viết:",
    "hebrew": "\u200fבתאריך יום ד׳, 5 ביוני 2024 ב-10:11 מאת Toko Biru <halo@toko.example>:",
    "arabic": "في الأربعاء، 5 يونيو 2024 في 10:11 ص تمت كتابة ما يلي بواسطة Toko Biru <halo@toko.example>:",
    "android": "---- Toko Biru wrote ----",
}
SEPARATORS = {
    "outlook english": "From: Toko Biru <halo@toko.example>\nSent: Wednesday, June 5, 2024\nTo: Sari\nSubject: Order",
    "outlook rule": "________________________________\nFrom: Toko Biru\nSent: Wednesday\nTo: Sari\nSubject: Order",
    "outlook mobile": "________________________________\nDari: Toko Biru\nDikirim: Rabu\nKepada: Sari\nPerihal: Lampu",
    "outlook bold": "*From:* Toko Biru <halo@toko.example>\n*Sent:* Wednesday\n*To:* Sari\n*Subject:* Order",
    "outlook german": "Von: Toko Biru\nGesendet: Mittwoch, 5. Juni 2024 10:11\nAn: Sari\nBetreff: Bestellung",
    "outlook french": "De : Toko Biru\nEnvoyé : mercredi 5 juin 2024 10:11\nÀ : Sari\nObjet : Commande",
    "outlook spanish": "De: Toko Biru\nEnviado: miércoles, 5 de junio\nPara: Sari\nAsunto: Pedido",
    "outlook italian": "Da: Toko Biru\nInviato: mercoledì 5 giugno\nA: Sari\nOggetto: Ordine",
    "outlook dutch": "Van: Toko Biru\nVerzonden: woensdag 5 juni\nAan: Sari\nOnderwerp: Bestelling",
    "outlook portuguese": "De: Toko Biru\nEnviada em: quarta-feira\nPara: Sari\nAssunto: Pedido",
    "outlook romanian": "De la: Toko Biru\nTrimis: miercuri, 5 iunie 2024\nCătre: Sari\nSubiect: Comanda",
    "outlook polish": "Od: Toko Biru\nWysłano: środa\nDo: Sari\nTemat: Zamówienie",
    "outlook russian": "От: Toko Biru\nОтправлено: среда\nКому: Sari\nТема: Заказ",
    "outlook swedish": "Från: Toko Biru\nSkickat: den 5 juni\nTill: Sari\nÄmne: Order",
    "outlook japanese": "差出人: Toko Biru\n送信日時: 2024年6月5日\n宛先: Sari\n件名: 注文",
    "outlook chinese": "发件人: Toko Biru\n发送时间: 2024年6月5日\n收件人: Sari\n主题: 订单",
    "original english": "-----Original Message-----\nFrom: Toko Biru",
    "original german": "-----Ursprüngliche Nachricht-----\nVon: Toko Biru",
    "original indonesian": "----- Pesan Asli -----\nDari: Toko Biru",
    "original romanian": "----- Mesaj original -----\nDe la: Toko Biru",
    "forward gmail": "---------- Forwarded message ---------\nFrom: Toko Biru",
    "forward apple": "Begin forwarded message:\n\nFrom: Toko Biru",
}
MARKED = "> Dear Sari,\n>\n> your order is on its way.\n"
PLAIN = "Dear Sari,\n\nyour order is on its way.\n"


def kinds(text: str) -> list[str]:
    return [passage.kind for passage in split_passages(text)]


@pytest.mark.parametrize("old", [MARKED, PLAIN], ids=["marked", "unmarked"])
@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_an_attribution_begins_the_history(name: str, old: str) -> None:
    text = f"{NEW}\n\n{ATTRIBUTIONS[name]}\n\n{old}"
    assert visible(split_passages(text)) == NEW
    assert kinds(text) == ["new", "quote"]


@pytest.mark.parametrize("name", SEPARATORS)
def test_a_quoted_header_begins_the_history(name: str) -> None:
    text = f"{NEW}\n\n{SEPARATORS[name]}\n\n{PLAIN}"
    assert visible(split_passages(text)) == NEW


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_an_answer_below_the_quote_is_what_is_seen(name: str) -> None:
    text = f"{ATTRIBUTIONS[name]}\n{MARKED}\n{NEW}\n"
    assert visible(split_passages(text)) == NEW


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote to you:\nnothing came.",
        "Your colleague said on 05.06.2024 that I would get\nan answer.",
        "I need:\n- one lamp\n- two bulbs\nFrom: Jakarta\nthanks",
        "Delivery address:\nName: Sari\nStreet: Jalan Mawar 5\nCity: Bogor",
        "From: your shop I expected more.\nTo: be honest, much more.",
        "Order 2024-06-05:\nlamp, 2 pieces",
        "We -- all of us -- are sorry.\n\nRegards",
        "Subject: my order\nDate: 5 June\nIt is late.",
        "Am 05.06. habe ich bestellt:\neine Lampe.",
    ],
)
def test_what_only_looks_like_history_stays_new(text: str) -> None:
    assert visible(split_passages(text)) == text


def test_answers_between_the_quotes_keep_what_they_answer() -> None:
    text = (
        f"{ATTRIBUTIONS['english gmail']}\n> Which size?\nLarge.\n> Which colour?\nBlue.\n> When are you at home?\n"
        "After six.\n\n> Toko Biru\n> Bogor\n"
    )
    seen = visible(split_passages(text))
    assert "> Which colour?\nBlue." in seen and "> Which size?\nLarge." in seen
    assert "Bogor" not in seen


@pytest.mark.parametrize(
    "text", [MARKED, f"{ATTRIBUTIONS['french']}\n\n{MARKED}", f"{SEPARATORS['forward gmail']}\n\n{PLAIN}"]
)
def test_an_answer_that_is_only_quoted_text_is_never_empty(text: str) -> None:
    assert "order is on its way" in visible(split_passages(text))


def test_a_lone_signature_is_never_empty() -> None:
    assert visible(split_passages("-- \nSari\n0812 555 1234")) != ""


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Get Outlook for Android",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Trimis de pe iPhone-ul meu",
        "Dikirim dari iPhone saya",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "发自我的iPhone",
    ],
)
def test_the_line_of_a_phone_is_a_signature(line: str) -> None:
    passages = split_passages(f"{NEW}\n\n{line}\n\n{ATTRIBUTIONS['english apple']}\n\n{MARKED}")
    assert [passage.kind for passage in passages] == ["new", "signature", "quote"]
    assert visible(passages) == NEW


def test_a_signature_after_two_dashes_is_folded() -> None:
    passages = split_passages(f"{NEW}\n-- \nSari Dewi\nBogor\n")
    assert [passage.kind for passage in passages] == ["new", "signature"]
    assert visible(passages) == NEW


@pytest.mark.parametrize(
    "footer",
    [
        "_______________________________________________\nLamps mailing list\nhttps://lists.example/listinfo/lamps\n",
        '-- \nYou received this message because you are subscribed to the Google Groups "Lamps" group.\n',
        "This e-mail and any attachments are confidential and intended solely for the addressee.\n",
        "CONFIDENTIALITY NOTICE: only for the addressee.\nDelete it otherwise.\n",
    ],
)
def test_lists_and_lawyers_are_footers(footer: str) -> None:
    passages = split_passages(f"{NEW}\n\n{footer}")
    assert [passage.kind for passage in passages] == ["new", "footer"]


def test_lines_that_markup_calls_quoted_are_quoted_in_any_language() -> None:
    passages = split_passages("Ja.\nKlingon wrote it:\nold text", ["new", "quote", "quote"])
    assert [(passage.kind, passage.text) for passage in passages] == [
        ("new", "Ja.\n"),
        ("quote", "Klingon wrote it:\nold text"),
    ]


LINES = st.sampled_from(
    [
        *NEW.split("\n"), "", "> quoted", ">", "-- ", "--", "_" * 47, "From: A <a@b.example>", "Sent: now", "To: B",
        "Subject: C", "mailing list", "Sent from my iPhone", "-----Original Message-----", "wrote:", "x" * 500,
        *ATTRIBUTIONS.values(), "Sari Dewi", "sari@x.example", "+62 812 555 1234", "---", "see below", "Disclaimer:",
        "This confidential e-mail is for the addressee only; if you are not the addressee, delete it.",
    ]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=40), max_size=60))
@settings(max_examples=300, deadline=None)
def test_passages_joined_are_the_text_and_something_is_always_seen(lines: list[str]) -> None:
    text = "\n".join(lines)
    passages = split_passages(text, None, Address("sari@x.example", "Sari Dewi"))
    assert "".join(passage.text for passage in passages) == text
    if text.strip("> \t\xa0\n") and any(character.isalnum() for character in text):
        assert visible(passages)


@pytest.mark.parametrize(
    "unit",
    ["On ", "\n", ">\n", "> ", "-", "_", "From: x\n", "wrote:\n", "a@b.c <", "-- \n", "*From:* 1\n", "1:1 "],
)  # fmt: skip
def test_f83_the_scanner_takes_linear_time(unit: str) -> None:
    """A quadratic scanner would run into the time-out of the suite."""
    text = unit * (1_000_000 // len(unit))
    assert "".join(passage.text for passage in split_passages(text)) == text
