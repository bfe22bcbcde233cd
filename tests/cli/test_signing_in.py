"""balas account add email --oauth: the address to open, the way back by loopback or pasting, and what goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.conftest import Balas
from tests.servers.dovecot import Dovecot
from tests.servers.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.servers.requirement import free_port
from tests.servers.xoauth2 import TokenSmtp, running_token_dovecot, running_token_smtp
from web.cli import CommandFailed
from web.cli.returning import Outcome, Returning

USER = "hana@tasbora.example"
servers = [pytest.mark.servers, pytest.mark.xdist_group("oauth")]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def dovecot(issuer: Issuer) -> Iterator[Dovecot]:
    with running_token_dovecot(issuer) as server:
        yield server


@pytest.fixture(scope="module")
def smtp(issuer: Issuer) -> Iterator[TokenSmtp]:
    with running_token_smtp(issuer) as server:
        yield server


def start(home: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    env |= {"BALAS_HOME": str(home), "BALAS_OAUTH_CLIENT_ID": CLIENT_ID, "BALAS_OAUTH_CLIENT_SECRET": CLIENT_SECRET}
    command = [sys.executable, "-m", "web.cli", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=env | settings, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def address_to_open(running: subprocess.Popen[str]) -> str:
    assert running.stderr
    for line in running.stderr:
        if line.strip().startswith("http"):
            return line.strip()
    raise AssertionError("no address was printed")


def finish(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = running.communicate(timeout=60)
    return running.returncode, out, err


@pytest.mark.servers
@pytest.mark.xdist_group("oauth")
def test_a_mailbox_is_connected_by_signing_in_at_the_printed_address(
    issuer: Issuer, dovecot: Dovecot, smtp: TokenSmtp, tmp_path: Path
) -> None:
    wire = [f"--imap=imap://127.0.0.1:{dovecot.port}", f"--smtp=smtp://127.0.0.1:{smtp.port}"]
    adding = ["account", "add", "email", "shop", "--address", USER, *wire, "--oauth", issuer.url, "--json"]
    running = start(tmp_path, *adding)
    url = address_to_open(running)
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"] and len(query["code_challenge"][0]) == 43
    with urllib.request.urlopen(url, timeout=20) as page:  # the issuer sends the browser back to the door on loopback
        assert "You can close this page" in page.read().decode()
    code, out, err = finish(running)
    assert code == 0, err
    assert json.loads(out)["folders"] == ["INBOX", "Sent"]
    issuer.tell(revoke_all=True)
    again = start(tmp_path, "account", "connect-again", "shop")
    back = urllib.request.Request(address_to_open(again))
    opener = urllib.request.build_opener(_NoFollowing())
    landed = opener.open(back, timeout=20).headers["Location"]
    assert again.stdin
    again.stdin.write(landed + "\n")  # pasted, as from another machine
    again.stdin.flush()
    code, out, err = finish(again)
    assert (code, "goes on where it stopped" in out) == (0, True), err


class _NoFollowing(urllib.request.HTTPErrorProcessor):
    def http_response(self, request: object, response: object) -> object:  # type: ignore[override]
        return response


def test_without_a_client_id_the_set_up_is_incomplete(balas: Balas, transactional_db: None) -> None:
    adding = ["account", "add", "email", "shop", "--address", "a@gmail.com", "--oauth", "google"]
    answer = balas(*adding, exits=3)
    assert "BALAS_GOOGLE_CLIENT_ID" in answer.err


def test_servers_that_nobody_knows_have_to_be_named(balas: Balas, transactional_db: None) -> None:
    answer = balas("account", "add", "email", "shop", "--address", "a@tasbora.example", "--password-stdin", exits=1)
    assert "Name them with --imap and --smtp" in answer.err


def knock(door: Returning, path: str) -> threading.Thread:
    def ask() -> None:
        with urllib.request.build_opener(_NoFollowing()).open(door.address.rstrip("/") + path, timeout=5) as page:
            page.read()

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_the_door_takes_only_what_belongs_to_its_state(balas: Balas) -> None:
    door = Returning("127.0.0.1", free_port())
    threads = [knock(door, path) for path in ("/favicon.ico", "/?code=evil&state=other", "/")]
    for thread in threads:
        with pytest.raises(CommandFailed):
            door.wait("mine", 0.3)
        thread.join(5)
    threads = [knock(door, "/?code=good&state=mine")]
    assert door.wait("mine", 5) == Outcome(code="good")
    threads.append(knock(door, "/?error=access_denied&state=mine"))
    assert door.wait("mine", 5) == Outcome(error="access_denied")
    for thread in threads:
        thread.join(5)
    door.close()
