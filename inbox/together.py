"""Many sends at once: claimed in one transaction, committed a few at a time, recorded in one transaction.

The meaning is that of claims.py and outcomes.py, message by message. What is not plain (a refusal, a doubt, a claim
that passed to somebody else) goes through them; `record_many` writes only what every recipient's server accepted.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connectors.messages import OutboundMessage, Outcome, Receipt
from inbox import outcomes, sla
from inbox.changes import ConversationChange, announce
from inbox.claims import CLAIM_TIME, COMMIT_TIME, TO_SEND, Claim, ClaimLost, is_sending_stopped
from inbox.killpoints import reach
from inbox.ledger import Entry, LedgerRow, write_ledgers
from inbox.rules.states import DUE_SEND_STATES, SendState, SlaKind
from inbox.sql import dump_json, execute_in, locking, moment, read_json, read_moment, select_in
from inbox.transactions import retried

log = logging.getLogger(__name__)

Result = Receipt | BaseException


def claim_many(envelope_ids: Sequence[int], owner: str, now: datetime) -> list[Claim]:
    """Takes those that are still due, in the given order; see claims.claim."""
    claimed = retried(lambda: _claim_many(envelope_ids, owner, now))
    reach("send.claimed")
    return claimed


_CLAIMABLE = """SELECT e.id, e.account_id, e.claim_epoch, e.idempotency_key,
    (SELECT a.address FROM inbox_account a WHERE a.id = e.account_id),
    (SELECT b.content FROM inbox_envelopebody b WHERE b.envelope_id = e.id), e.state, e.due_at, e.claimed_until
    FROM inbox_envelope e WHERE e.id IN ({in}) ORDER BY e.id"""


_TAKE = """UPDATE inbox_envelope SET state = %s, claim_owner = %s, claim_epoch = claim_epoch + 1, claimed_until = %s,
    due_at = %s, attempts = attempts + 1 WHERE id IN ({in})"""
_WANTED = """SELECT envelope_id, address FROM inbox_enveloperecipient WHERE envelope_id IN ({in})
    AND outcome IN (%s, %s) ORDER BY id"""


def _is_free(row: tuple[Any, ...], now: datetime) -> bool:
    """Due, and nobody's: waiting, or claimed by somebody whose time is over."""
    state, due_at, until = row[6], read_moment(row[7]), read_moment(row[8])
    if due_at is None or due_at > now:
        return False
    return state in DUE_SEND_STATES or (state == SendState.SENDING and until is not None and until <= now)


@transaction.atomic
def _claim_many(envelope_ids: Sequence[int], owner: str, now: datetime) -> list[Claim]:
    reach("send.claim-open")
    until = now + CLAIM_TIME
    # By id alone: asked for what is due as well, the planner would walk everything that is due for each batch.
    with connection.cursor() as cursor:
        found = list(select_in(cursor, _CLAIMABLE + locking(), sorted(envelope_ids)))
        rows = {row[0]: row for row in found if _is_free(row, now)}
        execute_in(cursor, _TAKE, list(rows), [SendState.SENDING.value, owner[:80], moment(until), moment(until)])
        reach("send.claim-written")
        wanted: dict[int, list[str]] = defaultdict(list)
        for envelope_id, address in select_in(cursor, _WANTED, list(rows), after=[one.value for one in TO_SEND]):
            wanted[envelope_id].append(address)
    claims = []
    for number in envelope_ids:
        if number in rows:
            _, account_id, epoch, key, sender, content, *_ = rows[number]
            message = OutboundMessage(key, sender, tuple(wanted[number]), bytes(content))
            claims.append(Claim(number, account_id, epoch + 1, owner, message))
    return claims


