"""docs/cli.md, held: names, JSON fields, exit codes. Whoever scripts Balas relies on exactly this."""

from __future__ import annotations

import argparse
import csv
import io
import json
import mailbox
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from inbox.models import Account, Message
from tests.builders import make_account, make_mail
from tests.cli.conftest import Balas
from tests.journeys.running import CHECKOUT, environment
from web.cli import Parser, build_parser

MESSAGE = frozenset(
    (
        *("id", "conversation", "thread", "strand", "customer", "kind", "account", "direction", "author"),
        *("recipients", "subject", "text", "visible_text", "language", "sent_at", "received_at", "message_id"),
        *("in_reply_to", "references", "deliveries", "attachments", "duplicate_of", "flags", "verified"),
        *("automatic", "state", "visibility"),
    )
)
CONVERSATION = frozenset(
    (
        *("id", "customer", "subject", "status", "assignee", "team", "accounts", "kinds", "tags", "threads"),
        *("messages", "opened_at", "last_inbound_at", "last_outbound_at", "due_at", "due_for", "breached"),
        *("first_response_seconds", "resolved_at", "reopened", "suggestions"),
    )
)
CUSTOMER = {"id", "name", "identities", "conversations", "merged_from"}
IDENTITY = {"kind", "address", "external_id", "display", "evidence", "linked_at", "linked_by", "verified"}
SLA_EVENT = {
    *("id", "conversation", "at", "occurred_at", "recorded_at", "kind", "actor", "policy_version"),
    *("calendar_version", "data"),
}
HIT = {"conversation", "message", "customer", "subject", "passage", "sent_at", "score"}


def parsers(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    if isinstance(parser, Parser):
        parser.fill()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield " ".join((*path, name)), child
                yield from parsers(child, (*path, name))


COMMANDS = dict(parsers(build_parser()))


def test_the_commands_of_the_contract_exist() -> None:
    wanted = """run|web|jobs|worker|check|user add|user list|user disable|user link|account add email|account list|
        account check|account pause|account resume|account remove|poll|import|status|export|search|sla explain|
        index check|index repair|index rebuild|backup|restore|secrets rotate|migrate"""
    assert {name.strip() for name in wanted.split("|")} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    text = COMMANDS[name].format_help()
    assert "example" in text
    assert f"balas {name.split()[0]}" in text.partition("example")[2]


def test_wrong_usage_ends_with_2(balas: Balas) -> None:
    for words in (
        [],
        ["fly"],
        ["export", "dreams"],
        ["account", "add", "email"],
        ["search"],
        ["status", "--loud"],
        *(["search", "a", "--limit", number] for number in ("0", "-3", "many")),
        *(["search", "a", "--cursor", text] for text in ("garbage", "-1", "9" * 19)),
    ):
        answer = balas(*words, exits=2)
        assert answer.out == ""
        assert answer.err


@pytest.mark.django_db
def test_what_was_found_wrong_ends_with_1_and_one_sentence(balas: Balas, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"not a backup")
    for words in (
        ["account", "pause", "nobody"],
        ["poll", "nobody"],
        ["import", "/nowhere", "--account", "nobody"],
        ["sla", "explain", "17"],
        ["user", "disable", "nobody@example.org"],
        ["restore", str(tmp_path / "missing")],
        ["restore", str(broken)],
    ):
        answer = balas(*words, exits=1)
        assert answer.out == ""
        (sentence,) = answer.err.strip().splitlines()
        assert sentence.startswith("balas: ")


@pytest.mark.django_db
def test_a_worker_without_redis_ends_with_3_and_the_name_to_set(balas: Balas) -> None:
    assert "BALAS_REDIS_URL" in balas("worker", exits=3).err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BALAS_DATABSE_URL", "postgres://x", "Did you mean BALAS_DATABASE_URL?"),
        ("BALAS_DATABASE_URL", "postgres://balas@127.0.0.1:1/balas", "BALAS_DATABASE_URL"),
        ("BALAS_DATABASE_URL", "mysql://balas@127.0.0.1/balas", "postgres://"),
        ("BALAS_PUBLIC_URL", "inbox.example.org", "BALAS_PUBLIC_URL"),
    ],
)
def test_an_incomplete_set_up_ends_with_3_and_says_what_to_set(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "web.cli", "status"],
        env=environment(tmp_path, **{name: value}),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def is_utc(text: str) -> bool:
    return text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None


