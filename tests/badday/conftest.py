from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.badday.day import Day, new_day
from tests.kills.world import Lane, open_lane
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.recording_smtp import RecordingSmtp, running_recording_smtp


@pytest.fixture(scope="package")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with open_lane(tmp_path_factory.mktemp("badday")) as opened:
        yield opened


@pytest.fixture
def day(lane: Lane) -> Iterator[Day]:
    with new_day(lane) as begun:
        yield begun


@pytest.fixture(scope="package")
def smtp() -> Iterator[RecordingSmtp]:
    with running_recording_smtp() as server:
        yield server


@pytest.fixture(scope="package")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


_users = iter(range(10_000))


@pytest.fixture
def user() -> str:
    """A mailbox of its own in the shared Dovecot."""
    return f"u{next(_users)}@tasbora.example"
