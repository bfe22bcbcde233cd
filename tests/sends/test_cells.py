from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kills.world import Lane, fresh_home, open_lane
from tests.sends.table import CELLS, judge
from tests.servers.faulty_smtp import Fault, Phase


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with open_lane(tmp_path_factory.mktemp("cells")) as opened:
        yield opened


@pytest.mark.parametrize(("phase", "fault"), CELLS)
def test_f33_f34_each_phase_and_fault_ends_in_a_state_with_its_sentence_and_never_sends_twice(
    lane: Lane, phase: Phase, fault: Fault
) -> None:
    with fresh_home(lane) as home:
        done = lane.ask(home, "tests.sends.cells:run_cell", phase=phase, fault=fault, seed=0)
        assert done["code"] == 0, (home / "log").read_text()[-3000:]
    assert judge(phase, fault, done["found"]) == []