def test_export_messages_has_its_fields(balas: Balas, stocked: Account) -> None:
    rows = balas("export", "messages").lines
    assert len(rows) == 3
    assert [set(row) for row in rows] == [MESSAGE] * 3
    (inbound,) = [row for row in rows if row["subject"] == "=Parcel"]
    (outbound,) = [row for row in rows if row["direction"] == "outbound"]
    assert set(inbound["author"]) == {"name", "address", "identity"}
    assert set(inbound["recipients"][0]) == {"role", "name", "address"}
    assert set(inbound["deliveries"][0]) == {"account", "folder", "external_id", "received_at"}
    assert inbound["account"] == "support"
    assert inbound["visible_text"].strip() == "Where is my parcel?"
    assert "> quoted" in inbound["text"]
    assert all(is_utc(row[name]) for row in rows for name in ("sent_at", "received_at"))
    assert (inbound["state"], outbound["state"]) == (None, "queued")
    assert outbound["recipients"][0]["outcome"] == "pending"


def test_export_conversations_has_its_fields(balas: Balas, stocked: Account) -> None:
    rows = balas("export", "conversations").lines
    assert [set(row) for row in rows] == [CONVERSATION] * 2
    assert {row["status"] for row in rows} <= {"open", "waiting", "snoozed", "resolved", "spam"}
    assert all(set(row["first_response_seconds"]) == {"wall", "business"} for row in rows)
    assert sum(row["messages"] for row in rows) == 3


def test_export_customers_has_its_fields(balas: Balas, stocked: Account) -> None:
    rows = balas("export", "customers").lines
    assert [set(row) for row in rows] == [CUSTOMER] * 2
    assert all(set(one) == IDENTITY for row in rows for one in row["identities"])
    assert all(len(row["conversations"]) == 1 for row in rows)


def test_export_sla_events_has_its_fields(balas: Balas, stocked: Account) -> None:
    rows = balas("export", "sla-events").lines
    assert rows
    assert all(set(row) >= SLA_EVENT for row in rows)
    assert all(row["at"] == row["occurred_at"] for row in rows)


def test_export_narrows_by_a_query_and_writes_whole_files(balas: Balas, stocked: Account, tmp_path: Path) -> None:
    assert [row["subject"] for row in balas("export", "messages", "--query", "zip").lines] == ["Zip"]
    target = tmp_path / "out.jsonl"
    answer = balas("export", "messages", "-o", str(target), "--json")
    assert answer.object == {"file": str(target), "rows": 3}
    assert len(target.read_text().splitlines()) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    balas("export", "messages", "-o", str(tmp_path / "no" / "folder"), exits=1)


