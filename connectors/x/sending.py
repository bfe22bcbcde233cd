"""Posting, answering, writing direct messages; and finding out what became of one.

https://docs.x.com/x-api/posts/create-post, https://docs.x.com/x-api/direct-messages/manage/integrate. X has no
idempotency key: it refuses the same words twice (403), and our own timeline tells what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answers import Answer
from connectors.base import ConnectorError, OutcomeUnknown, Refused
from connectors.messages import OutboundMessage, Outcome, Receipt, RecipientOutcome
from connectors.x.client import Cost, XClient, server_time
from connectors.x.entries import history_of, id_of, part_of, reference_of, referenced_id, time_of
from connectors.x.fetching import rows_of_page
from connectors.x.frozen import Frozen, thaw
from connectors.x.links import has_link
from connectors.x.people import Us
from connectors.x.refusals import is_duplicate
from connectors.x.uploads import upload
from connectors.x.wording import comparable, words_of

_LEEWAY = timedelta(seconds=5)  # X dates by whole seconds, and the two clocks are compared by a header of that kind
_LOOKED_AT = 100


def send(client: XClient, us: Us, message: OutboundMessage, commit: Callable[[], None], *, owned: str) -> Receipt:
    frozen = _thawed(message)
    media = [upload(client, one, private=frozen.is_direct) for one in frozen.files]
    if frozen.is_direct:
        return _send_direct(client, frozen, media, commit)
    resource = "post.create-with-link" if has_link(frozen.text) else "post.create"
    try:
        answer = client.create(commit, resource, "POST /2/tweets", lambda: _post(client, frozen, media))
    except ConnectorError:
        if client.refused is None or not is_duplicate(client.refused):
            raise
        return _adopted(client, us, message, owned)
    data = part_of(answer.object, "data")
    own_id = id_of(data)
    if not own_id:
        raise OutcomeUnknown("X answered without saying what it posted. Whether it was posted is being found out.")
    return _receipt(message, own_id, reference_of(own_id))


def _post(client: XClient, frozen: Frozen, media: list[str]) -> Answer:
    body: dict[str, Any] = {"text": frozen.text}
    if frozen.answers_id:
        body["in_reply_to_tweet_id"] = frozen.answers_id
    if media:
        body["media_ids"] = media
    return client.call("create_tweet", **body)


def _send_direct(client: XClient, frozen: Frozen, media: list[str], commit: Callable[[], None]) -> Receipt:
    body: dict[str, Any] = {"text": frozen.text} if frozen.text else {}
    if media:
        body["media_id"] = media[0]
    if frozen.conversation:
        body["dm_conversation_id"] = frozen.conversation
        endpoint = "POST /2/dm_conversations/:dm_conversation_id/messages"
    else:
        body["participant_id"] = frozen.participant
        endpoint = "POST /2/dm_conversations/with/:participant_id/messages"
    answer = client.create(commit, "dm.create", endpoint, lambda: client.call("create_direct_message", **body))
    event_id = id_of(part_of(answer.object, "data"), "dm_event_id")
    if not event_id:
        raise OutcomeUnknown("X answered without saying what it sent. Whether it was sent is being found out.")
    recipients = (frozen.to.address,) if frozen.to.address else ()
    return _receipt_for(recipients, event_id, f"x:dm:{event_id}")


def _adopted(client: XClient, us: Us, message: OutboundMessage, owned: str) -> Receipt:
    """X says that these words are there already: that may have been this very message, whose answer was lost."""
    try:
        found = find_sent(client, us, message, owned=owned)
    except ConnectorError:
        raise OutcomeUnknown(
            "X says that the same words are posted already. Whether that was this answer is being found out."
        ) from None
    if found is None:
        raise Refused("X refuses this: the same words were posted a moment ago. Say it in other words.")
    return found


def find_sent(client: XClient, us: Us, message: OutboundMessage, *, owned: str) -> Receipt | None:
    """The oldest entry of ours with the same words under the same parent, made since the message was written."""
    frozen = _thawed(message)
    if frozen.is_direct:
        return _find_direct(client, us, message, frozen)
    answer = client.read(
        "get_users_tweets",
        us.id,
        cost=Cost(owned),
        most=_LOOKED_AT,
        least=5,
        exclude="retweets",
        tweet_fields="created_at,entities,note_tweet,referenced_tweets,attachments",
    )
    since = _written_at_server(frozen, answer)
    for post in reversed(rows_of_page(answer)):
        same_parent = referenced_id(post, "replied_to") in {frozen.answers_id, frozen.answers_first}
        if same_parent and _is_same(post, frozen, since):
            first = history_of(post)[0]
            return _receipt(message, first, reference_of(first))
    return None


def _find_direct(client: XClient, us: Us, message: OutboundMessage, frozen: Frozen) -> Receipt | None:
    where = (
        {"dm_conversation_id": frozen.conversation} if frozen.conversation else {"participant_id": frozen.participant}
    )
    answer = client.read(
        "get_direct_message_events",
        cost=Cost("dm.read"),
        most=20,
        least=1,
        event_types="MessageCreate",
        dm_event_fields="created_at,sender_id,text,entities,attachments",
        **where,
    )
    since = _written_at_server(frozen, answer)
    for event in reversed(rows_of_page(answer)):
        if id_of(event, "sender_id") == us.id and _is_same(event, frozen, since):
            return _receipt(message, id_of(event), f"x:dm:{id_of(event)}")
    return None


def _is_same(entry: Mapping[str, Any], frozen: Frozen, since: datetime) -> bool:
    made = time_of(entry)
    has_media = bool(part_of(entry, "attachments").get("media_keys"))
    return (
        made is not None
        and made >= since
        and has_media == bool(frozen.files)
        and comparable(words_of(entry)) == comparable(frozen.text)
    )


def _written_at_server(frozen: Frozen, answer: Answer) -> datetime:
    """When the message was written, by X's clock."""
    written = frozen.written_at or datetime.now(UTC)
    return written + (server_time(answer) - datetime.now(UTC)) - _LEEWAY


def _thawed(message: OutboundMessage) -> Frozen:
    frozen = thaw(message.content)
    if frozen is None:
        raise Refused("These are no bytes that were prepared for X.")
    return frozen


def _receipt(message: OutboundMessage, external_id: str, message_id: str) -> Receipt:
    return _receipt_for(message.recipients, external_id, message_id)


def _receipt_for(recipients: tuple[str, ...], external_id: str, message_id: str) -> Receipt:
    outcomes = tuple(RecipientOutcome(one, Outcome.SENT) for one in recipients)
    return Receipt(outcomes, external_id, "", message_id)
