"""The daily proof: what a listing finds is fetched, and what is said of it is true."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from inbox import exceptions, reconciliation
from inbox.models import Account, CursorTrouble, RawItem
from tests.servers.scripted_imap import ScriptedFolder, ScriptedImap
from tests.workers.conftest import mailbox_at, put_mail
from web.cli.output import dump
from workers import jobs, status


def stand(account: Account, now: datetime | None = None) -> dict[str, Any]:
    rows = json.loads(dump(status.collect(now or jobs.utc_now())))["accounts"]
    return next(row for row in rows if row["name"] == account.name)


def poll_until_idle(account: Account, most: int = 5) -> list[jobs.Polled]:
    polls = []
    for _ in range(most):
        polls.append(jobs.poll(account.id))
        if polls[-1].is_complete:
            break
    return polls


def test_the_first_whole_fetch_is_proved_and_the_next_proof_comes_within_36_hours(
    imap: ScriptedImap, account: Account
) -> None:
    put_mail(imap, 1, 2, 3)
    jobs.poll(account.id)
    row = stand(account)
    assert (row["on_server"], row["stored"], row["pending"], row["complete"]) == (3, 3, 0, True)
    assert row["proved_at"] is not None
    account.refresh_from_db()
    assert account.proof_due_at is not None
    assert timedelta(hours=11) < account.proof_due_at - jobs.utc_now() < timedelta(hours=36)

    before = len(imap.commands)
    jobs.poll(account.id)
    assert imap.since(before) == ["NOOP"] or "UID SEARCH" not in " ".join(imap.since(before + 2))


def test_a_mail_that_one_listing_left_out_is_found_and_fetched_by_itself(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1, 2, 3)
    imap.hide = lambda uid: uid == 2
    jobs.poll(account.id)  # the server counts three and lists two, by FETCH all three
    imap.hide = lambda uid: False
    poll_until_idle(account)
    assert sorted(RawItem.objects.values_list("external_id", flat=True)) == ["1", "2", "3"]
    assert (stand(account)["complete"], stand(account)["excluded"]) == (True, {})


def test_on_demand_every_mail_is_listed_with_the_next_look(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1, 2)
    jobs.poll(account.id)
    before = stand(account)["proved_at"]
    assert reconciliation.ask(account.id, jobs.utc_now())
    assert jobs.find_due_accounts(jobs.utc_now()) == [account.id]
    jobs.poll(account.id)
    assert stand(account)["proved_at"] > before


def test_a_proof_reads_no_body_and_keeps_its_one_connection(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, *range(1, 30))
    jobs.poll(account.id)
    reconciliation.ask(account.id, jobs.utc_now())
    mark = len(imap.commands)
    jobs.poll(account.id)
    assert [command for command in imap.since(mark) if "BODY" in command] == []
    assert imap.connections == 1


def test_mail_that_arrives_while_the_server_is_listed_is_fetched_by_the_next_poll(
    imap: ScriptedImap, account: Account
) -> None:
    put_mail(imap, 1)
    jobs.poll(account.id)
    reconciliation.ask(account.id, jobs.utc_now())
    put_mail(imap, 2)
    arrived: list[int] = []

    def late(uid: int) -> bool:  # asked while the server answers a SEARCH
        if not arrived:
            arrived.append(uid)
            put_mail(imap, 3)
        return False

    imap.hide = late
    jobs.poll(account.id)
    jobs.poll(account.id)
    assert sorted(RawItem.objects.values_list("external_id", flat=True)) == ["1", "2", "3"]


def test_a_mail_that_does_not_come_has_its_reason_and_can_be_left_out_and_asked_for_again(
    imap: ScriptedImap, account: Account
) -> None:
    put_mail(imap, 1, 2)
    imap.omit = lambda uid: uid == 2
    jobs.poll(account.id)
    (one,) = exceptions.find(account.id, "waiting")
    assert (one.place, one.external_id) == ("INBOX", "2")
    assert "does not hand it over" in one.reason
    assert stand(account)["complete"] is False

    assert reconciliation.leave_out(account.id, one.id, jobs.utc_now())
    assert not reconciliation.leave_out(account.id, one.id, jobs.utc_now())
    reconciliation.ask(account.id, jobs.utc_now())
    imap.omit = lambda uid: False
    jobs.poll(account.id)
    row = stand(account)
    assert (row["stored"], row["pending"], row["excluded"], row["complete"]) == (1, 0, {"left-out-by-hand": 1}, True)

    assert reconciliation.take_back(account.id, one.id, jobs.utc_now())
    jobs.poll(account.id)
    assert (stand(account)["stored"], stand(account)["excluded"], stand(account)["complete"]) == (2, {}, True)
    assert exceptions.counts(account.id)["came-late"] == 1


def test_a_surplus_that_no_listing_shows_stands_under_its_rule(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1, 2)
    imap.extra_exists = 3
    poll_until_idle(account)
    row = stand(account)
    assert (row["on_server"], row["stored"], row["excluded"]) == (5, 2, {"counted-not-listed": 3})
    imap.extra_exists = 0
    jobs.poll(account.id)
    assert (stand(account)["on_server"], stand(account)["excluded"], stand(account)["complete"]) == (2, {}, True)


def test_a_server_that_does_not_list_now_leaves_the_poll_well(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)
    jobs.poll(account.id)
    reconciliation.ask(account.id, jobs.utc_now())
    imap.silent_on = "NEVER"
    imap.refuse_search = True
    assert jobs.poll(account.id).sentence == ""
    account.refresh_from_db()
    assert account.state == "ok"
    assert account.proof_due_at is not None
    assert account.proof_due_at > jobs.utc_now() + timedelta(minutes=14)


# --- A folder that cannot be opened ----------------------------------------------------------------------------------


@pytest.fixture
def two_folders(imap: ScriptedImap, transactional_db: None) -> Account:
    imap.folders["Clients"] = ScriptedFolder({1: b"From: a@shop.example\r\nSubject: one\r\n\r\none\r\n"})
    return mailbox_at(imap.port, folders=["INBOX", "Clients"])


def test_a_folder_that_disappears_is_named_since_when_and_holds_up_no_other(
    imap: ScriptedImap, two_folders: Account
) -> None:
    put_mail(imap, 1)
    jobs.poll(two_folders.id)
    assert stand(two_folders)["complete"] is True

    kept = imap.folders.pop("Clients")
    for uid in range(2, 8):
        put_mail(imap, uid)
        polled = jobs.poll(two_folders.id)
        assert (polled.new, "Clients" in polled.sentence) == (1, True)
        two_folders.refresh_from_db()
        assert two_folders.state == "retrying"
        assert two_folders.next_poll_at is not None
        assert two_folders.next_poll_at - jobs.utc_now() <= timedelta(minutes=5)
    row = stand(two_folders)
    assert row["complete"] is None
    assert [(one["place"], one["since"] is not None) for one in row["missing"]] == [("Clients", True)]
    assert row["last_success_at"] >= row["missing"][0]["since"]

    imap.folders["Clients"] = kept
    jobs.poll(two_folders.id)
    row = stand(two_folders)
    assert (row["state"], row["sentence"], row["missing"], row["complete"]) == ("ok", "", [], True)


def test_a_folder_that_was_never_there_is_no_complete_account(imap: ScriptedImap, transactional_db: None) -> None:
    account = mailbox_at(imap.port, folders=["INBOX", "Nowhere"])
    put_mail(imap, 1)
    jobs.poll(account.id)
    row = stand(account)
    assert (row["on_server"], row["stored"], row["complete"]) == (1, 1, None)
    assert [one["place"] for one in row["missing"]] == ["Nowhere"]


def test_when_no_folder_can_be_opened_it_is_tried_ever_more_rarely(imap: ScriptedImap, account: Account) -> None:
    imap.folders.clear()
    for _ in range(3):
        assert "INBOX" in jobs.poll(account.id).sentence
    account.refresh_from_db()
    assert (account.state, account.failures) == ("retrying", 3)


def test_a_folder_that_is_read_no_more_is_out_of_the_equation_and_stays_in_the_inbox(
    imap: ScriptedImap, two_folders: Account
) -> None:
    put_mail(imap, 1)
    jobs.poll(two_folders.id)
    assert stand(two_folders)["stored"] == 2
    Account.objects.filter(id=two_folders.id).update(settings={**two_folders.settings, "folders": ["INBOX"]})
    jobs.poll(two_folders.id)
    row = stand(two_folders)
    assert (row["on_server"], row["stored"], row["complete"]) == (1, 1, True)
    assert RawItem.objects.count() == 2


def test_numbers_that_rest_on_old_data_say_so(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1)
    jobs.poll(account.id)
    assert (stand(account)["stale"], stand(account)["complete"]) == (False, True)
    later = stand(account, jobs.utc_now() + timedelta(hours=3))
    assert (later["stale"], later["complete"]) == (True, None)
    assert CursorTrouble.objects.count() == 0
