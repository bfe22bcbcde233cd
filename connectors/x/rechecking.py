"""Looking again at posts that are known: what was edited and what is gone.

https://docs.x.com/x-api/posts/lookup/introduction: up to 100 ids; whatever is not there any more stands in `errors`
(https://docs.x.com/x-api/fundamentals/response-codes-and-errors, “Partial errors”), each with the id that was asked
for. X tells of deletions in no other way on this plan, and wants deleted posts removed
(https://docs.x.com/developer-terms/policy).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.answers import Answer
from connectors.messages import Page, RawItem
from connectors.x import entries
from connectors.x.client import XClient, server_time
from connectors.x.entries import Includes, history_of, id_of, post_item, text_of
from connectors.x.fetching import rows_of_page
from connectors.x.people import Us
from connectors.x.reading import WHOLE
from connectors.x.refusals import is_missing, problems_of, words_of

BATCH = 100


def recheck(client: XClient, us: Us, external_ids: Sequence[str]) -> Iterator[Page]:
    """One page for each hundred; direct messages cannot be asked about. Raises ConnectorError between pages."""
    posts = [one for one in dict.fromkeys(external_ids) if entries.is_id(one)]
    place = 0
    while place < len(posts):
        asked = posts[place : place + BATCH]
        answer = client.look_up(asked, tweet_fields="author_id,created_at")
        told = rows_of_page(answer)
        # The budget may have let fewer through than were asked for: those that were not spoken of come next.
        spoken = {one for post in told for one in (id_of(post), *history_of(post))}
        gone, named = _gone(answer, server_time(answer))
        spoken |= named
        left = [one for one in asked if one not in spoken]
        edited = [post for post in told if len(history_of(post)) > 1]
        items = gone + (_new_versions(client, us, edited) if edited else [])
        yield Page(tuple(items))
        done = len(asked) - len(left)
        if not done:
            return
        posts[place : place + BATCH] = [*(one for one in asked if one in spoken), *left]
        place += done


def _gone(answer: Answer, now: datetime) -> tuple[list[RawItem], set[str]]:
    """(tombstones, every id that a problem names)"""
    found, named = [], set()
    for problem in problems_of(answer.object):
        own_id = id_of(problem, "resource_id") or id_of(problem, "value")
        if not own_id:
            continue
        named.add(own_id)
        if is_missing(problem) and text_of(problem, "resource_type") in {"tweet", "post", ""}:
            found.append(entries.tombstone(own_id, _sentence(words_of(problem)), now))
    return found, named


def _sentence(said: str) -> str:
    low = said.lower()
    if "suspended" in low:
        return "Its author's account was suspended by X."
    if "not authorized" in low or "permission" in low or "protected" in low:
        return "Its author no longer shows it to us."
    return "It was deleted on X."


def _new_versions(client: XClient, us: Us, edited: Sequence[Mapping[str, Any]]) -> list[RawItem]:
    """Of edited posts the newest version, whole: charged once a day, and it was just read."""
    answer = client.look_up([history_of(post)[-1] for post in edited], with_people=True, **WHOLE)
    includes, now = Includes(answer.object), server_time(answer)
    found = []
    for post in rows_of_page(answer):
        is_ours = bool(us.id) and id_of(post, "author_id") == us.id
        scope = entries.OWN if is_ours else entries.MENTIONS
        found.append(post_item(scope, post, includes, is_sent=is_ours, now=now))
    return found
