"""Every bad setting has an id, says what to set instead and where; errors stop a command with exit code 3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from web import checks
from web.env import BadSetting, read_environment

Found = dict[str, CheckMessage]
ROOT = Path(__file__).resolve().parents[2]


def found_with(
    tag: str = checks.TAG, *, debug: bool = False, home: Path | None = None, **values: str
) -> dict[str, Any]:
    """The messages, by id, of an environment with these values."""
    ours = replace(django_settings.BALAS, **{"database_url": "", **values})  # whichever database the suite runs on
    options: dict[str, Any] = {"BALAS": ours, "DEBUG": debug, "IS_SQLITE": not ours.database_url}
    with override_settings(**options, BALAS_HOME=home or django_settings.BALAS_HOME):
        messages: list[CheckMessage] = run_checks(tags=[tag], include_deployment_checks=tag == checks.DEPLOY_TAG)
    assert all(message.hint for message in messages), "each says how to mend it"
    return {str(message.id): message for message in messages}


def test_a_home_as_it_comes_is_as_it_should_be() -> None:
    assert found_with() == {}


POSTGRES = "postgres://u:p@127.0.0.1/balas"
BAD: list[tuple[str, dict[str, str], str]] = [
    ("balas.E007", {"secret_key": "hunter2"}, "BALAS_SECRET_KEY"),
    ("balas.E008", {"public_url": "ftp://inbox.example.org"}, "BALAS_PUBLIC_URL"),
    ("balas.E008", {"redis_url": "http://cache.example.org", "database_url": POSTGRES}, "BALAS_REDIS_URL"),
    ("balas.E008", {"elasticsearch_url": "https://"}, "BALAS_ELASTICSEARCH_URL"),
    ("balas.E009", {"redis_url": "redis://127.0.0.1"}, "BALAS_DATABASE_URL"),
    ("balas.W002", {"public_url": "http://inbox.example.org"}, "BALAS_PUBLIC_URL"),
    ("balas.E010", {"public_url": "https://example.org/inbox"}, "BALAS_PUBLIC_URL"),
    ("balas.E011", {"public_url": "https://a.example", "content_url": "https://a.example:444"}, "BALAS_CONTENT_URL"),
    ("balas.E016", {"content_url": "https://content.example.net"}, "BALAS_PUBLIC_URL"),
    ("balas.E012", {"trusted_proxies": "10.0.0.5, proxy"}, "BALAS_TRUSTED_PROXIES"),
    ("balas.E012", {"trusted_proxies": "0.0.0.0/0"}, "BALAS_TRUSTED_PROXIES"),
    ("balas.E012", {"trusted_proxies": "*"}, "BALAS_TRUSTED_PROXIES"),
    ("balas.E013", {"allowed_hosts": "*"}, "BALAS_ALLOWED_HOSTS"),
    ("balas.E013", {"allowed_hosts": "a.example, https://b.example"}, "BALAS_ALLOWED_HOSTS"),
    ("balas.E014", {"zone": "Europe/Bukarest"}, "BALAS_ZONE"),
    ("balas.E015", {"log_level": "chatty"}, "BALAS_LOG_LEVEL"),
    ("balas.E005", {"keyring": "not a key"}, "BALAS_KEYRING"),
]


@pytest.mark.parametrize(("id", "values", "name"), BAD, ids=[f"{id}-{values}" for id, values, _name in BAD])
def test_each_bad_setting_is_told_by_its_id_and_names_what_to_set(id: str, values: dict[str, str], name: str) -> None:
    found = found_with(**values)
    assert list(found) == [id]
    assert name in f"{found[id].msg} {found[id].hint}"


GOOD: list[dict[str, str]] = [
    {"public_url": "https://inbox.example.org", "content_url": "https://inbox-content.example.net"},
    {"public_url": "http://127.0.0.1:8025"},
    {"public_url": "http://localhost:8025/"},
    {"redis_url": "redis://127.0.0.1", "database_url": POSTGRES, "elasticsearch_url": "http://127.0.0.1:9200"},
    {"redis_url": "unix:///run/redis.sock", "database_url": POSTGRES},
    {"trusted_proxies": "10.0.0.5, 10.1.0.0/24, ::1"},
    {"allowed_hosts": "a.example, 10.0.0.5"},
    {"zone": "Asia/Jakarta", "log_level": "debug", "secret_key": "x" * 32},
    {"keyring": f"aa {'0' * 64}"},
]


@pytest.mark.parametrize("values", GOOD, ids=str)
def test_what_is_right_is_not_complained_about(values: dict[str, str]) -> None:
    assert found_with(**values) == {}


def test_the_home_and_its_keyring_are_for_their_own_user_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    keyring = tmp_path / "keyring"
    keyring.write_text(f"aa {'0' * 64}\n")
    keyring.chmod(0o600)
    assert found_with(home=tmp_path) == {}
    keyring.chmod(0o644)
    assert list(found_with(home=tmp_path)) == ["balas.E006"]
    keyring.write_text("rubbish")
    assert list(found_with(home=tmp_path)) == ["balas.E005"]
    keyring.unlink()
    tmp_path.chmod(0o755)
    assert list(found_with(home=tmp_path)) == ["balas.W001"]
    assert list(found_with(home=tmp_path / "gone")) == ["balas.E001"]


def test_the_checks_make_no_keyring(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    found_with(home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_f62_the_file_system_is_that_of_the_nearest_mount() -> None:
    assert checks.file_system_of(Path("/proc/self")) == "proc"
    assert checks.file_system_of(Path("/processes")) != "proc"


DEPLOY = "https://inbox.example.org"
SAFE = {"public_url": DEPLOY, "content_url": "https://content.example.net", "trusted_proxies": "10.0.0.5"}


@pytest.mark.parametrize(
    ("missing", "ids"),
    [
        ({}, []),
        ({"content_url": ""}, ["balas.W012"]),
        ({"trusted_proxies": ""}, ["balas.W013"]),
        ({"public_url": ""}, ["balas.W011"]),
    ],
)
def test_f74_where_strangers_come_by_more_is_wanted(missing: dict[str, str], ids: list[str]) -> None:
    assert list(found_with(checks.DEPLOY_TAG, **{**SAFE, **missing})) == ids


def test_debug_does_not_go_where_strangers_come_by() -> None:
    assert list(found_with(checks.DEPLOY_TAG, debug=True, **SAFE)) == ["balas.W010"]


def test_deployment_checks_are_not_asked_at_home() -> None:
    ids = {message.id for message in run_checks()}
    assert not ids & {"balas.W010", "balas.W011", "balas.W012", "balas.W013"}


@pytest.mark.parametrize("address", ["inbox.example.org", "https://a.example:port", "https://[::1"])
def test_what_is_no_address_at_all_is_refused_in_words(address: str) -> None:
    with pytest.raises(BadSetting, match="BALAS_PUBLIC_URL"):
        read_environment({"BALAS_PUBLIC_URL": address})


# --- The command itself ---------------------------------------------------------------------------------------------

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def balas(tmp_path: Path) -> Command:
    """Runs the command line on a fresh home of its own."""
    home = tmp_path / "home"

    def run(*words: str, **values: str) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
        environ |= {"BALAS_HOME": str(home), **{f"BALAS_{name.upper()}": value for name, value in values.items()}}
        return subprocess.run(
            [sys.executable, "-m", "web.cli", *words],
            env=environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_check_of_a_fresh_home_finds_nothing_wrong_and_for_strangers_asks_for_more(balas: Command) -> None:
    done = balas("check", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"]
    for_strangers = balas("check", "--deploy")
    assert for_strangers.returncode == 1
    assert "BALAS_CONTENT_URL IS NOT SET" in for_strangers.stdout


def test_a_wrong_setting_stops_every_command_but_check(balas: Command) -> None:
    refused = balas("status", zone="Nowhere/At-all")
    assert refused.returncode == 3
    assert "BALAS_ZONE “Nowhere/At-all” is no time zone. Set one such as Europe/Bucharest." in refused.stderr
    checked = balas("check", zone="Nowhere/At-all", log_level="chatty")
    assert checked.returncode == 1
    assert "settings balas.E014" in checked.stdout
    assert "settings balas.E015" in checked.stdout


def test_a_mistyped_name_is_refused_with_the_nearest_one(balas: Command) -> None:
    done = balas("check", databse_url="x")
    assert done.returncode == 3
    assert "BALAS_DATABSE_URL is not a setting of Balas. Did you mean BALAS_DATABASE_URL?" in done.stderr


def test_a_home_that_cannot_be_made_is_told_in_a_sentence(balas: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = balas("check", home=str(tmp_path / "file" / "home"))
    assert done.returncode == 3
    assert "cannot be made (Not a directory). Set BALAS_HOME" in done.stderr
