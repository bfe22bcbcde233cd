"""What one account reads: notifications, its own posts, and posts that are looked at again.

GET /api/v1/notifications (https://docs.joinmastodon.org/methods/notifications/#get), GET /api/v1/accounts/:id/statuses
(https://docs.joinmastodon.org/methods/accounts/#statuses), GET /api/v1/statuses/:id and GET /api/v1/statuses
(https://docs.joinmastodon.org/methods/statuses/#get, #index). Types of notifications are chosen here and not asked for:
servers refuse types that they do not know, and each knows others. Direct messages come as mentions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.base import Refused
from connectors.mastodon.ancestry import BATCH, INDEX, Ancestry
from connectors.mastodon.fetching import Row, Source, Walk
from connectors.mastodon.instance import Instance
from connectors.mastodon.parse import LIKES, REPOSTS, reference_of, version_of
from connectors.mastodon.people import Us
from connectors.mastodon.values import canonical, ident, moment, part, rows, text
from connectors.messages import KnownScope, Page, RawItem, Scope, Wish
from connectors.wire import Wire

MENTIONS, OWN = Scope("mentions"), Scope("own")
NOTIFICATIONS = "GET /api/v1/notifications"
STATUSES = "GET /api/v1/accounts/:id/statuses"
STATUS = "GET /api/v1/statuses/:id"
GONE = "gone"
_SPOKEN = frozenset({"mention", "quote", "update"})
_LEFT_OUT = ("follow", "follow_request")  # known everywhere, and of use to nobody here
_ID_LENGTH = 200  # of an external id


class Reader:
    def __init__(self, wire: Wire, us: Us, instance: Instance, since: datetime | None = None) -> None:
        self._wire = wire
        self._us = us
        self._instance = instance
        self._since = since
        self._ancestry = Ancestry(wire, instance)

    def mentions(self, known: KnownScope | None, wish: Wish, now: datetime) -> Iterator[Page]:
        params = [("exclude_types[]", one) for one in _LEFT_OUT]
        if self._instance.has_filtered:
            # What the owner's policy files away as suspicious is, for a desk, most of its customers.
            params.append(("include_filtered", "true"))
        source = Source(
            MENTIONS,
            "/api/v1/notifications",
            NOTIFICATIONS,
            tuple(params),
            80,
            self._of_notifications,
            lambda row: version_of(part(row, "status")),
            self._since,
        )
        return Walk(self._wire, source, known, wish, now).pages()

    def own(self, known: KnownScope | None, wish: Wish, now: datetime) -> Iterator[Page]:
        path = f"/api/v1/accounts/{self._us.id}/statuses"
        params = (("exclude_reblogs", "true"),)
        source = Source(OWN, path, STATUSES, params, 40, self._of_own, version_of, self._since)
        return Walk(self._wire, source, known, wish, now).pages()

    def _of_notifications(self, found: list[Row]) -> list[RawItem]:
        spoken = [one for one in found if text(one, "type", 60) in _SPOKEN and ident(part(one, "status"))]
        self._ancestry.resolve([part(one, "status") for one in spoken])
        items = []
        for one in found:
            kind, status = text(one, "type", 60), part(one, "status")
            if not ident(status):
                continue  # what it spoke of is gone already
            if kind in REPOSTS | LIKES:
                items.append(self._item(MENTIONS, f"notification {ident(one)}", "0", one, {"notification": one}))
            elif kind in _SPOKEN:
                items.append(self._of_status(MENTIONS, status, {"notification": one}))
        return items

    def _of_own(self, found: list[Row]) -> list[RawItem]:
        found = [one for one in found if not part(one, "reblog")]
        self._ancestry.resolve(found)
        return [self._of_status(OWN, one, {"status": one}) for one in found]

    def _of_status(self, scope: Scope, status: Row, holds: Mapping[str, Any]) -> RawItem:
        above = self._ancestry.above(status)
        whole: dict[str, Any] = {**holds, "ancestors": above}
        if ident(part(status, "account")) == self._us.id:
            whole["people"] = self._people(status, above)
        return self._item(scope, external_id(status, self._us), version_of(status), status, whole)

    def _people(self, status: Row, above: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Whom our own post speaks to, where it does not say it in full."""
        answered = ident(status, "in_reply_to_account_id")
        if not answered or answered == self._us.id:
            answered = next((ident(one) for one in rows(status, "mentions") if ident(one) != self._us.id), "")
        if not answered or any(ident(part(one, "account")) == answered for one in above):
            return {}
        found = self._ancestry.person(answered)
        return {answered: found} if found else {}

    def _item(self, scope: Scope, key: str, version: str, row: Row, holds: Mapping[str, Any]) -> RawItem:
        content = canonical({**holds, "us": self._us.plain()})
        at = moment(row, "created_at") or datetime.now(UTC)
        return RawItem(scope, key, at, len(content), content, version=version, is_sent=scope == OWN)

    # --- Again ------------------------------------------------------------------------------------------------------

    def recheck(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """Twenty at a time where the server can; what is missing then is asked for alone before it counts as gone."""
        wanted = {one.partition(" ")[0]: one for one in external_ids if not one.startswith("notification ")}
        ids = [one for one in wanted if ident({"id": one})]
        for start in range(0, len(ids), BATCH):
            found: dict[str, Row] = {}
            group = ids[start : start + BATCH]
            if self._instance.has_many and len(group) > 1:
                found = self._many(group)
            items = []
            for one in group:
                status = found.get(one) or self._one(one)
                if status is None:
                    items.append(self._gone(wanted[one]))
                elif version_of(status) != "0":
                    self._ancestry.resolve([status])
                    scope = OWN if ident(part(status, "account")) == self._us.id else MENTIONS
                    items.append(self._of_status(scope, status, {"status": status}))
            if items:
                yield Page(tuple(items))

    def _many(self, ids: list[str]) -> dict[str, Row]:
        try:
            answer = self._wire.call("GET", "/api/v1/statuses", params=[("id[]", one) for one in ids], endpoint=INDEX)
        except Refused:
            return {}
        return {ident(one): one for one in answer.rows if ident(one) in ids}

    def _one(self, status_id: str) -> Row | None:
        answer = self._wire.call("GET", f"/api/v1/statuses/{status_id}", endpoint=STATUS, takes={404, 410})
        return answer.object if answer.status < 400 and ident(answer.object) else None

    def _gone(self, key: str) -> RawItem:
        uri = key.partition(" ")[2]
        own = [one for one in (self._us.uri, f"https://{self._us.domain}/") if len(one) > 9]
        scope = OWN if any(uri.startswith(one) for one in own) else MENTIONS
        sentence = "It was deleted, or is no longer shown to us."
        content = canonical({"gone": uri, "sentence": sentence, "us": self._us.plain()})
        return RawItem(scope, key, datetime.now(UTC), len(content), content, version=GONE, is_sent=scope == OWN)


def external_id(status: Row, us: Us) -> str:
    """The server's id, by which a post is looked at again, and the name in the network, by which it is known here."""
    whole = f"{ident(status)} {reference_of(status, us)}"
    return whole if len(whole) <= _ID_LENGTH else ident(status)
