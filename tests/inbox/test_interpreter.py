from __future__ import annotations

import gc
import sys

import pytest

from inbox.ingest.letters import Letter
from inbox.interpreter import tuned_for_batches
from tests.builders import digest_all, make_account, make_item, make_mail, put


def test_the_interpreter_is_as_it_was_after_the_last_batch():
    before = (gc.get_threshold(), sys.getswitchinterval())
    with tuned_for_batches():
        with tuned_for_batches():
            assert gc.get_threshold() > before[0] and sys.getswitchinterval() < before[1]
        assert gc.get_threshold() > before[0] and sys.getswitchinterval() < before[1]
    assert (gc.get_threshold(), sys.getswitchinterval()) == before


def test_a_batch_that_fails_leaves_it_as_it_was():
    before = (gc.get_threshold(), sys.getswitchinterval())
    with pytest.raises(ValueError), tuned_for_batches():
        raise ValueError
    assert (gc.get_threshold(), sys.getswitchinterval()) == before


@pytest.mark.django_db
def test_a_digested_batch_leaves_the_memory_without_the_collector():
    account = make_account()
    first = make_mail("Hello\n", message_id="first@c.example")
    answer = make_mail("Again\n", message_id="second@c.example", in_reply_to="first@c.example")
    put(account, make_item(answer))
    digest_all()
    put(account, make_item(first), make_item(make_mail("Other\n")))
    gc.collect()
    gc.disable()
    try:
        digest_all()
        assert [one for one in gc.get_objects() if isinstance(one, Letter)] == []
    finally:
        gc.enable()
