"""How many connections an account costs its provider."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connections as database_connections

from inbox import reconciliation
from inbox.models import Account, RawItem
from tests.servers.scripted_imap import ScriptedImap
from tests.workers.conftest import put_mail
from workers import jobs


def test_f23_eight_workers_at_one_account_never_meet_the_providers_limit(imap: ScriptedImap, account: Account) -> None:
    """Proofs included: they go over the connection of the poll."""
    imap.most_connections = 2

    def work(number: int) -> str:
        try:
            put_mail(imap, number + 1)
            reconciliation.ask(account.id, jobs.utc_now())
            return jobs.poll(account.id).sentence
        finally:
            database_connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        sentences = set(pool.map(work, range(40)))
    assert sentences == {""}
    assert imap.refused == 0
    jobs.poll(account.id)
    assert RawItem.objects.count() == 40
