"""In which language a message is written: sure or unknown, of its new words alone, never in the pages' way."""

from __future__ import annotations

import gettext
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.db import connection

from inbox import languages
from inbox.languages import Waiting
from inbox.models import Conversation, Message
from inbox.rules.languages import NOTHING, UNKNOWN, Guess, by_script, new_words, readable, settle
from tests.builders import make_account, make_item, make_mail, receive
from workers import polyglot
from workers.languages import guess, tell

SENTENCES = Path(__file__).parent / "samples" / "sentences.txt"


@pytest.fixture(autouse=True, scope="module")
def classifier() -> Iterator[None]:
    yield
    polyglot.close()


def sentences(which: str) -> list[tuple[str, str]]:
    """(language, sentence); "-" for what has none."""
    found, language, wanted = [], "", False
    for line in SENTENCES.read_text("utf-8").splitlines():
        if line.startswith("["):
            language, name = line[1:-1].split()
            wanted = name == which
        elif wanted and line and not line.startswith("#"):
            found.append((language, line))
    return found


def guessed(texts: list[str]) -> list[Guess]:
    found = guess([Waiting(number, readable(text)) for number, text in enumerate(texts)])
    return [found[number] for number in range(len(texts))]


def judged(rows: list[tuple[str, str]]) -> Counter[str]:
    found = zip(rows, guessed([text for _, text in rows]), strict=True)
    return Counter(
        "right" if one.language == language else "unknown" if one.language == UNKNOWN else "wrong"
        for (language, _), one in found
    )


@pytest.mark.parametrize(("which", "right", "wrong"), [("tune", 0.96, 0.01), ("held", 0.95, 0.013)])
def test_short_sentences_of_customers_are_told_and_hardly_ever_wrongly(which: str, right: float, wrong: float) -> None:
    """The figures of docs/reading-mail.md. "held" was never looked at while the rules were made."""
    rows = [row for row in sentences(which) if row[0] != "-"]
    assert len({language for language, _ in rows}) >= 20
    found = judged(rows)
    print(f"{which}: {dict(found)} of {len(rows)}")
    assert found["right"] >= right * len(rows), found
    assert found["wrong"] <= wrong * len(rows), found


@pytest.mark.parametrize("language", ["id", "ro", "en"])
def test_the_languages_of_the_product_are_never_taken_for_another(language: str) -> None:
    rows = [row for which in ("tune", "held") for row in sentences(which) if row[0] == language]
    assert judged(rows)["wrong"] == 0


def test_names_numbers_and_single_words_are_no_language() -> None:
    rows = [text for which in ("tune", "held") for language, text in sentences(which) if language == "-"]
    assert {one.language for one in guessed(rows)} == {UNKNOWN}


CATALOGUES = "ca cs da de el es et fi fr hr hu id it ja ko lt lv nl pl pt ro ru sk sl sv tr uk vi"


def test_sentences_of_translators_are_told() -> None:
    """Django's own catalogues: nobody here wrote or chose them."""
    folder = Path(django.__file__).parent / "conf" / "locale"
    rows = []
    for language in CATALOGUES.split():
        with (folder / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
            texts = gettext.GNUTranslations(file)._catalog.values()  # type: ignore[attr-defined]
        long = [text for text in texts if isinstance(text, str) and len(text) >= 40 and "<" not in text]
        rows += [(language, re.sub(r"%\(\w+\)[sd]|[{}]", "", text)) for text in sorted(long)[:40]]
    found = judged(rows)
    print(f"catalogues: {dict(found)} of {len(rows)}")
    assert len(rows) > 900
    assert found["right"] >= 0.95 * len(rows), found
    assert found["wrong"] <= 0.015 * len(rows), found


# --- The rules ------------------------------------------------------------------------------------------------------


def test_only_new_words_are_read() -> None:
    text = "Terima kasih banyak.\nOn Monday we wrote:\n> Dear Sari\n"
    lengths = [["new", 21], ["quote", len(text) - 21]]
    assert readable(new_words(text, lengths)) == "Terima kasih banyak"
    assert readable("> Which size?\nYang besar. https://shop.example/a?b=1 a@b.example TB-20418 3kg") == "Yang besar"
    assert new_words("cut off before the new part", [["quote", 500], ["new", 20]]) == ""


@pytest.mark.parametrize(
    ("ranking", "words", "language"),
    [
        ([("id", 0.5), ("ms", 0.49)], "selamat pagi semua pelanggan", "id"),
        ([("id", 0.5), ("ms", 0.49)], "wang saya tak dapat kerana bank", "ms"),
        ([("ms", 0.6), ("id", 0.39)], "uang saya belum kembali karena bank", "id"),
        ([("no", 0.5), ("da", 0.49)], "hvornår kommer noget efter", "da"),
        ([("da", 0.5), ("no", 0.49)], "når kommer noe etter", "no"),
        ([("no", 0.5), ("da", 0.49)], "jeg vil gerne have varen", UNKNOWN),
        ([("cs", 0.5), ("sk", 0.49)], "ešte som nedostal tovar", "sk"),
        ([("ru", 0.5), ("uk", 0.45)], "ще не надійшло замовлення", "uk"),
        ([("en", 0.99)], "thanks", UNKNOWN),
        ([("en", 0.7)], "my lamp broke", UNKNOWN),
        ([], "", UNKNOWN),
    ],
)
def test_near_languages_are_parted_by_words_that_one_of_them_has(
    ranking: list[tuple[str, float]], words: str, language: str
) -> None:
    found = settle(words, ranking)
    assert found.language == language
    assert 0.0 <= found.confidence <= 1.0


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("返金 を 希望します", "ja"), ("请尽快退款给我谢谢", "zh"), ("返金希望", UNKNOWN), ("환불 해주세요", "ko"),
        ("أريد استرجاع المبلغ", "ar"), ("لطفا پول من را برگردانید", "fa"), ("מתי זה מגיע", "he"), ("Πού είναι", "el"),
        ("ขอเงินคืน", "th"), ("", UNKNOWN),
    ],
)  # fmt: skip
def test_letters_alone_tell_where_they_can(words: str, language: str) -> None:
    found = by_script(words)
    assert found is not None
    assert found.language == language