def test_export_writes_through_a_link_and_leaves_it_a_link(balas: Balas, stocked: Account, tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to(tmp_path / "out.jsonl")
    (tmp_path / "out.jsonl").touch()
    balas("export", "messages", "-o", str(link))
    assert link.is_symlink()  # as /dev/stdout is
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3


def test_csv_holds_the_same_and_no_formula(balas: Balas, stocked: Account) -> None:
    rows = list(csv.DictReader(io.StringIO(balas("export", "messages", "--format", "csv").out)))
    assert len(rows) == 3
    assert set(rows[0]) == MESSAGE
    (parcel,) = [row for row in rows if "Parcel" in row["subject"] and row["direction"] == "inbound"]
    assert parcel["subject"] == "'=Parcel", "a spreadsheet would run it"
    assert json.loads(parcel["author"])["address"] == "ilinca@shop.example"


def test_search_gives_hits_newest_first_and_a_cursor(balas: Balas, stocked: Account) -> None:
    everything = balas("search", "shop", "--json").lines
    assert everything
    assert all(set(hit) == HIT for hit in everything if "message" in hit)
    first = balas("search", "from:shop", "--json", "--limit", "1").lines
    assert [set(first[0]), set(first[1])] == [HIT, {"next"}]
    second = balas("search", "from:shop", "--json", "--limit", "1", "--cursor", first[1]["next"]).lines
    assert {first[0]["message"], second[0]["message"]} == {
        str(id) for id in Message.objects.filter(direction="inbound").values_list("id", flat=True)
    }
    assert balas("search", "nothinglikethis", "--json").out == ""


def test_index_check_agrees_and_rebuild_gives_the_same_answers(balas: Balas, stocked: Account) -> None:
    balas("index", "repair")  # the tests before this one emptied the tables behind the index's back
    before = balas("search", "zip", "--json").lines
    facts = balas("index", "check", "--json").object
    assert {facts[name] for name in ("missing", "stale", "extra", "pending")} == {0}
    assert balas("index", "rebuild", "--json").object == {"indexed": 3}
    assert balas("search", "zip", "--json").lines == before
    assert set(balas("index", "repair", "--json").object) == {"missing", "stale", "extra"}


def test_sla_explain_and_sending_answer_in_json(balas: Balas, stocked: Account) -> None:
    conversation = balas("export", "conversations").lines[0]["id"]
    for promise in balas("sla", "explain", conversation, "--json").lines:
        assert set(promise) >= {"target", "started_at", "due_at", "breached", "intervals"}
    assert balas("sending", "stop", "--why", "a test", "--json").object["why"] == "a test"
    assert balas("sending", "resume", "--json").object["stopped_at"] is None


def test_people_come_and_go(balas: Balas, transactional_db: None) -> None:
    added = balas("user", "add", "ana@example.org", "--role", "agent", "--team", "Support", "--json").object
    assert "/sign-in/link/" in added["link"]
    assert balas("user", "add", "ana@example.org", "--role", "agent", exits=1).err
    (row,) = balas("user", "list", "--json").lines
    assert (row["email"], row["role"], row["teams"], row["active"]) == ("ana@example.org", "agent", ["Support"], True)
    assert balas("user", "link", "ana@example.org", "--json").object["link"] != added["link"]
    assert balas("user", "disable", "ana@example.org", "--json").object["active"] is False
    balas("user", "link", "ana@example.org", exits=1)


def test_accounts_are_listed_paused_and_removed(balas: Balas, stocked: Account) -> None:
    (row,) = balas("account", "list", "--json").lines
    assert (row["name"], row["kind"], row["state"]) == ("support", "email", "ok")
    assert balas("account", "pause", "support", "--json").object["state"] == "paused"
    assert balas("account", "resume", "support", "--json").object["state"] == "ok"
    assert balas("account", "check", "support", exits=1).err, "nothing listens there"
    balas("account", "remove", "support")
    assert balas("account", "list", "--json").out == ""
    assert len(balas("export", "messages").lines) == 3, "its history stays"


def test_a_password_never_stands_in_an_argument(balas: Balas, db: None) -> None:
    server = ["--imap", "imaps://u:secret@mail.example", "--smtp", "smtps://u@mail.example"]
    answer = balas("account", "add", "email", "x", "--address", "u@mail.example", *server, exits=2)
    assert "secret" not in answer.out
    assert "--password-stdin" in answer.err


def mails() -> list[bytes]:
    return [make_mail(f"Mail {number}\n", message_id=f"import-{number}@shop.example") for number in range(4)]


def packed(folder: Path, form: str) -> Path:
    """The same four mails in one of the forms that people keep mail in."""
    if form == "folder":
        (folder / "folder").mkdir()
        for number, content in enumerate(mails()):
            (folder / "folder" / f"{number}.eml").write_bytes(content)
        return folder / "folder"
    if form == "Maildir":
        maildir = mailbox.Maildir(folder / "Maildir")
        for content in mails():
            maildir.add(content)
        return folder / "Maildir"
    box = mailbox.mbox(folder / "box.mbox")
    for content in mails():
        box.add(content)
    box.close()
    if form == "mbox.gz":
        subprocess.run(["gzip", folder / "box.mbox"], check=True)
        return folder / "box.mbox.gz"
    return folder / "box.mbox"


def test_import_twice_and_in_every_form_brings_everything_once(
    balas: Balas, transactional_db: None, tmp_path: Path
) -> None:
    make_account()
    first = balas("import", str(packed(tmp_path, "folder")), "--account", "support", "--json").object
    assert first == {"account": "support", "read": 4, "new": 4, "same": 0, "problems": []}
    again = balas("import", str(tmp_path / "folder"), "--account", "support", "--json").object
    assert (again["read"], again["new"]) == (4, 0)
    for form in ("Maildir", "mbox", "mbox.gz"):
        balas("import", str(packed(tmp_path, form)), "--account", "support")
        assert Message.objects.count() == 4, form
    balas("import", str(tmp_path / "folder" / "0.eml"), "--account", "support")
    assert Message.objects.count() == 4


def test_a_closed_pipe_ends_an_export_without_a_word(tmp_path: Path) -> None:
    """`balas export … | head` is no fault."""
    reading, writing = os.pipe()
    os.close(reading)
    done: Any = subprocess.run(
        [sys.executable, "-m", "web.cli", "user", "list"],
        env=environment(tmp_path),
        cwd=CHECKOUT,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr
