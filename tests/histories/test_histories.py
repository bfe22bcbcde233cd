"""2,000 histories of a server that does everything wrong: every mail that could be fetched is stored exactly once."""

from __future__ import annotations

import pytest

from tests.histories.runs import check_messages, run


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(1, 9))
def test_f01_f11_whatever_a_server_does_the_ledgers_agree_in_the_end(number: int) -> None:
    """250 histories each. One seed draws one run: `python -m tests.histories SEED`."""
    worlds = run(number)
    assert len(worlds) == 250
    check_messages(worlds)
