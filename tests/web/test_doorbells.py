"""What people are told of how soon new mail is here, and who may have a server asked all the time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.simulators.mailserver import MailServers
from inbox import leases
from inbox.doorbells import LEASE
from inbox.models import Account, Doorbell
from inbox.rules.states import DoorbellState
from tests.cli.conftest import Balas, balas
from tests.web.conftest import House
from tests.web.test_settings import form, servers

__all__ = ["balas", "servers"]


def stand(house: House, state: DoorbellState, is_whole: bool = True, sentence: str = "") -> None:
    held = leases.find_free(LEASE, leases.owner_name(), 45)
    assert held is not None
    since = timezone.now() - timedelta(minutes=9)
    Doorbell.objects.create(
        account=house.support, state=state, since=since, is_whole=is_whole, sentence=sentence, epoch=held.epoch
    )


@pytest.mark.parametrize(
    ("state", "is_whole", "page_words", "line_words"),
    [
        (DoorbellState.LIVE, True, "New mail rings, since", "looked at every 300 s all the same"),
        (DoorbellState.LIVE, False, "the others are looked at every minute", "for the first folder only"),
        (DoorbellState.MISSING, False, "its server does not ring", "looked at every 60 s: its server has no doorbell"),
        (DoorbellState.AWAY, False, "mail.example did not answer.", "every 60 s: the doorbell is away since"),
        (DoorbellState.OPENING, False, "until its doorbell is there", "the listener is just connecting"),
    ],
)
def test_health_and_status_say_how_soon_mail_is_here_and_why(
    state: DoorbellState, is_whole: bool, page_words: str, line_words: str, house: House, balas: Balas
) -> None:
    stand(house, state, is_whole, "mail.example did not answer." if state is DoorbellState.AWAY else "")
    assert page_words in house.client("owner").get("/health").content.decode()
    assert line_words in balas("status").out
    (bell,) = [row["doorbell"] for row in balas("status", "--json").object["accounts"] if row["name"] == "support"]
    assert (bell["state"], bell["every_seconds"]) == (state, 300 if is_whole else 60)


def test_without_a_listener_nothing_is_called_live(house: House, balas: Balas) -> None:
    stand(house, DoorbellState.LIVE)
    held = leases.find_free(LEASE, leases.owner_name(), 45)
    assert held is not None
    leases.release(held)
    page = house.client("owner").get("/health").content.decode()
    assert "the listener is not running" in page
    assert "New mail rings" not in page
    assert "looked at every 60 s: the listener is not running" in balas("status").out


def test_a_paused_mailbox_has_no_doorbell_to_speak_of(house: House, balas: Balas) -> None:
    Account.objects.filter(id=house.support.id).update(state="paused", next_poll_at=None)
    rows = balas("status", "--json").object["accounts"]
    assert [row["doorbell"] for row in rows if row["name"] == "support"] == [None]


def test_only_the_owner_has_a_server_asked_all_the_time(house: House, servers: MailServers) -> None:
    house.client("owner").post("/settings/mailbox", form(servers))
    account = Account.objects.get(name="Shop")
    address = f"/settings/accounts/{account.id}"

    def is_probed(who: str, **fields: str) -> bool:
        house.client(who).post(address, form(servers, password="", **fields))
        account.refresh_from_db()
        return bool(account.settings["probe"])

    assert "twenty times a second" in house.client("owner").get(address).content.decode()
    assert "twenty times a second" not in house.client("manager").get(address).content.decode()
    assert not is_probed("manager", probe="1")
    assert is_probed("owner", probe="1")
    assert is_probed("manager"), "what the owner chose stays"
    assert not is_probed("owner")