def commit_many(claims: Sequence[Claim], now: datetime) -> None:
    """Makes the point of no return of all of them durable, or of none: raises ClaimLost when one claim is stale."""
    reach("send.before-commit")
    if is_sending_stopped():
        raise ClaimLost("sending is stopped")
    until = moment(now + COMMIT_TIME)
    sql = (
        "UPDATE inbox_envelope SET state = %s, committing_at = %s, claimed_until = %s, due_at = %s"
        " WHERE id = %s AND claim_epoch = %s AND state = %s AND claimed_until > %s"
    )
    at, before, after = moment(now), SendState.SENDING.value, SendState.COMMITTING.value
    # Not tried again: whoever waits at the wire is told at once when this fails.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        # In one order for everybody, so that two of them wait for each other instead of deadlocking.
        mine = sorted((one.envelope_id, one.epoch) for one in claims)
        cursor.executemany(sql, [(after, at, until, until, *one, before, at) for one in mine])
        if cursor.rowcount != len(mine):
            raise ClaimLost(", ".join(str(number) for number, _ in mine))
        reach("send.commit-written")
    reach("send.committed")


# --- What became of them --------------------------------------------------------------------------------------------


def record_many(results: Sequence[tuple[Claim, Result]], now: datetime) -> None:
    """As outcomes.record for each; a claim that passed to somebody else is left alone."""
    plain: list[tuple[Claim, Receipt]] = []
    left: list[tuple[Claim, Result]] = []
    for claim, result in results:
        if isinstance(result, Receipt) and _is_plain(claim, result):
            plain.append((claim, result))
        else:
            left.append((claim, result))
    if plain:
        left += _record_plain(plain, now)
    trouble: Exception | None = None
    for claim, result in left:
        try:
            outcomes.record(claim, result, now)
        except ClaimLost:
            continue
        except Exception as error:  # the others are recorded all the same
            trouble = error
    if trouble is not None:
        raise trouble


def _record_plain(plain: list[tuple[Claim, Receipt]], now: datetime) -> Sequence[tuple[Claim, Result]]:
    """Those that were not recorded."""
    reach("send.answered")
    try:
        left = retried(lambda: _record_sent(plain, now))
    except Exception:
        if connection.in_atomic_block:
            raise
        log.exception("%d sends could not be recorded together; going on one by one", len(plain))
        return plain
    reach("send.recorded")
    return left


def _is_plain(claim: Claim, receipt: Receipt) -> bool:
    told = {one.recipient for one in receipt.outcomes if one.outcome is Outcome.SENT}
    if receipt.message_id:  # its name goes to the graph of threads
        return False
    return bool(told) and len(told) == len(receipt.outcomes) and told == set(claim.message.recipients)


_ENVELOPE = """SELECT e.id, e.claim_epoch, e.state, e.conversation_id, e.message_id, e.account_id, e.committing_at,
    e.created_at, e.filing, e.external_id,
    (SELECT m.author_user_id FROM inbox_message m WHERE m.id = e.message_id)
    FROM inbox_envelope e WHERE e.id IN ({in}) ORDER BY e.id"""


@transaction.atomic
def _record_sent(results: Sequence[tuple[Claim, Receipt]], now: datetime) -> list[tuple[Claim, Result]]:
    """Those that need the long way."""
    claims = {claim.envelope_id: (claim, receipt) for claim, receipt in results}
    sent: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for row in list(select_in(cursor, _ENVELOPE + locking(), sorted(claims))):
            claim = claims[row[0]][0]
            if row[1] == claim.epoch and row[2] == SendState.COMMITTING:
                sent.append(row)
        reach("send.record-open")
        settled = {row[0]: claims[row[0]][1] for row in sent}
        _write_recipients(cursor, settled)
        reach("send.recipients-written")
        _write_envelopes(cursor, sent, settled, now)
        reach("send.state-written")
        _stop_clocks(cursor, sent, now)
    return [claims[number] for number in claims if number not in settled]


