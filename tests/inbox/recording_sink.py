"""A search back end that only remembers what it was told, so that tests can count index writes."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.changes import MessageFacts


class RecordingSink:
    def __init__(self) -> None:
        self.messages: list[MessageFacts] = []
        self.conversations: list[int] = []

    @property
    def writes(self) -> int:
        return len(self.messages) + len(self.conversations)

    def clear(self) -> None:
        self.messages.clear()
        self.conversations.clear()

    def record(self, messages: Sequence[MessageFacts], conversations: Sequence[int]) -> None:
        self.messages += messages
        self.conversations += conversations


SINK = RecordingSink()


def sink() -> RecordingSink:
    return SINK
