"""Letters from rows: messages that are in the inbox already, as the digest sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.social import Standing
from inbox.ingest.accounts import AccountFacts, Ground
from inbox.ingest.letters import (
    Letter,
    Person,
    deleted_words,
    is_mailing_of,
    nearest_first,
    node_of,
    split_people,
)
from inbox.rules.automatic import stands_aside
from inbox.rules.passages import PREVIEW_READ, preview
from inbox.rules.threading import is_history, joins_nothing
from inbox.sql import read_json, read_moment

COLUMNS = f"""m.id, m.kind, m.direction, m.reference, m.stable_sha256, m.author_name, m.author_address, m.recipients,
    m.in_reply_to, m."references", m.subject, SUBSTR(m.text, 1, {PREVIEW_READ}), m.passages, m.language, m.written_at,
    m.received_at, m.automatic, m.verified, m.account_id, m.raw_item_id, m.flags, m.strand_id,
    m.dated_at, m.reach, p.visibility, p.standing, p.revision, p.followers, p.deleted_at, p.author_external_id"""
TABLES = "inbox_message m LEFT JOIN inbox_poststate p ON p.message_id = m.id"


def letter_of_row(row: Sequence[Any], ground: Ground, account: AccountFacts) -> Letter:
    """From the columns named in COLUMNS. `account` is any account of the message's kind."""
    (message_id, kind, direction, reference, stable, name, address, recipients, in_reply_to, references) = row[:10]
    (subject, text, passages, language, written_at, received_at, automatic, verified) = row[10:18]
    (account_id, raw_item_id, flags, strand_id, dated_at, reach) = row[18:24]
    is_post, external_id = row[24] is not None, row[29] or ""
    people: Sequence[Person] = [
        Person("author", account.key(address, name, external_id), address, name, external_id),
        *(_stored_person(one, account) for one in read_json(recipients)),
    ]
    people, reply_to = split_people(people)
    own = ground.accounts.get(account_id, account)
    flag_list = list(read_json(flags))
    sender = None if verified is None else bool(verified)
    answers = (
        []
        if joins_nothing(sender, automatic, flag_list)
        else nearest_first(in_reply_to, read_json(references), reference, is_vouched=is_post)
    )
    written = read_moment(written_at)
    assert written is not None
    letter = Letter(
        id=message_id,
        kind=kind,
        direction=direction,
        reference=reference,
        node=node_of(kind, reference, stable, is_vouched=is_post),
        answers=tuple((kind, one) for one in answers),
        stable=stable,
        people=people,
        reply_to=reply_to,
        subject=subject,
        preview=preview(text, read_json(passages)),
        language=language,
        written_at=written,
        dated_at=read_moment(dated_at),
        received_at=read_moment(received_at) or written,
        automatic=automatic,
        verified=sender,
        is_history=is_history(written, own.cut_at),
        is_aside=stands_aside(automatic, flag_list, ground.aside),
        is_mailing=not is_post and is_mailing_of(people, automatic, flag_list),
        account_id=account_id,
        is_frozen_send=raw_item_id is None,
        flags=flag_list,
        strand_id=strand_id,
    )
    if is_post:
        _add_state(letter, row[24:], reach, own.own)
    return letter


def _stored_person(one: Mapping[str, str], account: AccountFacts) -> Person:
    external_id = one.get("external_id", "")
    key = account.key(one["address"], one["name"] if external_id else "", external_id)
    return Person(one["role"], key, one["address"], one["name"], external_id)


def _add_state(letter: Letter, state: Sequence[Any], reach: int, own: frozenset[str]) -> None:
    letter.visibility, letter.standing, letter.revision, letter.followers = state[:4]
    letter.carried = max(0, reach - letter.reach)
    letter.deleted_at = read_moment(state[4])
    if letter.deleted_at is not None:
        letter.preview = deleted_words()
    if not letter.is_inbound:
        letter.is_aside = not any(person.key and person.key not in own for person in letter.people[1:])
    elif letter.standing == Standing.CONTEXT:
        letter.is_aside = True