def _write_recipients(cursor: CursorWrapper, receipts: Mapping[int, Receipt]) -> None:
    sql = (
        "UPDATE inbox_enveloperecipient SET outcome = 'sent', code = %s, sentence = %s"
        " WHERE envelope_id = %s AND address = %s AND outcome <> 'sent'"
    )
    rows = [
        (one.code[:40], one.sentence[:500], number, one.recipient)
        for number, receipt in receipts.items()
        for one in receipt.outcomes
    ]
    cursor.executemany(sql, rows)


def _write_envelopes(
    cursor: CursorWrapper, sent: Sequence[tuple[Any, ...]], receipts: Mapping[int, Receipt], now: datetime
) -> None:
    sql = (
        "UPDATE inbox_envelope SET state = 'sent', sentence = '', due_at = %s, finished_at = committing_at,"
        " external_id = %s, claimed_until = NULL, claim_owner = '' WHERE id = %s"
    )
    at = moment(now)
    rows = [
        (at if filing == "wanted" else None, receipts[number].external_id[:255] or external_id, number)
        for number, *_, filing, external_id, _author in sent
    ]
    cursor.executemany(sql, rows)


_CONVERSATION = """SELECT id, policy_version_id, calendar_version_id, sla, due_at, due_for, last_outbound_at
    FROM inbox_conversation WHERE id IN ({in}) ORDER BY id"""


def _stop_clocks(cursor: CursorWrapper, sent: Sequence[tuple[Any, ...]], now: datetime) -> None:
    """What it means for the conversations: the clock stops, the list hears of it."""
    left_at = {row[0]: read_moment(row[6]) or now for row in sent}
    sql = "SELECT message_id FROM inbox_slaevent WHERE kind = 'agent-answered' AND message_id IN ({in})"
    answered = {message for (message,) in select_in(cursor, sql, {row[4] for row in sent})}
    by_conversation: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in sent:
        by_conversation[row[3]].append(row)
    events: list[LedgerRow] = []
    changed: list[tuple[Any, ...]] = []
    for number, policy, calendar, state, due_at, due_for, last_at in list(
        select_in(cursor, _CONVERSATION + locking(), sorted(by_conversation))
    ):
        rows = by_conversation[number]
        last = max([*(left_at[row[0]] for row in rows), *filter(None, [read_moment(last_at)])])
        due = (due_at, due_for, state if isinstance(state, str) else dump_json(state))
        if policy is not None and calendar is not None:
            standing = sla.Standing(number, policy, calendar, read_json(state), read_moment(due_at), due_for)
            entries = [_entry(row, left_at[row[0]], now) for row in rows if row[4] not in answered]
            standing, new = sla.extend(standing, sorted(entries, key=lambda entry: entry.occurred_at))
            due = (moment(standing.due_at), standing.due_for, dump_json(dict(standing.state)))
            events += new
        changed.append((*due, moment(last), number))
    write_ledgers(cursor, events)
    reach("send.ledger-written")
    sql = (
        "UPDATE inbox_conversation SET due_at = %s, due_for = %s, sla = %s, last_outbound_at = %s,"
        " version = version + 1 WHERE id = %s"
    )
    cursor.executemany(sql, changed)
    announce(now=now, conversations=_changes(cursor, by_conversation))
    reach("send.announced")


def _changes(cursor: CursorWrapper, conversations: Iterable[int]) -> list[ConversationChange]:
    accounts: dict[int, list[int]] = {number: [] for number in conversations}
    sql = (
        "SELECT conversation_id, account_id FROM inbox_conversationaccount WHERE conversation_id IN ({in})"
        " ORDER BY account_id"
    )
    for number, account_id in select_in(cursor, sql, list(accounts)):
        accounts[number].append(account_id)
    return [ConversationChange(number, tuple(readers)) for number, readers in accounts.items()]


def _entry(row: tuple[Any, ...], at: datetime, now: datetime) -> Entry:
    created_at = read_moment(row[7])
    seen = {"seen_at": created_at.isoformat()} if created_at else {}
    return Entry(SlaKind.AGENT_ANSWERED, at, now, actor=outcomes.writer_name(row[10]), message_id=row[4], data=seen)
