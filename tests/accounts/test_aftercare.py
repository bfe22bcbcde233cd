"""Marking and moving mail at the provider once it is stored: off by default, and never the poll's trouble."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from inbox import accounts, aftercare, reconciliation, shelf
from inbox.models import Account, Aftercare, RawBody, RawItem
from tests.builders import make_mail
from tests.servers.dovecot import Dovecot, running_dovecot
from workers import connections, jobs

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("aftercare"), pytest.mark.django_db(transaction=True)]
_users = count(1)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot(rawlog=True) as server:
        yield server


@pytest.fixture
def user(dovecot: Dovecot) -> Iterator[str]:
    name = f"user{next(_users)}"
    dovecot.deliver(name, [make_mail(f"Mail {n}", message_id=f"{n}@{name}.example") for n in range(3)])
    yield name
    connections.close_all()


def mailbox(dovecot: Dovecot, user: str, **settings: Any) -> Account:
    wire = {"host": "127.0.0.1", "user": user}
    return accounts.connect(
        kind="email",
        name=user,
        address=f"{user}@tasbora.example",
        settings_={
            "imap": {**wire, "scheme": "imap", "port": dovecot.port},
            "smtp": {**wire, "scheme": "smtp", "port": 1},
            **settings,
        },
        secrets={"password": dovecot.password},
        cut_at=timezone.now() - timedelta(days=14),
        now=timezone.now(),
    )


@contextmanager
def logged_in(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
        client.login(user, dovecot.password)
        yield client


def make_folder(dovecot: Dovecot, user: str, folder: str) -> None:
    with logged_in(dovecot, user) as client:
        client.create(f'"{folder}"')


def at_server(dovecot: Dovecot, user: str, folder: str = "INBOX") -> tuple[int, int]:
    """How many mails lie in a folder, and how many of them are unread."""
    with logged_in(dovecot, user) as client:
        _, [line] = client.status(f'"{folder}"', "(MESSAGES UNSEEN)")
    words = line.decode().rpartition("(")[2].rstrip(")").split()
    return int(words[1]), int(words[3])


def is_complete(account: Account) -> bool | None:
    return shelf.completeness(account.id).complete


def test_f18_unless_somebody_switched_it_on_nothing_is_changed_at_the_server(dovecot: Dovecot, user: str) -> None:
    before = set((dovecot.base / "rawlog").glob("*.in"))
    account = mailbox(dovecot, user)
    for _ in range(3):
        jobs.poll(account.id)
    connections.close_all()
    said = b"".join(path.read_bytes() for path in set((dovecot.base / "rawlog").glob("*.in")) - before).upper()
    assert b"EXAMINE" in said
    for word in (b"STORE", b"MOVE", b"COPY", b"EXPUNGE", b"DELETE", b" SELECT ", b"\\SEEN"):
        assert word not in said, word
    assert at_server(dovecot, user) == (3, 3)


def test_mail_is_marked_as_read_after_it_is_stored_and_only_once(dovecot: Dovecot, user: str) -> None:
    account = mailbox(dovecot, user, mark_seen=True)
    assert jobs.poll(account.id).new == 3
    assert at_server(dovecot, user) == (3, 0)
    assert Aftercare.objects.count() == 0
    with logged_in(dovecot, user) as client:
        client.select()
        client.store("1", "-FLAGS", "\\Seen")  # somebody wants it unread again
    dovecot.deliver(user, [make_mail("Later", message_id=f"later@{user}.example")])
    assert jobs.poll(account.id).new == 1
    assert at_server(dovecot, user) == (4, 1)


def test_moved_mail_is_not_missing(dovecot: Dovecot, user: str) -> None:
    make_folder(dovecot, user, "Done")
    dovecot.deliver(user, [make_mail("Ours", message_id=f"ours@{user}.example")], folder="Sent")
    account = mailbox(dovecot, user, move_to="Done")
    assert jobs.poll(account.id).new == 4
    assert (at_server(dovecot, user), at_server(dovecot, user, "Done")) == ((0, 0), (3, 3))
    assert at_server(dovecot, user, "Sent") == (1, 1)
    sums = shelf.completeness(account.id)
    assert (sums.complete, sums.on_server, sums.stored, sums.pending) == (True, 1, 1, 0)
    dovecot.deliver(user, [make_mail("Later", message_id=f"later@{user}.example")])
    again = jobs.poll(account.id)
    assert (again.new, again.sentence, is_complete(account)) == (1, "", True)
    assert RawItem.objects.filter(account=account).count() == 5
    assert reconciliation.ask(account.id, timezone.now())
    jobs.poll(account.id)
    sums = shelf.completeness(account.id)
    assert (sums.complete, sums.pending, sums.unexplained, sums.gone) == (True, 0, 0, 4)
    assert sums.proved_at is not None
    assert at_server(dovecot, user, "Done")[0] == 4


def test_mail_in_a_folder_that_is_read_too_stays_one_message(dovecot: Dovecot, user: str) -> None:
    make_folder(dovecot, user, "Done")
    account = mailbox(dovecot, user, mark_seen=True, move_to="Done", folders=["INBOX", "Done"])
    for _ in range(3):
        jobs.poll(account.id)
    assert at_server(dovecot, user, "Done") == (3, 0)
    assert RawItem.objects.filter(account=account).values("sha256").distinct().count() == 3
    assert Aftercare.objects.count() == 0
    assert is_complete(account)


def test_a_failure_is_said_and_never_fails_the_poll(dovecot: Dovecot, user: str) -> None:
    account = mailbox(dovecot, user, move_to="No such folder")
    polled = jobs.poll(account.id)
    account.refresh_from_db()
    assert (polled.new, polled.sentence, account.state) == (3, "", "ok")
    assert at_server(dovecot, user) == (3, 3)
    number, sentence = aftercare.troubles([account.id])[account.id]
    assert number == 3
    assert "No such folder" in sentence
    assert jobs.poll(account.id).sentence == "", "and it is left alone for a while"
    make_folder(dovecot, user, "No such folder")
    Aftercare.objects.update(due_at=timezone.now())
    jobs.poll(account.id)
    assert at_server(dovecot, user, "No such folder")[0] == 3
    assert aftercare.troubles([account.id]) == {}


def test_what_has_another_date_now_is_another_mail_and_stays(dovecot: Dovecot, user: str) -> None:
    account = mailbox(dovecot, user, move_to="Done")
    jobs.poll(account.id)
    make_folder(dovecot, user, "Done")
    odd = RawItem.objects.filter(account=account).order_by("id").first()
    assert odd
    RawItem.objects.filter(id=odd.id).update(received_at=odd.received_at - timedelta(hours=1))
    Aftercare.objects.update(due_at=timezone.now())
    jobs.poll(account.id)
    assert (at_server(dovecot, user)[0], at_server(dovecot, user, "Done")[0]) == (1, 2)
    assert Aftercare.objects.count() == 0


def test_f18_what_cannot_be_read_here_any_more_is_not_moved_there(dovecot: Dovecot, user: str) -> None:
    account = mailbox(dovecot, user, move_to="Done")
    jobs.poll(account.id)
    make_folder(dovecot, user, "Done")
    first = RawItem.objects.filter(account=account).order_by("id").first()
    assert first
    RawBody.objects.filter(item=first.id).update(content=b"something else")
    Aftercare.objects.update(due_at=timezone.now())
    jobs.poll(account.id)
    assert (at_server(dovecot, user)[0], at_server(dovecot, user, "Done")[0]) == (1, 2)
    assert "own copy" in aftercare.troubles([account.id])[account.id][1]
