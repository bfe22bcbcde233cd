"""Made by following CONTRIBUTING.md: comments below a site's articles, read from a JSON feed, answered there.

Settings: `base_url`. Secrets: `key`. `/feed` has objects with id, by, text, at and answers, the newest first.
"""

import json
import uuid
from datetime import UTC, datetime
from hashlib import sha256

from connectors import messages as m
from connectors.base import Refused
from connectors.social import KindCard, Post
from connectors.wire import Dialect, Wire

PLACE, CAP, LONGEST = m.Scope("comments"), 2_000_000, 500


def words(data, name):
    value = data.get(name)
    return value.encode("utf-8", "replace").decode().replace("\x00", "")[:100_000] if isinstance(value, str) else ""


def moment(text):
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class FeedConnector:
    kind, card = "feed", KindCard("Comments", letter="C")

    def __init__(self, account, secrets):
        self._us = account.address
        self._wire = Wire.of(account, Dialect("The feed"), secrets.get("key", ""))

    def check(self):
        return m.Party(words(self._wire.call("GET", "/me").object, "name"), places=(PLACE.place,))

    def limits(self):
        return m.Limits(max_characters=LONGEST, max_recipients=1, files_sent_itself=True)

    def fetch(self, known, wish):
        before = known.of(PLACE.place)
        state, offset, top = dict(before.state) if before else {}, 0, ""
        for _ in range(1000):
            rows = self._wire.call("GET", "/feed", params={"from": offset, "most": wish.page_items}).rows
            fresh = [row for row in rows if words(row, "at") > state.get("newest", "")]
            top, is_last = top or words({"": "", **next(iter(rows), {})}, "at"), len(fresh) < wish.page_items
            # Only the last page may say that everything up to the newest one is here.
            yield m.Page(tuple(map(self._item, fresh)), state={PLACE: {"newest": top} if is_last and top else state})
            if is_last:
                return
            offset += len(rows)

    def _item(self, row):
        content, at = json.dumps(row, sort_keys=True).encode(), moment(words(row, "at"))
        is_ours = words(row, "by") == self._us
        return m.RawItem(PLACE, words(row, "id"), at or datetime.now(UTC), len(content), content, is_sent=is_ours)

    def list_ids(self, scope):
        return m.Listing(())

    def parse(self, item):
        content = (item.content or b"")[: CAP + 1]
        try:
            data = json.loads(content) if len(content) <= CAP else None
        except (ValueError, RecursionError):
            data = None
        row, digest = data if isinstance(data, dict) else {}, sha256(content).hexdigest()
        text, by, to, parent = (words(row, name) for name in ("text", "by", "to", "answers"))
        return m.ParsedMessage(
            author=m.Address(by, external_id=by),
            recipients=(m.Recipient("to", m.Address(to or self._us, external_id=to or self._us)),),
            subject="",
            text=text,
            visible_text=text,
            verified=True,
            post=Post(),
            written_at=moment(words(row, "at")),
            message_id=item.external_id if item.scope != PLACE else f"feed:{item.external_id}",
            in_reply_to=f"feed:{parent}" if parent else "",
            references=(f"feed:{parent}",) if parent else (),
            flags=() if by else (m.Flag.UNREADABLE,),
            **dict.fromkeys(("stable_sha256", "raw_sha256"), digest),
        )

    def identity_key(self, address):
        return address.external_id or address.address

    def new_key(self):
        return uuid.uuid4().hex

    def compose(self, reply):
        if len(reply.text) > LONGEST or reply.files or len(reply.to) != 1:
            raise Refused(f"A comment is one text of at most {LONGEST} characters, without files.")
        to, parent = reply.to[0].address, reply.in_reply_to.removeprefix("feed:")
        body = {"key": reply.idempotency_key, "by": self._us, "to": to, "text": reply.text, "answers": parent}
        content = json.dumps({**body, "at": reply.written_at.isoformat()}).encode()
        return m.OutboundMessage(reply.idempotency_key, self._us, (to,), content)

    def send(self, message, commit):
        body = json.loads(message.content)
        return self._receipt(message, self._wire.create("POST", "/comments", commit, json=body).object)

    def _receipt(self, message, made):
        (to,), id_ = message.recipients, words(made, "id")
        return m.Receipt((m.RecipientOutcome(to, m.Outcome.SENT),), id_, message_id=f"feed:{id_}")

    def find_sent(self, message):
        rows = self._wire.call("GET", "/feed", params={"from": 0, "most": 200}).rows
        return next((self._receipt(message, one) for one in rows if one.get("key") == message.idempotency_key), None)

    def file_sent(self, message):
        return

    def close(self):
        self._wire.close()
