from __future__ import annotations

import gc

from inbox.collector import collecting_rarely


def test_the_collector_is_as_it_was_after_the_last_batch():
    before = gc.get_threshold()
    with collecting_rarely():
        with collecting_rarely():
            assert gc.get_threshold() > before
        assert gc.get_threshold() > before
    assert gc.get_threshold() == before