def test_letters_that_many_languages_share_tell_nothing() -> None:
    assert by_script("hello there") is None
    assert by_script("добрый день") is None
    assert by_script("") == NOTHING


# --- The job --------------------------------------------------------------------------------------------------------

QUOTED = "On Mon, Jun 3, 2024 at 9:00 AM Shop <s@balas.example> wrote:\n> Where may we bring your new lamp?\n"


@pytest.mark.django_db(transaction=True)
def test_each_received_text_gets_its_language_and_the_conversation_that_of_the_latest() -> None:
    account = make_account()
    texts = {
        "a@x.example": f"Halo kak, pesanan saya belum sampai juga, tolong dicek.\n\n{QUOTED}",
        "b@x.example": "Bună ziua, coletul meu nu a ajuns nici astăzi.",
        "c@x.example": "ok",
        "d@x.example": "",
    }
    receive(
        account,
        *(
            make_item(make_mail(text, author=f"A <{sender}>", message_id=f"m{number}@x.example"))
            for number, (sender, text) in enumerate(texts.items(), 1)
        ),
    )
    assert set(Message.objects.values_list("language", flat=True)) == {""}
    assert languages.is_any_due()
    assert tell() == 4
    found = {row.author_address: row for row in Message.objects.all()}
    told = {sender: row.language for sender, row in found.items()}
    assert told == {"a@x.example": "id", "b@x.example": "ro", "c@x.example": UNKNOWN, "d@x.example": UNKNOWN}
    assert found["b@x.example"].language_confidence > 0.9
    assert sorted(Conversation.objects.values_list("language", flat=True)) == ["", "", "id", "ro"]
    assert tell() == 0 and not languages.is_any_due()


@pytest.mark.django_db(transaction=True)
def test_a_later_word_that_tells_nothing_leaves_the_conversation_its_language() -> None:
    account = make_account()
    first = make_mail("Kapan barangnya dikirim? Saya sudah bayar.", author="A <a@x.example>", message_id="1@x.example")
    receive(account, make_item(first))
    tell()
    later = make_mail("ok", author="A <a@x.example>", message_id="2@x.example", references=("1@x.example",))
    receive(account, make_item(later))
    tell()
    assert list(Conversation.objects.values_list("language", "messages_count")) == [("id", 2)]
    other = make_mail("halo?", author="A <a@x.example>", message_id="3@x.example", subject="Another matter")
    receive(account, make_item(other))
    tell()
    assert {(one.language, one.customer.language) for one in Conversation.objects.all()} == {("id", "id"), ("", "id")}


@pytest.mark.django_db(transaction=True)
def test_a_classifier_that_does_not_start_keeps_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    polyglot.close()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(polyglot.Unavailable):
            polyglot.rank(["where is my order"])
    assert polyglot.rank(["where is my order please"])[0][0][0] == "en"


@pytest.mark.django_db
def test_what_waits_is_found_in_an_index_that_holds_nothing_else() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}SELECT id {languages._DUE}", [9]
        )
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "message_language_due" in plan


def test_neither_the_pages_nor_the_jobs_hold_the_model() -> None:
    code = "import sys, web.asgi, workers.schedule, workers.tasks; print({'numpy', 'py3langid'} & set(sys.modules))"
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "web.settings"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=60)
    assert found.stdout.strip() == "set()", found.stderr[-500:]


def test_the_child_ends_when_nobody_asks_any_more() -> None:
    polyglot.rank(["where is my order"])
    assert polyglot._kept is not None
    process = polyglot._kept._process
    polyglot.close()
    assert process.poll() is not None
