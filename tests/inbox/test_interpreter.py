from __future__ import annotations

import gc
import sys

import pytest

from inbox.interpreter import tuned_for_batches


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
