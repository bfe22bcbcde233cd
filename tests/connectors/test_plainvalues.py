"""What goes between a process and its parsers comes out as it went in, and nothing else goes."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import plainvalues
from connectors.messages import (
    Address,
    Automatic,
    DeliveryReport,
    Flag,
    ParsedAttachment,
    ParsedDeletion,
    ParsedMessage,
    Passage,
    RawItem,
    Recipient,
    Scope,
)

_text = st.text(max_size=20) | st.just("\ud800 lone \x00")
_address = st.builds(Address, _text, _text, _text)
_message = st.builds(
    ParsedMessage,
    author=_address,
    recipients=st.lists(st.builds(Recipient, _text, _address), max_size=3).map(tuple),
    subject=_text,
    text=_text,
    visible_text=_text,
    written_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    message_id=_text,
    references=st.lists(_text, max_size=3).map(tuple),
    passages=st.lists(st.builds(Passage, _text, _text), max_size=3).map(tuple),
    attachments=st.lists(
        st.builds(ParsedAttachment, _text, _text, _text, st.integers(0, 2**40), _text), max_size=2
    ).map(tuple),
    automatic=st.none() | st.sampled_from(Automatic),
    flags=st.lists(st.sampled_from(Flag), max_size=3).map(tuple),
    verified=st.none() | st.booleans(),
    reports=st.lists(st.builds(DeliveryReport, _text, _text, _text, _text, _text), max_size=2).map(tuple),
    language_confidence=st.floats(0, 1),
    words=st.none() | st.tuples(_text, _text, st.booleans()),
)
_item = st.builds(
    RawItem,
    st.builds(Scope, _text, _text),
    _text,
    st.datetimes(timezones=st.just(UTC)),
    st.integers(0, 2**40),
    st.none() | st.binary(max_size=50),
    st.none() | st.just(Path("/spool/mail")),
)
_value = _message | _item | st.builds(ParsedDeletion, _text) | _text | st.dictionaries(_text, st.lists(_text))


@given(st.lists(_value, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_is_packed_comes_out_equal(values):
    found = plainvalues.unpack(plainvalues.pack(values))
    assert found == values
    assert [type(one) for one in found] == [type(one) for one in values]


@pytest.mark.parametrize("value", [object(), {1, 2}, pickle.dumps, ValueError("x")])
def test_what_is_no_value_of_ours_is_refused(value):
    with pytest.raises(TypeError):
        plainvalues.pack([value])


def test_what_was_not_packed_here_is_an_error_and_nothing_else():
    for data in (b"", b"garbage", pickle.dumps([1]), plainvalues.pack(["a"])[:-1]):
        with pytest.raises((ValueError, TypeError, EOFError, LookupError)):
            plainvalues.unpack(data)


def test_times_keep_their_moment():
    at = datetime(2026, 11, 25, 1, 2, 3, 456, tzinfo=UTC)
    assert plainvalues.unpack(plainvalues.pack([at])) == [at]
