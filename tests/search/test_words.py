"""Words worked out where a mail is read are the words that the index would have made itself."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from inbox.changes import MessageFacts
from search.document import make_document
from search.embedded import columns_of, line_of
from search.rows import document_of
from search.words import prepare
from tests.builders import NOW

_TEXTS = [
    "",
    "plain words",
    "Straße tb-20418 budi@example.com",
    "東京の天気 e-mail",
    "الكتاب",
    "a\x00b \ud800 c",
    "x" * 300,
]


@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize("subject", ["", "Re: e-mail über tb-20418", "東京"])
def test_a_document_is_the_same_with_words_made_beforehand(subject, text):
    people = ("Ana Ștefan", "ana@example.com")
    facts = {"id": 1, "rowid": 2, "strand": 3, "sent_at": NOW, "accounts": (4,), "author": people, "people": people}
    plain = make_document(subject=subject, text=text, **facts)
    assert make_document(subject=subject, text=text, words=prepare(subject, text), **facts) == plain


@pytest.mark.parametrize("direction", ["inbound", "note"])
@pytest.mark.parametrize("accounts", [(), (7, 3)])
@pytest.mark.parametrize("author", [(), ("Ana Ștefan", "ana-b@example.com"), ("ana@example.com",)])
def test_the_line_of_a_message_is_the_one_of_its_document(direction, accounts, author):
    facts = MessageFacts(
        *(1, 2, 3, "email", direction, "Re: e-mail tb-20418", "Text of ana-b@example.com\n東京"),
        people=(*author, "", "Help", "help@example.org", "ana-b@example.com"),
        sent_at=NOW,
        accounts=accounts,
        author=author,
    )
    assert line_of(facts) == columns_of(document_of(facts, 9))
    assert line_of(replace(facts, words=prepare(facts.subject, facts.text))) == line_of(facts)


def test_a_parser_that_prepares_words_loads_neither_django_nor_the_inbox():
    seen = "import sys, search.words, connectors.offload; print(sorted({'django', 'inbox'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
