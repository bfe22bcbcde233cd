"""The Health page of one mailbox: the equation of each folder, and every exception with what there is to open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.messages import Count, Page, Scope, Trouble
from inbox import shelf
from inbox.models import Account, AuditRecord, CursorTrouble, Message, RawItem
from tests.builders import INBOX
from tests.web.conftest import House


@pytest.fixture
def troubled(house: House) -> CursorTrouble:
    """Two mails are on the server; one of them does not come."""
    now = timezone.now()
    trouble = Trouble(INBOX, "77", "imap.example lists mail 77 in INBOX but does not hand it over.")
    shelf.put(house.support.id, Page(troubles=(trouble,), counts=(Count(INBOX, 2),)), held=None, now=now)
    return CursorTrouble.objects.get()


def test_what_did_not_come_is_named_with_its_reason(house: House, troubled: CursorTrouble) -> None:
    page = house.client("own").get(f"/health/{house.support.id}").content.decode()
    assert "Not every mail is here yet." in page
    assert "does not hand it over" in page
    assert "Leave it out" not in page, "that is for managers"
    assert "Leave it out" in house.client("manager").get(f"/health/{house.support.id}").content.decode()


def test_a_manager_leaves_it_out_and_asks_again_and_both_are_on_record(house: House, troubled: CursorTrouble) -> None:
    client = house.client("manager")
    act = f"/health/{house.support.id}/{troubled.id}"
    assert client.post(f"{act}/leave-out").status_code == 302
    page = client.get(f"/health/{house.support.id}?kind=left-out").content.decode()
    assert "left out by hand" in page
    assert "Every mail is here or left out by a rule." in page
    assert client.post(f"{act}/leave-out").status_code == 404, "it is no longer waited for"
    assert client.post(f"{act}/ask-again").status_code == 302
    assert "Not every mail is here yet." in client.get(f"/health/{house.support.id}").content.decode()
    acts = AuditRecord.objects.filter(act__startswith="account.").values_list("act", flat=True)
    assert sorted(acts) == ["account.ask-again", "account.leave-out"]


def test_a_trouble_of_another_mailbox_is_not_there(house: House, troubled: CursorTrouble) -> None:
    answer = house.client("owner").post(f"/health/{house.sales.id}/{troubled.id}/leave-out")
    assert answer.status_code == 404
    troubled.refresh_from_db()
    assert troubled.closed_at is None


@pytest.mark.parametrize("kind", ["unreadable", "too-large"])
def test_what_is_here_but_not_whole_opens_as_conversation_and_source(house: House, kind: str) -> None:
    item = RawItem.objects.get(delivery__message=house.message)
    item.state, item.too_large = ("unreadable", False) if kind == "unreadable" else ("digested", True)
    item.save()
    page = house.client("own").get(f"/health/{house.support.id}?kind={kind}").content.decode()
    assert f'href="/c/{house.conversation.id}"' in page
    assert f'href="/m/{house.message.id}/raw"' in page
    assert Message.objects.filter(id=house.message.id).exists()


def test_the_button_makes_the_next_look_list_every_mail(house: House) -> None:
    Account.objects.filter(id=house.support.id).update(next_poll_at=timezone.now() + timedelta(minutes=5))
    house.client("own").post(f"/health/{house.support.id}/prove")
    account = Account.objects.get(id=house.support.id)
    assert account.proof_due_at is not None
    assert account.next_poll_at is not None
    assert max(account.proof_due_at, account.next_poll_at) <= timezone.now()

    Account.objects.filter(id=house.support.id).update(next_poll_at=None, proof_due_at=None)
    client = house.client("own")
    assert "is not read at present" in client.post(f"/health/{house.support.id}/prove", follow=True).content.decode()
    assert Account.objects.get(id=house.support.id).proof_due_at is None


def test_a_folder_that_cannot_be_opened_and_old_numbers_are_said_on_both_pages(house: House) -> None:
    long_ago = timezone.now() - timedelta(hours=5)
    counts = (Count(INBOX, 1), Count(Scope("Clients", "9"), 0))
    shelf.put(house.support.id, Page(counts=counts), held=None, now=long_ago)
    client = house.client("owner")
    assert "Old data: support" in client.get("/health").content.decode()
    assert (
        "Every mail was here when the server was last asked."
        in client.get(f"/health/{house.support.id}").content.decode()
    )

    told = {"since": long_ago.isoformat(), "sentence": "The folder Clients cannot be opened."}
    Account.objects.filter(id=house.support.id).update(places={"INBOX": {}, "Clients": told})
    assert "A folder is missing since" in client.get("/health").content.decode()
    page = client.get(f"/health/{house.support.id}").content.decode()
    assert "Cannot be opened since" in page
    assert "The folder Clients cannot be opened." in page


def test_exceptions_come_a_hundred_at_a_time(house: House) -> None:
    troubles = tuple(Trouble(INBOX, str(uid), f"No mail {uid}.") for uid in range(1000, 1150))
    shelf.put(house.support.id, Page(troubles=troubles), held=None, now=timezone.now())
    client, shown, address = house.client("own"), set[str](), f"/health/{house.support.id}?kind=waiting"
    for _ in range(2):
        page = client.get(address).content.decode()
        shown |= {str(uid) for uid in range(1000, 1150) if f"No mail {uid}." in page}
        before = min(CursorTrouble.objects.filter(external_id__in=shown).values_list("id", flat=True))
        address = f"/health/{house.support.id}?kind=waiting&before={before}"
    assert len(shown) == 150
    assert "Earlier ones" not in page


def test_what_cannot_be_counted_is_read_to_the_newest_and_no_mailbox_that_lags(house: House) -> None:
    Account.objects.exclude(id=house.support.id).update(removed_at=timezone.now())
    client = house.client("owner")
    assert "Not counted yet" in client.get("/health").content.decode(), "nobody has looked yet"
    Account.objects.filter(id=house.support.id).update(last_success_at=timezone.now(), state="ok", remaining=None)
    page = client.get("/health").content.decode()
    assert "1 channel that cannot be counted is read to the newest." in page
    assert "Its server does not say how many there are." in page
    assert "List now" not in page
    assert "Not counted yet" not in page
    page = client.get(f"/health/{house.support.id}").content.decode()
    assert "Read to the newest. The server does not say how many there are." in page
