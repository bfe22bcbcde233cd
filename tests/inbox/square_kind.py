"""A square where everybody can post: a tiny platform of our own, installed by an entry point as strangers do it.

Its raw items are JSON of our own making. It names what is sent itself, tells edits by a revision, and has a rule for
everything a composer may ask.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors import registry
from connectors.base import OutcomeUnknown, Refused, RetryLater, Unsupported
from connectors.messages import (
    Address,
    Known,
    Limits,
    Listing,
    OutboundMessage,
    Outcome,
    Page,
    Parsed,
    ParsedDeletion,
    ParsedMessage,
    ParsedReach,
    Party,
    RawItem,
    Receipt,
    Recipient,
    RecipientOutcome,
    Reply,
    Scope,
    Wish,
)
from connectors.social import KindCard, Measure, Outline, Permission, Post, Price, Profile, Quoted, Standing, Visibility

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
MENTIONS, OWN = Scope("mentions"), Scope("own")
_WIDTHS = (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT)


class Square:
    kind: ClassVar[str] = "square"
    card: ClassVar[KindCard] = KindCard("Square", "S", names_sends=True)
    # The provider, in this process:
    posted: ClassVar[list[dict[str, Any]]] = []  # what was sent to it
    looked: ClassVar[list[list[str]]] = []  # what was rechecked
    changed: ClassVar[list[RawItem]] = []  # what a recheck brings
    trouble: ClassVar[Exception | None] = None  # raised by the next send, before or after it is posted
    is_late: ClassVar[bool] = False  # the trouble comes after

    def __init__(self, account: registry.AccountSettings, secrets: object) -> None:
        self._account = account

    # --- reading

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        return iter(())

    def list_ids(self, scope: Scope) -> Listing:
        raise Unsupported("The square does not list.")

    def recheck(self, external_ids: Sequence[str]) -> Iterator[Page]:
        self.looked.append(list(external_ids))
        if isinstance(self.trouble, RetryLater):
            raise self.trouble
        yield Page(tuple(self.changed))

    def parse(self, item: RawItem) -> Parsed:
        data = json.loads(item.content or b"{}")
        if "gone" in data:
            return ParsedDeletion(f"square:{data['gone']}", "Its author deleted it.")
        if "carried" in data:
            actor = Address(data["by"], "", data["by"])
            return ParsedReach(f"square:{data['carried']}", actor, data["action"], data["followers"], item.received_at)
        by = data["by"]
        author = Address(by["handle"], by["name"], by["id"])
        references = [f"square:root:{data['root']}", *([f"square:{data['parent']}"] if data["parent"] else [])]
        profile = Profile(by["handle"], by["name"], by.get("bio", ""), followers=by.get("followers"))
        quoted = data.get("quoted")
        return ParsedMessage(
            author=author,
            recipients=tuple(Recipient("to", Address(one["handle"], one["name"], one["id"])) for one in data["to"]),
            subject="",
            text=data["text"],
            visible_text=data["text"],
            written_at=datetime.fromisoformat(data["at"]),
            message_id=data["key"] if "key" in data else f"square:{data['id']}",
            in_reply_to=f"square:{data['parent']}" if data["parent"] else "",
            references=tuple(references),
            verified=True,
            post=Post(
                standing=Standing(data["standing"]),
                visibility=Visibility(data["visibility"]),
                url=f"https://square.example/{data['id']}",
                profile=profile,
                warning=data.get("warning", ""),
                quoted=Quoted(f"square:{quoted['id']}", text=quoted["text"]) if quoted else None,
                revision=data["revision"],
            ),
        )

    def identity_key(self, address: Address) -> str:
        return f"person:{address.external_id}" if address.external_id else ""

    # --- saying

    def measure(self, text: str, answers: Post | None = None) -> Measure:
        return Measure(len(text), 100, excess_at=100 if len(text) > 100 else None)

    def objections(self, outline: Outline) -> tuple[str, ...]:
        return ("The square does not allow shouting.",) if outline.text.isupper() else ()

    def permission(self, answers: Post) -> Permission:
        is_closed = answers.profile.is_protected
        return Permission(not is_closed, "Nobody may answer them." if is_closed else "")

    def price(self, outline: Outline) -> Price | None:
        return Price(1000)

    def visibilities(self, answers: Post | None) -> tuple[Visibility, ...]:
        return _WIDTHS[_WIDTHS.index(answers.visibility) :] if answers else _WIDTHS

    def new_key(self) -> str:
        return str(uuid.uuid4())

    def compose(self, reply: Reply) -> OutboundMessage:
        to = reply.to[0]
        data = {
            "key": reply.idempotency_key,
            "id": "",
            "by": {"handle": reply.sender.address, "name": "", "id": "ours"},
            "to": [{"handle": to.address, "name": to.name, "id": to.external_id}],
            "text": reply.text,
            "at": reply.written_at.isoformat(),
            "parent": reply.in_reply_to.removeprefix("square:"),
            "root": reply.references[0].removeprefix("square:root:"),
            "visibility": str(reply.visibility),
            "warning": reply.warning,
            "standing": "own",
            "revision": "",
            "alts": [one.alt for one in reply.files],
        }
        content = json.dumps(data, sort_keys=True).encode()
        return OutboundMessage(reply.idempotency_key, reply.sender.address, (to.address,), content)

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        if isinstance(self.trouble, Refused):
            raise self.trouble
        commit()
        data = json.loads(message.content)
        number = 9000 + len(self.posted)
        if self.trouble is None or self.is_late:
            self.posted.append({**data, "id": str(number)})
        if self.trouble is not None:
            raise OutcomeUnknown(str(self.trouble))
        outcomes = tuple(RecipientOutcome(one, Outcome.SENT) for one in message.recipients)
        return Receipt(outcomes, str(number), message_id=f"square:{number}")

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        data = json.loads(message.content)
        for one in self.posted:
            if one["key"] == data["key"]:
                return Receipt((), one["id"], message_id=f"square:{one['id']}")
        return None

    # --- the rest of the contract

    def check(self) -> Party:
        return Party("square")

    def limits(self) -> Limits:
        return Limits(files_sent_itself=True)

    def file_sent(self, message: OutboundMessage) -> None:
        return

    def close(self) -> None:
        return


def person(number: str, handle: str = "", name: str = "", followers: int = 10, bio: str = "") -> dict[str, Any]:
    return {
        "id": number,
        "handle": handle or number,
        "name": name or number.title(),
        "followers": followers,
        "bio": bio,
    }


OURS = person("ours", "shop", "Shop")


def post(
    number: int | str,
    text: str,
    *,
    by: dict[str, Any],
    to: Sequence[dict[str, Any]] = (OURS,),
    parent: int | str = "",
    root: int | str = "",
    at: datetime = NOW,
    visibility: str = "public",
    standing: str = "mention",
    revision: str = "",
    scope: Scope | None = None,
    **more: Any,
) -> RawItem:
    is_ours = by["id"] == "ours"
    data = {
        "id": str(number), "text": text, "by": by, "to": list(to), "parent": str(parent), "root": str(root or number),
        "at": at.isoformat(), "visibility": visibility, "standing": "own" if is_ours else standing,
        "revision": revision, **more,
    }  # fmt: skip
    where = scope or (OWN if is_ours else MENTIONS)
    return _item(where, str(number), data, at, version=revision or "0", is_sent=is_ours)


def gone(number: int | str, at: datetime = NOW + timedelta(hours=1)) -> RawItem:
    return _item(MENTIONS, str(number), {"gone": str(number)}, at, version="gone")


def carried(number: int | str, by: str, followers: int = 100, action: str = "repost", at: datetime = NOW) -> RawItem:
    data = {"carried": str(number), "by": by, "action": action, "followers": followers}
    return _item(MENTIONS, f"{number}-{by}-{action}", data, at)


def _item(
    scope: Scope, external_id: str, data: dict[str, Any], at: datetime, version: str = "0", is_sent: bool = False
) -> RawItem:
    content = json.dumps(data, sort_keys=True).encode()
    return RawItem(scope, external_id, at, len(content), content, version=version, is_sent=is_sent)
