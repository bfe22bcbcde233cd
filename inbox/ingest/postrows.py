"""Rows of posts: their state, earlier versions, what is redacted, and whom their authors are known as now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connectors.social import Post, plain
from inbox import bodies
from inbox.enclosed import cleaned, enclosed
from inbox.ids import new_ids
from inbox.ingest.accounts import Ground
from inbox.ingest.book import Book
from inbox.ingest.letters import Letter
from inbox.ingest.versions import revision_order
from inbox.rules.rechecking import next_look
from inbox.rules.states import RawState
from inbox.sql import dump_json, execute_in, insert, moment, read_json, select_in
from inbox.text import clean

_STATE = (
    "message_id account_id author_external_id visibility standing followers revision edited_at deleted_at hidden_why"
    " recheck_at"
)


def write_states(cursor: CursorWrapper, letters: Iterable[Letter], ground: Ground, now: datetime) -> None:
    """Of new posts."""
    rows = [
        (
            *(one.id, one.account_id, one.author.external_id, one.visibility, one.standing, one.followers),
            *(one.revision, moment(_edited_at(one, now)), moment(one.deleted_at), ""),
            moment(_recheck_at(one, ground, now)),
        )
        for one in letters
        if one.is_post
    ]
    insert(cursor, "inbox_poststate", _STATE, rows)


def _recheck_at(letter: Letter, ground: Ground, now: datetime) -> datetime | None:
    is_wanted = letter.is_inbound and letter.deleted_at is None and ground.accounts[letter.account_id].rechecks
    return next_look(letter.written_at, now, is_open=True) if is_wanted and not letter.is_history else None


def _edited_at(letter: Letter, now: datetime) -> datetime | None:
    """When the shown words were written, where they are not the first ones."""
    shown = letter.current or letter
    try:
        at = datetime.fromisoformat(shown.revision)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None:
        return at if at > letter.written_at else None
    is_edit = bool(letter.older or letter.is_archived)
    return max(shown.received_at, shown.written_at) if is_edit else None


def write_versions(cursor: CursorWrapper, letters: Sequence[Letter], now: datetime) -> None:
    """What was said before, and what is said now."""
    rows: list[tuple[Any, ...]] = []
    archived = {one.id for one in letters if one.is_archived}
    sql = (
        "SELECT m.id, p.revision, m.text, m.enclosed, m.received_at FROM inbox_message m JOIN inbox_poststate p"
        " ON p.message_id = m.id WHERE m.id IN ({in})"
    )
    for row in select_in(cursor, sql, archived):
        rows.append((*row[:3], dump_json(read_json(row[3])) if row[3] else None, row[4]))
    for letter in letters:
        for older in letter.older:
            assert older.parsed is not None
            text, extra = clean(older.parsed.text), enclosed(older.parsed)
            rows.append((letter.id, older.revision, text, dump_json(extra), moment(older.received_at)))
    ids = new_ids(len(rows))
    columns = "id message_id revision text enclosed seen_at"
    written = [(number, *row) for number, row in zip(ids, rows, strict=True)]
    insert(cursor, "inbox_postedition", columns, written, "ON CONFLICT DO NOTHING")
    for letter in letters:
        if letter.current is not None:
            _replace(cursor, letter, letter.current, now)
        elif letter.older and not letter.is_new:
            sql = "UPDATE inbox_poststate SET edited_at = COALESCE(edited_at, %s) WHERE message_id = %s"
            cursor.execute(sql, [moment(_edited_at(letter, now)), letter.id])


def _replace(cursor: CursorWrapper, letter: Letter, current: Letter, now: datetime) -> None:
    parsed = current.parsed
    assert parsed is not None
    extra = dump_json(enclosed(parsed))
    if current.keeps_words:
        cursor.execute("UPDATE inbox_message SET enclosed = %s WHERE id = %s", [extra, letter.id])
        edited_at = None
    else:
        edited_at = _edited_at(letter, now)
        cursor.execute(
            "UPDATE inbox_message SET text = %s, passages = %s, has_html = %s, language = %s, language_confidence = 0,"
            " enclosed = %s WHERE id = %s",
            [
                clean(parsed.text),
                dump_json(current.passages),
                parsed.has_html,
                parsed.language[:16],
                extra,
                letter.id,
            ],
        )
    cursor.execute(
        "UPDATE inbox_poststate SET revision = %s, followers = %s, edited_at = COALESCE(%s, edited_at)"
        " WHERE message_id = %s",
        [letter.revision, letter.followers, moment(edited_at), letter.id],
    )


def write_names(cursor: CursorWrapper, letters: Iterable[Letter]) -> None:
    """What the platform calls a send of ours from now on."""
    rows = [(one.reference, one.id) for one in letters if one.is_renamed]
    if rows:
        cursor.executemany("UPDATE inbox_message SET reference = %s WHERE id = %s", rows)


def write_reach(cursor: CursorWrapper, letters: Iterable[Letter]) -> None:
    rows = [(one.reach, one.id) for one in letters]
    if rows:
        cursor.executemany("UPDATE inbox_message SET reach = %s WHERE id = %s", rows)


# --- What its author deleted ----------------------------------------------------------------------------------------


def redact(cursor: CursorWrapper, letters: Sequence[Letter]) -> None:
    """The content of known posts goes; their times, and what they did to clocks, stay."""
    for letter in letters:
        extra = dump_json({"post": {"standing": letter.standing, "visibility": letter.visibility}})
        cursor.execute("SELECT text FROM inbox_message WHERE id = %s", [letter.id])
        _forget_quotes(cursor, letter, cursor.fetchone()[0])
        cursor.execute(
            "UPDATE inbox_message SET text = '', passages = '[]', subject = '', has_html = %s, enclosed = %s,"
            " language = 'und', language_confidence = 0 WHERE id = %s",
            [False, extra, letter.id],
        )
        cursor.execute(
            "UPDATE inbox_poststate SET deleted_at = %s, revision = '', edited_at = NULL, recheck_at = NULL"
            " WHERE message_id = %s",
            [moment(letter.deleted_at), letter.id],
        )
    ids = [one.id for one in letters]
    for table in ("inbox_attachment", "inbox_postedition"):
        execute_in(cursor, f"DELETE FROM {table} WHERE message_id IN ({{in}})", ids)  # noqa: S608


def _forget_quotes(cursor: CursorWrapper, letter: Letter, text: str) -> None:
    """Where it is quoted: in other posts of its thread, and in what somebody is writing."""
    cursor.execute(
        "SELECT m.id, m.enclosed, m.in_reply_to FROM inbox_message m JOIN inbox_strand s ON s.id = m.strand_id"
        " WHERE s.thread_id = (SELECT thread_id FROM inbox_strand WHERE id = %s) AND m.enclosed IS NOT NULL"
        " AND m.id <> %s LIMIT 2000",
        [letter.strand_id, letter.id],
    )
    naming = []
    for message_id, kept, parent in cursor.fetchall():
        extra = read_json(kept)
        quoted = (extra.get("post") or {}).get("quoted") or {}
        if quoted.get("reference") == letter.reference:
            extra["post"]["quoted"] = {"reference": letter.reference}
            cursor.execute("UPDATE inbox_message SET enclosed = %s WHERE id = %s", [dump_json(extra), message_id])
            naming.append(message_id)
        elif parent == letter.reference:
            naming.append(message_id)
    if len(text.strip()) < 8:
        return
    _erase_copies(cursor, naming, text.strip())
    cursor.execute(
        "SELECT d.id, d.body FROM inbox_draft d JOIN inbox_strandlink l ON l.conversation_id = d.conversation_id"
        " WHERE l.strand_id = %s AND l.ended_at IS NULL",
        [letter.strand_id],
    )
    forms = [text.strip(), "\n".join(f"> {line}" for line in text.strip().splitlines())]
    for draft_id, body in cursor.fetchall():
        left = body
        for form in reversed(forms):
            left = left.replace(form, "[…]")
        if left != body:
            cursor.execute("UPDATE inbox_draft SET body = %s WHERE id = %s", [left, draft_id])


def _erase_copies(cursor: CursorWrapper, message_ids: Sequence[int], text: str) -> None:
    """Platforms put what is answered or quoted into the item of what answers it: then those bytes go, too."""
    forms = [text.encode(), dump_json(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()]
    sql = (
        "SELECT b.item_id, b.content FROM inbox_delivery d JOIN inbox_rawbody b ON b.item_id = d.raw_item_id"
        " WHERE b.content IS NOT NULL AND d.message_id IN ({in})"
    )
    holding = [
        item for item, content in select_in(cursor, sql, message_ids) if any(one in bytes(content) for one in forms)
    ]
    execute_in(cursor, "UPDATE inbox_rawbody SET content = %s WHERE item_id IN ({in})", holding, [b""])


def erase_bodies(cursor: CursorWrapper, letters: Iterable[Letter]) -> None:
    """The bytes in which they came. Last of all, when their deliveries are written."""
    ids = [one.id for one in letters if one.deleted_at is not None]
    sql = (
        "SELECT r.id, r.sha256 FROM inbox_delivery d JOIN inbox_rawitem r ON r.id = d.raw_item_id"
        " WHERE r.state <> 'erased' AND d.message_id IN ({in})"
    )
    found = dict(select_in(cursor, sql, ids))
    if not found:
        return
    execute_in(cursor, "UPDATE inbox_rawbody SET content = %s WHERE item_id IN ({in})", found, [b""])
    sql = "UPDATE inbox_rawitem SET state = %s, due_at = NULL WHERE id IN ({in})"
    execute_in(cursor, sql, found, [RawState.ERASED.value])
    sql = "SELECT sha256 FROM inbox_rawitem WHERE state <> 'erased' AND sha256 IN ({in})"
    shared = {row[0] for row in select_in(cursor, sql, set(found.values()))}
    files = [bodies.place_of(one) for one in set(found.values()) - shared]
    transaction.on_commit(lambda: _unlink(files), using=connection.alias)


def _unlink(files: Iterable[Any]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


# --- Who wrote them -------------------------------------------------------------------------------------------------


def note_authors(cursor: CursorWrapper, drafts: Iterable[Letter], book: Book) -> None:
    """Names and handles change, the platform's id does not: the newest post says how its author is called now."""
    newest: dict[tuple[str, str], Letter] = {}
    for draft in sorted(drafts, key=lambda one: (one.written_at, revision_order(one.revision), one.reference)):
        if draft.author.key and draft.author.address and draft.profile is not None:
            newest[draft.kind, draft.author.key] = draft
    for (kind, key), draft in newest.items():
        identity, at = book.find(kind, key), moment(draft.written_at)
        if identity is None or draft.profile is None:
            continue
        author, profile = draft.author, cleaned(plain(Post(profile=draft.profile))).get("profile")
        condition = "id = %s AND (profile_at IS NULL OR profile_at <= %s)"
        cursor.execute(f"SELECT display FROM inbox_identity WHERE {condition}", [identity.id, at])  # noqa: S608
        row = cursor.fetchone()
        if row is None:
            continue
        name = author.name or row[0]
        cursor.execute(
            "UPDATE inbox_identity SET address = %s, display = %s, external_id = %s, reach = %s, profile = %s,"
            " profile_at = %s WHERE id = %s",
            [
                *(author.address, name, author.external_id, draft.profile.followers),
                *(dump_json(profile) if profile else None, at, identity.id),
            ],
        )
        if identity.customer_id and name != row[0]:
            # A name that somebody gave them by hand stays.
            sql = "UPDATE inbox_customer SET name = %s WHERE id = %s AND name = %s"
            cursor.execute(sql, [name[:200], identity.customer_id, row[0]])
