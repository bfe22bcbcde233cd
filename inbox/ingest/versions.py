"""One post, several versions: the newest is shown, the others are kept, whatever the order in which they came."""

from __future__ import annotations

from dataclasses import replace

from inbox.ingest.echoes import same_words
from inbox.ingest.letters import Letter


def revision_order(revision: str) -> tuple[int, int, str]:
    """None comes before any; numbers by their value, everything else (such as times in RFC 3339) by its letters."""
    return (bool(revision), len(revision) if revision.isdecimal() else 0, revision)


def take_version(letter: Letter, draft: Letter) -> None:
    """`draft` is a sighting of the same post: what it says replaces what is shown, or is kept beside it."""
    newer = revision_order(draft.revision) > revision_order(letter.revision)
    if letter.is_frozen_send and letter.current is None and not _is_edit(letter, draft, newer):
        _take_facts(letter, draft)
    elif draft.revision == letter.revision:
        return
    elif not newer:
        letter.older.append(draft)
    elif letter.is_new:
        letter.older.append(replace(letter, older=[]))
        letter.parsed, letter.passages = draft.parsed, draft.passages
        _show(letter, draft)
    else:
        if letter.current is None or letter.current.keeps_words:
            letter.is_archived = True
        else:
            letter.older.append(letter.current)
        letter.current = draft
        _show(letter, draft)


def _is_edit(letter: Letter, draft: Letter, newer: bool) -> bool:
    """Of what we sent ourselves: platforms write the very same words a little otherwise."""
    assert draft.parsed is not None
    return newer and same_words(letter.preview)[:200] != same_words(draft.preview)[:200]


def _take_facts(letter: Letter, draft: Letter) -> None:
    """What the platform made of what we sent (its address, ids); our own words stay."""
    draft.keeps_words = True
    letter.current, letter.revision = draft, max(letter.revision, draft.revision, key=revision_order)


def _show(letter: Letter, draft: Letter) -> None:
    letter.revision, letter.preview, letter.language = draft.revision, draft.preview, draft.language
    letter.followers = draft.followers
    if letter.flags != draft.flags and not letter.is_frozen_send:
        letter.flags, letter.is_changed = draft.flags, not letter.is_new
