"""The job that tells in which language received messages are written: after the digest, and never in its way."""

from __future__ import annotations

import logging
import threading
import time

from inbox import languages
from inbox.languages import Waiting
from inbox.models import RawItem
from inbox.rules.languages import Guess, by_script, settle
from inbox.transactions import retried
from workers import polyglot
from workers.clock import utc_now

log = logging.getLogger(__name__)

_AMONG_MAIL = 100  # at once while mail waits to be digested: the newest, and the digest goes first
_PAUSE_AFTER_FAULT = 600.0

_busy = threading.Lock()
_not_before = 0.0


def tell(limit: int = 500) -> int:
    """Tells the language of a batch of messages; how many. 0 too when that is enough for now."""
    global _not_before
    if time.monotonic() < _not_before or not _busy.acquire(blocking=False):
        return 0
    try:
        return _tell(limit)
    except polyglot.Unavailable as problem:
        # The messages wait: what the classifier lacks, it lacks for all of them.
        _not_before = time.monotonic() + _PAUSE_AFTER_FAULT
        log.warning("languages are not told for now: %s", problem)
        return 0
    finally:
        _busy.release()


def _tell(limit: int) -> int:
    is_digest_busy = RawItem.objects.filter(due_at__lte=utc_now()).exists()
    due = languages.find_due(min(limit, _AMONG_MAIL) if is_digest_busy else limit)
    if not due:
        return 0
    guesses = guess(due)
    retried(lambda: languages.put(guesses))
    return 0 if is_digest_busy else len(due)


def guess(waiting: list[Waiting]) -> dict[int, Guess]:
    """By the letters where they say it, else by the classifier, which is started for nothing less."""
    found: dict[int, Guess] = {}
    asked: list[Waiting] = []
    for one in waiting:
        by_letters = by_script(one.words)
        if by_letters is None:
            asked.append(one)
        else:
            found[one.id] = by_letters
    if asked:
        for one, ranking in zip(asked, polyglot.rank([one.words for one in asked]), strict=True):
            found[one.id] = settle(one.words, ranking)
    return found
