"""What a search back end is. Settings choose one; nothing outside search/ knows which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from inbox.changes import ChangeSink
from search.models import IndexAudit
from search.query import Query

LIMIT = 200  # hits of one page


class SearchUnavailable(Exception):
    """The index cannot be asked now. The text is a sentence for the person who searched."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the original text, and the (start, end) ranges in it that answer the query. Never HTML."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    message: int
    conversation: int
    customer: int
    subject: str
    author: str
    direction: str
    passage: Passage
    sent_at: datetime
    score: float | None = None  # null while hits are ordered by time


@dataclass(frozen=True, slots=True)
class Hits:
    """Newest first. `next` asks for what follows; None: there is no more. `notice`: what the person should know."""

    hits: list[Hit] = field(default_factory=list)
    next: str | None = None
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """Differences between the rows and the index: not indexed, indexed in an older form, indexed without a row."""

    missing: int = 0
    stale: int = 0
    extra: int = 0

    @property
    def total(self) -> int:
        return self.missing + self.stale + self.extra


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """`drift` as the last audit found it; None: never audited."""

    backend: str
    pending: int
    oldest_seconds: int | None
    drift: int | None


@dataclass(frozen=True, slots=True)
class Drained:
    """`is_done`: nothing is left that could be indexed now."""

    indexed: int = 0
    failed: int = 0
    is_done: bool = True


class SearchBackend(Protocol):
    name: str

    def search(
        self, query: Query | str, *, accounts: set[int] | None, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        """Messages that answer `query`, newest first, of conversations that readers of `accounts` (None: all) may
        read. A cursor that was not made here starts at the top. Raises SearchUnavailable."""
        ...

    def index(self, messages: Iterable[int]) -> int:
        """Indexes messages from their current rows and forgets those whose rows are gone. Returns how many."""
        ...

    def drain(self, limit: int = 500) -> Drained:
        """Indexes what waits, up to `limit`; outside any transaction. Where a message is indexed by its own
        transaction hardly anything ever waits. Raises SearchUnavailable; what waits then goes on waiting."""
        ...

    def check(self) -> list[str]:
        """Sentences that say what is wrong and how to mend it; [] when all is well."""
        ...

    def status(self, now: datetime) -> IndexStatus: ...

    def drift(self) -> Drift:
        """Compares every row with the index, and remembers the outcome for `status`."""
        ...

    def repair(self) -> Drift:
        """Mends what `drift` would find; returns what it found."""
        ...

    def rebuild(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Indexes everything anew while search goes on; returns the number of messages."""
        ...


@cache
def get_backend(path: str | None = None) -> SearchBackend:
    return cast(SearchBackend, import_string(path or settings.SEARCH_BACKEND)())


@cache
def get_sink(path: str | None = None) -> ChangeSink:
    """What the transaction that changes messages tells of it: the `sink()` of the back end's module."""
    module = import_module((path or settings.SEARCH_BACKEND).rpartition(".")[0])
    return cast(ChangeSink, module.sink())


def remember(drift: Drift) -> None:
    fields = {"at": timezone.now(), "missing": drift.missing, "stale": drift.stale, "extra": drift.extra}
    IndexAudit.objects.update_or_create(id=1, defaults=fields)


def remembered() -> int | None:
    """What the last audit found; None when there was none."""
    audit = IndexAudit.objects.filter(id=1).first()
    return audit.missing + audit.stale + audit.extra if audit else None


def chunks(values: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (values[at : at + size] for at in range(0, len(values), size))
