"""What stands between a written reply and the outbox."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.messages import Limits
from connectors.social import Measure
from inbox.rules.gates import CONFIRMABLE, Gate, GateCode, ReplyFacts, gate_reply
from inbox.rules.templates import mark

GOOD = ReplyFacts(
    text="It is on its way.",
    recipients=("Ana@Example.org",),
    recipient_keys=("ana@example.org",),
    customer_keys={"ana@example.org"},
    newest_inbound=7,
    seen_message=7,
)
LIMITS = Limits(max_characters=100, max_attachment_bytes=1000, max_recipients=2)


def test_a_good_reply_passes() -> None:
    assert gate_reply(GOOD, LIMITS) == []
    assert gate_reply(GOOD, Limits()) == []


@pytest.mark.parametrize(
    ("change", "code", "data"),
    [
        ({"text": " \n\t"}, GateCode.EMPTY, {}),
        ({"text": f"Dear {mark('customer.name')},"}, GateCode.MISSING_VALUES, {"names": ("customer.name",)}),
        (
            {"subject": f"Re: {mark('conversation.number')}"},
            GateCode.MISSING_VALUES,
            {"names": ("conversation.number",)},
        ),
        ({"recipients": (), "recipient_keys": ()}, GateCode.NO_RECIPIENT, {}),
        ({"bad_recipients": ("ana@",)}, GateCode.BAD_RECIPIENT, {"addresses": ("ana@",)}),
        ({"newest_inbound": 9}, GateCode.STALE, {"newest": 9}),
        ({"text": "x" * 101}, GateCode.TOO_LONG, {"count": 101, "limit": 100, "unit": "characters"}),
        ({"measure": Measure(101, 100)}, GateCode.TOO_LONG, {"count": 101, "limit": 100, "unit": "characters"}),
        ({"attachment_bytes": 1001}, GateCode.ATTACHMENTS_TOO_LARGE, {"bytes": 1001, "limit": 1000}),
        ({"customer_keys": {"ben@example.org"}}, GateCode.NOT_THE_CUSTOMER, {"addresses": ("Ana@Example.org",)}),
        ({"is_account_closed": True}, GateCode.CLOSED_ACCOUNT, {}),
    ],
)
def test_each_gate_blocks_alone_and_says_what_it_found(
    change: dict[str, object], code: GateCode, data: dict[str, object]
) -> None:
    assert gate_reply(replace(GOOD, **change), LIMITS) == [Gate(code, True, data)]  # type: ignore[arg-type]


def test_too_many_recipients_are_counted() -> None:
    people = ("a@x.test", "b@x.test", "c@x.test")
    facts = replace(GOOD, recipients=people, recipient_keys=people, customer_keys=set(people))
    assert gate_reply(facts, LIMITS) == [Gate(GateCode.TOO_MANY_RECIPIENTS, True, {"count": 3, "limit": 2})]


@pytest.mark.parametrize(
    "change",
    [
        {"text": "x" * 100},
        {"measure": Measure(100, 100), "text": "x" * 200},  # the channel counts links shorter
        {"attachment_bytes": 1000},
        {"text": "", "attachments": 1},
        {"newest_inbound": 0, "seen_message": 0},
        {"newest_inbound": 7, "seen_message": 8},  # a note or our own answer came after
    ],
)
def test_the_edge_of_a_limit_passes(change: dict[str, object]) -> None:
    assert gate_reply(replace(GOOD, **change), LIMITS) == []  # type: ignore[arg-type]


def test_f49_another_recipient_and_a_stale_view_need_a_confirmation_and_nothing_else_can_be_confirmed() -> None:
    facts = replace(GOOD, text="", newest_inbound=9, customer_keys={"ben@example.org"})
    assert {gate.code for gate in gate_reply(facts, LIMITS)} == {
        GateCode.EMPTY,
        GateCode.STALE,
        GateCode.NOT_THE_CUSTOMER,
    }
    left = gate_reply(facts, LIMITS, frozenset(GateCode))
    assert [gate.code for gate in left] == [GateCode.EMPTY]
    assert all(gate.is_confirmable is (gate.code in CONFIRMABLE) for gate in left)


def test_a_stopped_outbox_is_told_but_does_not_block() -> None:
    found = gate_reply(replace(GOOD, is_stopped=True, text=""), LIMITS)
    assert [(gate.code, gate.blocks) for gate in found] == [
        (GateCode.EMPTY, True),
        (GateCode.SENDING_STOPPED, False),
    ]


def test_confirmations_may_be_plain_words_from_a_form() -> None:
    assert gate_reply(replace(GOOD, newest_inbound=9), LIMITS, frozenset({"stale"})) == []
