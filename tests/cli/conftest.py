"""The command line called in this process, over the test's own database: a process each would cost a second each."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connectors.messages import Address
from inbox import people, replies
from inbox.models import Account, Conversation
from inbox.rules.states import Role
from tests.builders import make_account, make_item, make_mail, receive
from web.cli import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def object(self) -> Any:
        (found,) = self.lines
        return found


Balas = Callable[..., Answer]


@pytest.fixture
def balas(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Balas:
    def run(*arguments: str, stdin: str = "", exits: int | None = 0) -> Answer:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            code = main([str(word) for word in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        assert exits is None or code == exits, f"{arguments}: {code}\n{out}\n{err}"
        return Answer(code, out, err)

    return run


def fill() -> Account:
    """A mailbox, two customers, one file, and one answer that waits to be sent."""
    now = timezone.now()
    account = make_account(cut_at=now - timedelta(days=14))
    ana = people.create_user("ana@balas.example", Role.OWNER, now, name="Ana Pop")
    first = make_mail(
        "Where is my parcel?\n\n> quoted\n", subject="=Parcel", author="Ilinca <ilinca@shop.example>", at=now
    )
    second = make_mail("The zip broke.\n", subject="Zip", author="Dan <dan@shop.example>", at=now)
    receive(account, make_item(first, at=now), make_item(second, at=now), now=now)
    conversation = Conversation.objects.get(subject="=Parcel")
    queued = replies.queue_reply(
        conversation_id=conversation.id,
        user=ana,
        request_id="request-1",
        text="It is on its way.",
        to=[Address("ilinca@shop.example", "Ilinca")],
        seen_message=replies.propose(conversation.id, ana).seen_message,
        now=now,
    )
    assert isinstance(queued, replies.Queued), queued
    return account


@pytest.fixture
def stocked(transactional_db: None) -> Account:
    return fill()
