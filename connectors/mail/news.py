"""The newest mail of a folder that was quiet, brought before anything else: one question, no listing.

Nothing rests on it. What it brings is what was asked for by number in the folder as it was opened; what it does not
bring, or brings in an odd shape, the walk over the folder finds and judges as always.
"""

from __future__ import annotations

from connectors.mail.imap import ImapSession
from connectors.mail.literals import Fetched
from connectors.messages import RawItem, Scope

AT_ONCE = 10
_FIRST_PIECE = 16 * 1024
_LARGEST = 256 * 1024  # the rest of larger mail is not asked for here, so its first piece is a small waste


def bring_news(session: ImapSession, scope: Scope, uid_next: int, is_sent: bool) -> list[RawItem]:
    """Mails numbered `uid_next` and the few after it. Raises ConnectionLost."""
    doing = "reading the newest mail"
    last = uid_next + AT_ONCE - 1
    question = b"UID FETCH %d:%d (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.%d>)" % (uid_next, last, _FIRST_PIECE)
    answer = session.answer(session.ask([question], doing)[0], doing)
    if answer.status != "OK":
        return []
    heads = [one for one in answer.fetched if uid_next <= one.uid <= last and one.received_at and one.content]
    rests = _rests(session, [one for one in heads if _FIRST_PIECE < (one.size or 0) <= _LARGEST], doing)
    items = []
    for head in heads:
        content = (head.content or b"") + rests.get(head.uid, b"")
        if len(content) == head.size and head.received_at:
            items.append(RawItem(scope, str(head.uid), head.received_at, len(content), content, is_sent=is_sent))
    return items


def _rests(session: ImapSession, heads: list[Fetched], doing: str) -> dict[int, bytes]:
    """What follows the first pieces, by UID."""
    questions = [
        b"UID FETCH %d (UID BODY.PEEK[]<%d.%d>)" % (head.uid, _FIRST_PIECE, (head.size or 0) - _FIRST_PIECE)
        for head in heads
    ]
    found = {}
    for tag in session.ask(questions, doing) if questions else []:
        for one in session.answer(tag, doing, _LARGEST).fetched:
            if one.content and one.origin == _FIRST_PIECE:
                found[one.uid] = one.content
    return found
