"""Backup and restore, on both databases: what comes out of a restored home is what went into the backup."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import make_mail
from tests.journeys.running import Balas
from tests.servers.dovecot import running_dovecot
from tests.servers.postgres import running_postgres
from tests.servers.recording_smtp import running_recording_smtp
from tests.servers.requirement import require

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("safety")]

REPLY = """
import django, os
django.setup()
from django.utils import timezone
from connectors.messages import Address
from inbox import people, replies
from inbox.models import Conversation
from inbox.rules.states import Role
now = timezone.now()
ana = people.create_user("ana@balas.example", Role.OWNER, now, name="Ana")
conversation = Conversation.objects.order_by("id").first()
seen = replies.propose(conversation.id, ana).seen_message
queued = replies.queue_reply(
    conversation_id=conversation.id, user=ana, request_id="r1", text="On its way.",
    to=[Address("ana@shop.example")], now=now, seen_message=seen,
)
assert isinstance(queued, replies.Queued), queued
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Settings of the home that is saved and of the empty one that it is restored into."""
    if request.param == "sqlite":
        yield {}, {}
        return
    require("pg_dump", "postgresql-client")
    with running_postgres() as server:
        subprocess.run(["createdb", "-h", "127.0.0.1", "-p", str(server.port), "-U", "balas", "second"], check=True)
        second = server.url.rpartition("/")[0] + "/second"
        yield {"BALAS_DATABASE_URL": server.url}, {"BALAS_DATABASE_URL": second}


def python(balas: Balas, code: str) -> None:
    from tests.journeys.running import CHECKOUT, environment

    environ = environment(balas.home, **balas.settings, DJANGO_SETTINGS_MODULE="web.settings")
    subprocess.run([sys.executable, "-c", code], env=environ, cwd=CHECKOUT, check=True, timeout=60)


def test_f43_a_restored_home_holds_the_same_and_sends_nothing_by_itself(
    tmp_path: Path, databases: tuple[dict[str, str], dict[str, str]]
) -> None:
    old, new = Balas(tmp_path / "old", databases[0]), Balas(tmp_path / "new", databases[1])
    saved = tmp_path / "monday.tar.gz"
    with running_dovecot() as dovecot, running_recording_smtp() as smtp:
        large = make_mail("A large one.\n" * 40_000, subject="Large", message_id="large@shop.example")
        dovecot.deliver("help@example.org", [make_mail(message_id="first@shop.example"), large])
        old.run("migrate")
        imap, out = f"imap://127.0.0.1:{dovecot.port}", f"smtp://127.0.0.1:{smtp.port}"
        add = ["account", "add", "email", "support", "--address", "help@example.org", "--imap", imap, "--smtp", out]
        old.run(*add, "--undo-seconds", "0", "--since", "2020-01-01", "--password-stdin", stdin=dovecot.password)
        assert old.json("poll", "support", "--until-idle")["new"] == 2
        python(old, REPLY)

        facts = old.json("backup", str(saved))
        assert (facts["messages"], facts["keyring"]) == (3, False)
        assert saved.stat().st_mode & 0o077 == 0
        exports = {subject: old.run("export", subject).stdout for subject in ("messages", "conversations")}

        new.run("restore", str(saved))
        for subject, rows in exports.items():
            assert new.run("export", subject).stdout == rows, subject
        assert new.json("sending", "show")["stopped_at"]
        assert "Sending is stopped: restored from a backup." in new.run("status").stdout
        # Without the keyring the password is lost, and said so; what is here already stays.
        polled = new.run("poll", "support", "--json", fails=1)
        assert "keyring" in polled.stdout
        assert new.json("status")["accounts"][0]["state"] == "needs-login"
        assert new.json("index", "check")["missing"] == 0
        assert smtp.deliveries == []
        assert "in use" in new.run("restore", str(saved), fails=1).stderr
    raw = [path.relative_to(old.home) for path in (old.home / "raw").rglob("*") if path.is_file()]
    assert raw, "the large mail lies in a file"
    assert all((new.home / path).read_bytes() == (old.home / path).read_bytes() for path in raw)
    assert (
        not (new.home / "keyring").exists()
        or (new.home / "keyring").read_bytes() != (old.home / "keyring").read_bytes()
    )


def test_with_the_keyring_a_restored_home_reads_on(tmp_path: Path) -> None:
    old, new, saved = Balas(tmp_path / "old"), Balas(tmp_path / "new"), tmp_path / "all.tar.gz"
    with running_dovecot() as dovecot, running_recording_smtp() as smtp:
        imap, out = f"imap://127.0.0.1:{dovecot.port}", f"smtp://127.0.0.1:{smtp.port}"
        add = ["account", "add", "email", "support", "--address", "help@example.org", "--imap", imap, "--smtp", out]
        old.run(*add, "--password-stdin", stdin=dovecot.password)
        old.run("backup", str(saved), "--with-keyring")
        dovecot.deliver("help@example.org", [make_mail()])
        new.run("restore", str(saved))
        assert (new.home / "keyring").stat().st_mode & 0o077 == 0
        assert new.json("poll", "support")["new"] == 1


def test_half_a_backup_changes_nothing(tmp_path: Path) -> None:
    old, new, saved = Balas(tmp_path / "old"), Balas(tmp_path / "new"), tmp_path / "monday.tar.gz"
    old.run("user", "add", "ana@example.org", "--role", "owner")
    old.run("backup", str(saved))
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    assert "not a whole backup" in new.run("restore", str(saved), fails=1).stderr
    assert new.run("user", "list", "--json").stdout == ""
