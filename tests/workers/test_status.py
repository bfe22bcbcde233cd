"""`balas status --json` in the form of docs/cli.md."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from inbox.models import Account, RawItem
from tests.builders import digest_all, make_account, make_item, make_mail, put
from tests.servers.scripted_imap import ScriptedImap
from tests.workers.conftest import put_mail
from web.cli.output import dump
from workers import jobs, status

ACCOUNT = {
    *("name", "kind", "state", "sentence", "on_server", "stored", "pending", "excluded", "unreadable", "complete"),
    *("counted_at", "last_success_at"),
}
STATES = {"queued", "sending", "committing", "sent", "retry", "failed", "unknown", "cancelled"}


def collect() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dump(status.collect(jobs.utc_now())))
    return found


@pytest.mark.django_db
def test_an_empty_home_has_the_whole_form() -> None:
    found = collect()
    assert set(found) == {"accounts", "outbox", "index", "jobs"}
    assert found["accounts"] == []
    assert set(found["outbox"]) <= STATES
    assert set(found["index"]) == {"backend", "pending", "oldest_seconds", "drift"}
    assert found["jobs"] == {"oldest_due_seconds": 0}


def test_an_account_says_whether_everything_is_here(imap: ScriptedImap, account: Account) -> None:
    before = collect()["accounts"][0]
    assert set(before) >= ACCOUNT
    assert (before["on_server"], before["complete"], before["last_success_at"]) == (None, None, None)
    put_mail(imap, 1, 2)
    jobs.poll(account.id)
    after = collect()["accounts"][0]
    assert (after["name"], after["kind"], after["state"], after["sentence"]) == ("support", "email", "ok", "")
    assert (after["on_server"], after["stored"], after["pending"], after["unreadable"]) == (2, 2, 0, 0)
    assert (after["complete"], after["excluded"]) == (True, {})
    assert after["counted_at"].endswith("Z")
    assert after["last_success_at"].endswith("Z")


def test_a_mail_that_the_server_does_not_give_is_pending_and_not_complete(imap: ScriptedImap, account: Account) -> None:
    put_mail(imap, 1, 2, 3)
    imap.omit = lambda uid: uid == 2
    jobs.poll(account.id)
    (row,) = collect()["accounts"]
    assert (row["on_server"], row["stored"], row["pending"], row["complete"]) == (3, 2, 1, False)


@pytest.mark.django_db
def test_the_oldest_due_row_is_what_the_jobs_lag_behind() -> None:
    account, now = make_account(), jobs.utc_now()
    Account.objects.update(next_poll_at=None)
    put(account, make_item(make_mail()), now=now)
    RawItem.objects.update(due_at=now - timedelta(seconds=90))
    assert 90 <= status.oldest_due_seconds(now) < 91
    digest_all(now)
    assert status.oldest_due_seconds(now) == 0


@pytest.mark.django_db
def test_who_may_not_read_an_account_does_not_see_how_it_stands() -> None:
    mine, _ = make_account(), make_account("sales", "sales@balas.example")
    rows = status.collect(jobs.utc_now(), frozenset({mine.id}))["accounts"]
    assert [row["name"] for row in rows] == ["support"]
