"""Mailboxes that sign in by OAuth 2: a real Dovecot that checks tokens itself, oauth2-mock-server as the issuer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connectors.base import RetryLater
from connectors.messages import OutboundMessage
from connectors.oauth import Grant
from connectors.registry import SecretText
from inbox import accounts, logins
from inbox.models import Account, RawItem
from tests.builders import make_mail
from tests.servers.dovecot import Dovecot
from tests.servers.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.servers.requirement import free_port
from tests.servers.scripted_imap import ScriptedImap, running_scripted_imap
from tests.servers.xoauth2 import TokenSmtp, running_token_dovecot, running_token_smtp
from tests.workers.conftest import put_mail
from workers import connections, jobs

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("oauth"), pytest.mark.django_db(transaction=True)]

USER = "hana@tasbora.example"


@pytest.fixture(scope="module")
def shared_issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def issuer(shared_issuer: Issuer, settings: Any) -> Iterator[Issuer]:
    settings.BALAS = replace(settings.BALAS, oauth_client_id=CLIENT_ID, oauth_client_secret=CLIENT_SECRET)
    shared_issuer.reset()
    yield shared_issuer
    connections.close_all()


@pytest.fixture(scope="module")
def dovecot(shared_issuer: Issuer) -> Iterator[Dovecot]:
    with running_token_dovecot(shared_issuer) as server:
        server.deliver(USER, [make_mail(f"Mail {n}", message_id=f"{n}@o.example") for n in range(3)])
        yield server


@pytest.fixture(scope="module")
def smtp(shared_issuer: Issuer) -> Iterator[TokenSmtp]:
    with running_token_smtp(shared_issuer) as server:
        yield server


def mailbox(
    issuer: Issuer,
    imap_port: int,
    smtp_port: int = 1,
    *,
    access: str = "bogus",
    age: timedelta = timedelta(0),
    life: int = 3600,
    url: str = "",
) -> Account:
    """An account with a refresh token that the issuer knows, and an access token of that age."""
    now = timezone.now()
    lasting = issuer.know(f"lasting-{now.timestamp()}", USER)
    grant = Grant(SecretText(access), SecretText(lasting), life)
    return accounts.connect(
        kind="email",
        name="hana",
        address=USER,
        settings_={
            "imap": {"scheme": "imap", "host": "127.0.0.1", "port": imap_port, "user": USER},
            "smtp": {"scheme": "smtp", "host": "127.0.0.1", "port": smtp_port, "user": USER},
            "oauth": {"issuer": url or issuer.url},
        },
        secrets=logins.secrets_of(grant, now - age),
        cut_at=now - timedelta(days=14),
        now=now,
    )


def secrets(account: Account) -> dict[str, SecretText]:
    return accounts.unseal_secrets(Account.objects.get(id=account.id))


def state(account: Account) -> tuple[str, str]:
    account.refresh_from_db()
    return account.state, account.sentence


# --- Reading and sending --------------------------------------------------------------------------------------------


def test_a_good_token_reads_the_mailbox_and_is_not_renewed(issuer: Issuer, dovecot: Dovecot) -> None:
    account = mailbox(issuer, dovecot.port, life=0)
    good = logins.get_login(account)
    before = issuer.refreshes()
    assert (jobs.poll(account.id).new, state(account)[0]) == (3, "ok")
    assert good.is_token and repr(good.secret) == "***"
    assert issuer.refreshes() == before


def test_a_bogus_token_is_renewed_once_and_the_poll_goes_on(issuer: Issuer, dovecot: Dovecot) -> None:
    account, before = mailbox(issuer, dovecot.port), issuer.refreshes()
    assert jobs.poll(account.id).new == 3
    assert (state(account), issuer.refreshes()) == (("ok", ""), before + 1)
    assert secrets(account)["access_token"] != "bogus"


def test_a_token_that_ended_earlier_than_its_issuer_said_is_renewed(issuer: Issuer, dovecot: Dovecot) -> None:
    issuer.set(life=-5, claimed=3600)
    account = mailbox(issuer, dovecot.port, age=timedelta(hours=2))
    ended = logins.get_login(account).secret
    issuer.set(life=3600)
    assert jobs.poll(account.id).new == 3
    assert secrets(account)["access_token"] != ended


def test_a_fresh_token_that_the_server_refuses_too_parks_the_account(issuer: Issuer, dovecot: Dovecot) -> None:
    issuer.set(user="somebody-else@tasbora.example")
    account, before = mailbox(issuer, dovecot.port), issuer.refreshes()
    jobs.poll(account.id)
    word, sentence = state(account)
    assert word == "needs-login"
    assert "AUTHENTICATIONFAILED" in sentence and "access token" in sentence
    assert issuer.refreshes() == before + 1
    assert account.next_poll_at is None


def test_a_withdrawn_permission_parks_the_account_and_keeps_its_mail_and_cursor(
    issuer: Issuer, dovecot: Dovecot
) -> None:
    account = mailbox(issuer, dovecot.port)
    jobs.poll(account.id)
    connections.close_all()
    issuer.tell(revoke_all=True)
    Account.objects.filter(id=account.id).update(
        sealed_secrets=accounts.seal_secrets(
            account.id, {**secrets(account), "access_until": timezone.now().isoformat()}
        )
    )
    jobs.poll(account.id)
    word, sentence = state(account)
    assert word == "needs-login"
    assert "expired or revoked" in sentence and "Connect it again" in sentence
    assert RawItem.objects.filter(account=account).count() == 3
    grant = Grant(SecretText("bogus"), SecretText(issuer.know("anew", USER)), 3600)
    accounts.change(
        account.id,
        timezone.now(),
        settings_=account.settings,
        display_name="",
        undo_seconds=10,
        secrets=logins.secrets_of(grant, timezone.now()),
    )
    again = jobs.poll(account.id)
    assert (again.fetched, again.sentence, state(account)[0]) == (0, "", "ok")


def test_a_mail_is_sent_with_a_token_that_is_renewed_when_refused(issuer: Issuer, smtp: TokenSmtp) -> None:
    account = mailbox(issuer, 1, smtp.port)
    message = OutboundMessage("k1@tasbora.example", USER, ("ana@shop.example",), make_mail(message_id="k1@t.example"))
    connector = accounts.open_connector(account)
    try:
        committed: list[int] = []
        receipt = connector.send(message, lambda: committed.append(1))
        assert [one.outcome for one in receipt.outcomes] == ["sent"]
        assert committed == [1]
        assert smtp.tokens[-2:] == ["bogus", secrets(account)["access_token"]]
    finally:
        connector.close()


def test_nothing_is_committed_when_no_token_is_to_be_had(issuer: Issuer, smtp: TokenSmtp) -> None:
    account = mailbox(issuer, 1, smtp.port)
    issuer.set(fault="html")
    message = OutboundMessage("k2@tasbora.example", USER, ("ana@shop.example",), make_mail(message_id="k2@t.example"))
    connector = accounts.open_connector(account)
    try:
        with pytest.raises(RetryLater):
            connector.send(message, lambda: pytest.fail("the point of no return"))
    finally:
        connector.close()


# --- The token endpoint has a bad day -------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["html", "huge", "500", "429", "down"])
def test_whatever_the_token_endpoint_says_but_invalid_grant_is_tried_again_for_ever(
    fault: str, issuer: Issuer, dovecot: Dovecot
) -> None:
    account = mailbox(issuer, dovecot.port, age=timedelta(hours=2), url=_nobody() if fault == "down" else "")
    issuer.set(fault="" if fault == "down" else fault)
    Account.objects.filter(id=account.id).update(failures=50)
    before = secrets(account)
    polled = jobs.poll(account.id)
    account.refresh_from_db()
    assert account.state == "retrying"
    assert account.sentence == polled.sentence != ""
    assert account.next_poll_at is not None
    assert account.next_poll_at <= timezone.now() + timedelta(minutes=5)
    assert secrets(account) == before, "nothing was forgotten"
    if fault != "down":
        issuer.set(fault="")
        assert (jobs.poll(account.id).new, state(account)) == (3, ("ok", ""))


def _nobody() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_an_old_token_serves_while_the_token_endpoint_is_away(issuer: Issuer, dovecot: Dovecot) -> None:
    account = mailbox(issuer, dovecot.port, life=0)
    token = logins.get_login(account).secret
    half_way = {**secrets(account), "access_since": (timezone.now() - timedelta(minutes=40)).isoformat()}
    half_way["access_until"] = (timezone.now() + timedelta(minutes=20)).isoformat()
    Account.objects.filter(id=account.id).update(sealed_secrets=accounts.seal_secrets(account.id, half_way))
    issuer.set(fault="500")
    assert logins.get_login(account).secret == token
    assert (jobs.poll(account.id).new, state(account)[0]) == (3, "ok")
    issuer.set(fault="")
    assert logins.get_login(account).secret == token, "a broken endpoint is left alone for a minute"
    logins._pauses.clear()
    assert logins.get_login(account).secret != token, "at half of its life it is renewed"


def test_a_wrong_client_secret_names_the_setting_and_parks_nothing(
    issuer: Issuer, dovecot: Dovecot, settings: Any
) -> None:
    settings.BALAS = replace(settings.BALAS, oauth_client_secret="changed")
    account = mailbox(issuer, dovecot.port)
    jobs.poll(account.id)
    word, sentence = state(account)
    assert word == "retrying"
    assert "BALAS_OAUTH_CLIENT_SECRET" in sentence


def test_without_a_client_id_the_sentence_says_what_to_set(issuer: Issuer, dovecot: Dovecot, settings: Any) -> None:
    settings.BALAS = replace(settings.BALAS, oauth_client_id="")
    account = mailbox(issuer, dovecot.port)
    jobs.poll(account.id)
    word, sentence = state(account)
    assert word == "retrying"
    assert "BALAS_OAUTH_CLIENT_ID is empty" in sentence


# --- A session that ends because its token ran out ------------------------------------------------------------------


@pytest.fixture
def imap() -> Iterator[ScriptedImap]:
    with running_scripted_imap() as server:
        yield server
        connections.close_all()


@pytest.mark.parametrize("words", ["Session invalidated - AccessTokenExpired", "[EXPIRED] Session expired, log in"])
def test_f21_a_session_that_ends_in_mid_poll_is_begun_again_with_a_new_token(
    words: str, issuer: Issuer, imap: ScriptedImap
) -> None:
    account = mailbox(issuer, imap.port, life=0)
    first = logins.get_login(account).secret
    put_mail(imap, 1, 2, 3, 4)
    imap.goodbye, imap.goodbye_at = words, 2
    seen: list[str] = []

    def takes(token: str) -> bool:
        seen.append(token)
        if len(seen) > 1:
            imap.goodbye_at = None
        return True

    imap.takes_token = takes
    assert jobs.poll(account.id).sentence == ""
    assert state(account) == ("ok", "")
    assert RawItem.objects.filter(account=account).count() == 4
    assert len(seen) == 2 and seen[0] == first != seen[1]


def test_an_ordinary_goodbye_costs_no_token(issuer: Issuer, imap: ScriptedImap) -> None:
    account = mailbox(issuer, imap.port, life=0)
    logins.get_login(account)
    put_mail(imap, 1, 2)
    imap.goodbye_at, imap.takes_token, before = 2, lambda _token: True, issuer.refreshes()
    jobs.poll(account.id)
    assert state(account)[0] == "retrying"
    assert issuer.refreshes() == before


def test_a_server_that_cannot_check_tokens_just_now_parks_nothing(issuer: Issuer, imap: ScriptedImap) -> None:
    imap.takes_token = lambda _token: True
    imap.goodbye, imap.silent_on = "", "AUTHENTICATE"
    imap.stopped.set()  # it ends the connection instead of an answer
    account = mailbox(issuer, imap.port)
    jobs.poll(account.id)
    assert state(account)[0] == "retrying"


def test_a_server_without_xoauth2_is_said_so(issuer: Issuer, imap: ScriptedImap) -> None:
    account = mailbox(issuer, imap.port)
    jobs.poll(account.id)
    assert "takes no access tokens" in state(account)[1]


# --- The whole ------------------------------------------------------------------------------------------------------


def test_tokens_are_sealed_and_never_logged(issuer: Issuer, dovecot: Dovecot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    account = mailbox(issuer, dovecot.port)
    jobs.poll(account.id)
    kept = secrets(account)
    stored = bytes(Account.objects.get(id=account.id).sealed_secrets)
    for name in ("refresh_token", "access_token"):
        assert str(kept[name]).encode() not in stored
        assert str(kept[name]) not in caplog.text
    assert str(kept["access_token"]) not in str(Account.objects.filter(id=account.id).values())


def test_a_lost_keyring_is_said_so(issuer: Issuer, dovecot: Dovecot) -> None:
    account = mailbox(issuer, dovecot.port)
    sealed = b"v1|ffffffff|" + bytes(40)
    Account.objects.filter(id=account.id).update(sealed_secrets=sealed)
    jobs.poll(account.id)
    word, sentence = state(account)
    assert word == "needs-login"
    assert "keyring" in sentence
