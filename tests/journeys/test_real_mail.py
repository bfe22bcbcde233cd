"""Mail that nobody here wrote, in a real Dovecot: it comes in whole, once, and by import it is the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpora import NAMES, find_corpus
from tests.journeys.running import Balas
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.smtp_sink import running_smtp_sink

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("real-mail")]

# What two ways of arriving may differ in: where and when it was seen, and ids of our own making.
_OWN = {
    "id",
    "conversation",
    "thread",
    "strand",
    "customer",
    "account",
    "deliveries",
    "received_at",
    "author",
    "sent_at",
}


@pytest.fixture(scope="module")
def mails() -> list[bytes]:
    found = [path.read_bytes() for name in NAMES for path in find_corpus(name)]
    # A mail store keeps lines; what it would rewrite itself (NUL, bare CR) is left out of this comparison.
    return [mail for mail in found if b"\0" not in mail]


@pytest.fixture(scope="module")
def dovecot(mails: list[bytes]) -> Iterator[Dovecot]:
    with running_dovecot() as server:
        server.deliver("help@example.org", mails, at=time.time())
        yield server


@pytest.fixture(scope="module")
def polled(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Balas:
    balas = connected(tmp_path_factory.mktemp("polled"), dovecot)
    balas.run("poll", "--until-idle")
    return balas


def connected(home: Path, dovecot: Dovecot) -> Balas:
    balas = Balas(home)
    with running_smtp_sink() as sink:
        balas.run(
            "account",
            "add",
            "email",
            "support",
            "--address",
            "help@example.org",
            "--imap",
            f"imap://help%40example.org@127.0.0.1:{dovecot.port}",
            "--smtp",
            f"smtp://127.0.0.1:{sink.port}",
            "--password-stdin",
            stdin=dovecot.password + "\n",
        )
    return balas


def content(rows: list[dict[str, Any]]) -> list[str]:
    """What the messages say, in an order that does not depend on how they came."""
    return sorted(json.dumps(_said(row), sort_keys=True) for row in rows)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in row.items() if name not in _OWN}
    # Whether a date is absurd is judged by when the mail came, and an import came with no such time.
    said["flags"] = [flag for flag in row["flags"] if flag != "bad-date"]
    # Two samples differ in nothing but Content-Disposition: one message, described by whichever came first.
    said["attachments"] = [{**file, "inline": None} for file in row["attachments"]]
    return said


def test_everything_on_the_server_is_stored_and_shown(polled: Balas, mails: list[bytes]) -> None:
    [account] = polled.json("status")["accounts"]
    assert account["on_server"] == account["stored"] == len(mails)
    assert (account["pending"], account["excluded"], account["complete"]) == (0, {}, True)
    rows = polled.lines("export", "messages")
    seen = [one for row in rows for one in row["deliveries"] if one["folder"] != "import"]
    assert len({one["external_id"] for one in seen}) == len(seen) == len(mails)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["conversation"] for row in rows)


def test_a_second_poll_changes_nothing(polled: Balas) -> None:
    before = polled.run("export", "messages").stdout
    [again] = [json.loads(line) for line in polled.run("poll", "--until-idle", "--json").stdout.splitlines()]
    assert (again["fetched"], again["new"], again["unreadable"]) == (0, 0, 0)
    assert polled.run("export", "messages").stdout == before


def test_what_python_reads_we_read(polled: Balas) -> None:
    unreadable = [row["subject"] for row in polled.lines("export", "messages") if "unreadable" in row["flags"]]
    assert unreadable == []


def test_by_import_it_is_the_same_mail_and_importing_again_adds_none(
    polled: Balas, dovecot: Dovecot, mails: list[bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()
    for number, mail in enumerate(mails):
        (folder / f"{number:04}.eml").write_bytes(mail)
    balas = connected(tmp_path / "imported", dovecot)
    balas.run("import", str(folder), "--account", "support")
    rows = balas.lines("export", "messages")
    assert content(rows) == content(polled.lines("export", "messages"))
    balas.run("import", str(folder), "--account", "support")
    assert balas.lines("export", "messages") == rows
    # What was imported comes again by poll: more deliveries, not one message more.
    balas.run("poll", "--until-idle")
    assert {row["id"] for row in balas.lines("export", "messages")} == {row["id"] for row in rows}


def test_importing_what_was_polled_adds_none(polled: Balas, mails: list[bytes], tmp_path: Path) -> None:
    before = {row["id"] for row in polled.lines("export", "messages")}
    mbox = tmp_path / "old.mbox"
    with mbox.open("wb") as file:
        for mail in mails:
            lines = mail.replace(b"\r\n", b"\n").split(b"\n")
            escaped = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines]
            if escaped[0].startswith(b">From "):
                continue
            file.write(b"From someone@example.org Mon Jan  1 00:00:00 2024\n" + b"\n".join(escaped) + b"\n\n")
    told = polled.json("import", str(mbox), "--account", "support")
    assert (told["new"], told["same"]) == (0, told["read"])
    assert {row["id"] for row in polled.lines("export", "messages")} == before
