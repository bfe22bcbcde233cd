"""A search back end whose server is away: what it is told is noted, and draining says that nobody answers."""

from __future__ import annotations

from typing import Any

from search.backend import Drained, SearchUnavailable


class AbsentIndex:
    name = "absent"

    def drain(self, limit: int = 500) -> Drained:
        raise SearchUnavailable("The search index does not answer.")


class _Sink:
    def record(self, messages: Any, conversations: Any) -> None:
        """Nothing is noted here: what matters is that the digest goes on."""


def sink() -> _Sink:
    return _Sink()
