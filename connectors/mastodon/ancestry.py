"""What stands above a post: the answers of a server name only its own id of the parent, and threads are made of uris.

GET /api/v1/statuses/:id/context (https://docs.joinmastodon.org/methods/statuses/#context) gives all ancestors of one
post; where many are asked for at once, their parents are fetched twenty at a time instead
(https://docs.joinmastodon.org/methods/statuses/#index, from 4.3 on). What was seen once is not asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Refused
from connectors.mastodon.instance import Instance
from connectors.mastodon.people import brief
from connectors.mastodon.values import ident, part, rows, text
from connectors.wire import Wire

MOST_ABOVE = 40  # the oldest one and those next to the post
BATCH = 20
_MANY = 8
_LEVELS = 6
_REMEMBERED = 5000
CONTEXT = "GET /api/v1/statuses/:id/context"
INDEX = "GET /api/v1/statuses"
ACCOUNT = "GET /api/v1/accounts/:id"


class Ancestry:
    def __init__(self, wire: Wire, instance: Instance) -> None:
        self._wire = wire
        self._has_many = instance.has_many
        self._known: dict[str, dict[str, Any]] = {}  # status id → what is needed of it
        self._people: dict[str, dict[str, Any]] = {}
        self._asked: set[str] = set()  # ids whose context was asked for, or that are not to be had

    def learn(self, statuses: Sequence[Mapping[str, Any]]) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
            self._asked.clear()
        for one in statuses:
            own = ident(one)
            if not own:
                continue
            account = brief(part(one, "account"))
            self._known[own] = {
                "id": own,
                "uri": text(one, "uri", 2000) or text(one, "url", 2000),
                "above": ident(one, "in_reply_to_id"),
                "account": account,
            }
            if account.get("uri") or account.get("url"):
                self._people[ident(account)] = account

    def resolve(self, statuses: Sequence[Mapping[str, Any]]) -> None:
        """Asks for what is missing above these. Raises RetryLater, AuthFailed; a post that is gone ends a chain."""
        self.learn(statuses)
        open_ids = self._open(statuses)
        for _ in range(_LEVELS):
            if not self._has_many or len(open_ids) <= _MANY:
                break
            self._fetch_many(sorted(set(open_ids.values())))
            open_ids = self._open(statuses)
        for status_id in open_ids:
            self._fetch_context(status_id)

    def _open(self, statuses: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Status id → the first id above it of which nothing is known."""
        found = {}
        for one in statuses:
            missing = self._climb(ident(one))[1]
            if missing and missing not in self._asked and ident(one) not in self._asked:
                found[ident(one)] = missing
        return found

    def _climb(self, status_id: str) -> tuple[list[dict[str, Any]], str]:
        """What is known above a post, nearest first, and the id at which knowledge ends ("": at the top)."""
        chain: list[dict[str, Any]] = []
        seen = {status_id}
        above = self._known.get(status_id, {}).get("above", "")
        while above and above not in seen and len(chain) < 1000:
            seen.add(above)
            one = self._known.get(above)
            if one is None:
                return chain, above
            chain.append(one)
            above = one["above"]
        return chain, ""

    def _fetch_many(self, ids: list[str]) -> None:
        for start in range(0, len(ids), BATCH):
            wanted = ids[start : start + BATCH]
            try:
                answer = self._wire.call(
                    "GET", "/api/v1/statuses", params=[("id[]", one) for one in wanted], endpoint=INDEX
                )
            except Refused:
                self._has_many = False
                return
            self.learn(answer.rows)
            self._asked.update(set(wanted) - {ident(one) for one in answer.rows})

    def _fetch_context(self, status_id: str) -> None:
        self._asked.add(status_id)
        try:
            answer = self._wire.call("GET", f"/api/v1/statuses/{status_id}/context", endpoint=CONTEXT)
        except Refused:
            return
        above = rows(answer.object, "ancestors", 5000)
        self.learn(above)
        self.learn([one for one in rows(answer.object, "descendants", 5000) if ident(one) not in self._known])

    def above(self, status: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Oldest first, at most MOST_ABOVE; empty when not even the parent is known."""
        chain = self._climb(ident(status))[0][::-1]
        if len(chain) > MOST_ABOVE:
            chain = [chain[0], *chain[-MOST_ABOVE + 1 :]]
        return [{name: one[name] for name in ("id", "uri", "account")} for one in chain]

    def person(self, account_id: str) -> dict[str, Any]:
        """https://docs.joinmastodon.org/methods/accounts/#get; an empty one for whom the server does not show."""
        if account_id and account_id not in self._people:
            try:
                found = self._wire.call("GET", f"/api/v1/accounts/{account_id}", endpoint=ACCOUNT).object
            except Refused:
                found = {}
            self._people[account_id] = brief(found)
        return self._people.get(account_id, {})
