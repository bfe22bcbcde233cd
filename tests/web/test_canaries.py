"""Passwords and mail leave no trace where they do not belong: rows, backups, logs, errors (failures 85)."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from connectors.base import ConnectorError
from inbox import accounts
from inbox.models import Account
from tests.builders import make_item, make_mail, receive
from tests.web.conftest import House
from web.cli import archive
from workers import jobs

PASSWORD = "canary-PASSWORD-7d1f"  # of a mailbox
SIGN_IN = "canary-SIGN-IN-90ab"
WORDS = "canary-WORDS-of-a-customer-5c2e"


@pytest.fixture
def account(house: House) -> Account:
    accounts.change(
        house.support.id,
        timezone.now(),
        settings_=house.support.settings,
        display_name="",
        undo_seconds=0,
        secrets={"password": PASSWORD},
    )
    return Account.objects.get(id=house.support.id)


@pytest.mark.django_db(transaction=True)
def test_f85_no_password_and_no_key_is_readable_in_the_database_file_or_a_backup(
    account: Account, house: House, tmp_path: Path, settings: Any
) -> None:
    if connection.vendor != "sqlite":
        return  # the rows of every table are read below
    Client().post("/sign-in", {"email": house.agent.email, "password": SIGN_IN})
    settings.BALAS_HOME, key = tmp_path, accounts.keyring().keys[-1][1]
    (tmp_path / "keyring").write_text(f"k {key.hex()}")
    with contextlib.closing(sqlite3.connect(tmp_path / "balas.sqlite3")) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    archive.write(tmp_path / "backup.tar.gz", with_keyring=False)
    with tarfile.open(tmp_path / "backup.tar.gz") as tar:
        parts = [tar.extractfile(one) for one in tar.getmembers() if one.isfile()]
        kept = b"".join(part.read() for part in parts if part)
    for content in (kept, (tmp_path / "balas.sqlite3").read_bytes()):
        assert b"the zip broke" in content, "what is there is found"
        for canary in (PASSWORD.encode(), SIGN_IN.encode(), key, key.hex().encode()):
            assert canary not in content


def dump() -> str:
    """Every table, as text."""
    lines = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            lines += [repr(row) for row in cursor.fetchall()]
    return "\n".join(lines)


def test_f85_no_password_is_readable_in_any_row(account: Account, house: House) -> None:
    Client().post("/sign-in", {"email": house.agent.email, "password": SIGN_IN})
    rows = dump()
    assert PASSWORD not in rows
    assert SIGN_IN not in rows
    assert "the zip broke" in rows


def test_f85_what_goes_wrong_is_logged_and_stored_without_passwords_or_words(
    account: Account, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Port 1 of the account refuses every connection; a mail cannot be read; a page breaks."""
    caplog.set_level(logging.DEBUG)
    now = timezone.now()
    jobs.poll(account.id)
    broken = b"Content-Type: multipart/mixed; boundary=x\r\n" * 3 + WORDS.encode() * 10
    receive(house.support, make_item(make_mail(WORDS), at=now), make_item(broken, at=now), now=now)
    house.client("owner").post(f"/settings/accounts/{account.id}", {"password": PASSWORD, "imap_host": "127.0.0.1"})
    Client().post("/sign-in", {"email": house.agent.email, "password": SIGN_IN})
    house.client("own").get(f"/search?q={WORDS}")
    account.refresh_from_db()
    assert account.sentence
    told = caplog.text + account.sentence
    for canary in (PASSWORD, SIGN_IN, WORDS):
        assert canary not in told


def test_f85_an_error_of_a_connector_holds_no_password(account: Account) -> None:
    connector = accounts.open_connector(account)
    with pytest.raises(ConnectorError) as caught:
        connector.check()
    error: BaseException | None = caught.value
    while error is not None:
        assert PASSWORD not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert PASSWORD not in repr(connector)
    assert PASSWORD not in repr(accounts.unseal_secrets(account))
