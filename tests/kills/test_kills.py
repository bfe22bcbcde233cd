"""A process is killed at every named point once; the soak does it with ten seeds each (python -m tests.soak)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import killpoints
from tests.builders import make_mail
from tests.kills.matrix import plain, run_case
from tests.kills.world import Lane, open_lane


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with open_lane(tmp_path_factory.mktemp("kills")) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("import")
    for number in range(3):
        mail = make_mail(f"Imported {number}\n", subject=f"Imported {number}", message_id=f"imp-{number}@example.org")
        (folder / f"{number}.eml").write_bytes(mail)
    return folder


def test_f24_there_are_at_least_forty_points_on_fetch_digest_and_send() -> None:
    assert len(killpoints.ALL) == len(set(killpoints.ALL)) >= 40


@pytest.mark.parametrize("point", killpoints.ALL)
def test_f01_f24_f36_killed_at_a_point_and_restarted_nothing_is_lost_shown_twice_or_sent_twice(
    lane: Lane, files: Path, point: str
) -> None:
    assert run_case(lane, plain(point), files) == ""
