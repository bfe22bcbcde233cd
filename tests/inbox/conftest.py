from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.inbox.recording_sink import SINK, RecordingSink


@pytest.fixture
def index(settings: Any) -> Iterator[RecordingSink]:
    """Index writes are remembered instead of made."""
    settings.SEARCH_BACKEND = "tests.inbox.recording_sink.Backend"
    SINK.clear()
    yield SINK
    SINK.clear()
