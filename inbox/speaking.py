"""What a platform's rules say about an answer while it is being written: length, refusals, permission, price, readers.

    outline(conversation_id, account, text=…, …) → Spoken, or None where a kind has no such rules (mail)

The rules are the connector's (connectors.base.Speaks); here they meet the answered message's row. Nothing is written
and nothing is asked over the network, so a page may call it with every pause in typing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from connectors.base import Connector, Speaks
from connectors.social import Measure, Outline, OutlinedFile, Permission, Post, Price, Visibility, post_of
from inbox.accounts import bare_connector
from inbox.answering import answered_message
from inbox.models import Account, Conversation, Message
from inbox.rules.exposure import Exposure, find_exposed

MAX_LOOKED_AT = 60  # the customer's newest messages, compared with what would be public
_FOR_EVERYBODY = (Visibility.PUBLIC, Visibility.UNLISTED)


@dataclass(frozen=True, slots=True)
class Spoken:
    """`visibility` and `warning` are as the answer would leave: chosen, or else proposed."""

    answers: Post | None
    measure: Measure
    objections: tuple[str, ...]  # what the platform would refuse, one sentence each
    permission: Permission
    price: Price | None
    visibilities: tuple[Visibility, ...]  # what it may be, the proposed one first
    visibility: Visibility | None
    warning: str
    exposed: tuple[Exposure, ...] = ()  # what everybody would read of a person

    @property
    def is_public(self) -> bool:
        return self.visibility in _FOR_EVERYBODY


def outline(
    conversation_id: int,
    account: Account,
    *,
    text: str,
    seen_message: int = 0,
    visibility: str = "",
    warning: str | None = None,
    files: Sequence[OutlinedFile] = (),
) -> Spoken | None:
    """What stands in the composer, judged. "" and None mean: as the connector proposes.

    The answered message is the one that a reply queued with the same `seen_message` would answer.
    """
    connector = bare_connector(account)
    if not isinstance(connector, Speaks):
        return None
    answered = answered_message(conversation_id, seen_message)
    return speak(conversation_id, connector, answered, text, visibility, warning, files)


def speak(
    conversation_id: int,
    connector: Connector,
    answered: Message | None,
    text: str,
    visibility: str = "",
    warning: str | None = None,
    files: Sequence[OutlinedFile] = (),
) -> Spoken | None:
    """The same for who has looked up the answered message already."""
    if not isinstance(connector, Speaks):
        return None
    answers = post_answered(answered)
    choices = connector.visibilities(answers)
    chosen = read_visibility(visibility) or next(iter(choices), None)
    wanted = warning if warning is not None else answers.warning if answers else ""
    draft = Outline(text, answers, chosen, wanted, tuple(files))
    is_public = chosen in _FOR_EVERYBODY
    leaving = _as_it_leaves(answers, chosen)
    return Spoken(
        answers=answers,
        measure=connector.measure(text, leaving),
        objections=connector.objections(draft),
        permission=_permission(connector, answered, leaving),
        price=connector.price(draft),
        visibilities=choices,
        visibility=chosen,
        warning=wanted,
        exposed=_exposed(conversation_id, text) if is_public and text else (),
    )


def _permission(connector: Speaks, answered: Message | None, leaving: Post | None) -> Permission:
    post = getattr(answered, "post", None)
    if post is not None and post.deleted_at is not None:
        return Permission(False, _("Its author has deleted the post that this would answer."))
    return connector.permission(leaving) if leaving else Permission(None)


def _as_it_leaves(answers: Post | None, chosen: Visibility | None) -> Post | None:
    """A public post that is answered in private is answered by a direct message, which has a length of its own, and
    is allowed where a public answer may not be."""
    if answers is None or chosen is not Visibility.DIRECT:
        return answers
    return replace(answers, visibility=Visibility.DIRECT)


def post_answered(answered: Message | None) -> Post | None:
    """What the answered message's row keeps of it as a post."""
    kept = (answered.enclosed or {}).get("post") if answered else None
    return post_of(kept) if kept else None


def read_visibility(word: str) -> Visibility | None:
    return Visibility(word) if word in set(Visibility) else None


def _exposed(conversation_id: int, text: str) -> tuple[Exposure, ...]:
    """Against what the customer and we have written elsewhere: in private, or for everybody to read."""
    customer = Conversation.objects.filter(id=conversation_id).values("customer_id")
    of_customer = Conversation.objects.filter(customer_id__in=customer).values("id")
    rows = (
        Message.objects.filter(strand__links__conversation_id__in=of_customer, strand__links__ended_at=None)
        .exclude(direction="note")
        .order_by("-id")
        .values_list("text", "post__visibility")[:MAX_LOOKED_AT]
    )
    public = [words for words, seen_by in rows if seen_by in _FOR_EVERYBODY]
    if "@" in text:  # where customers write to us is no secret of theirs
        public += Account.objects.filter(removed_at=None).values_list("address", flat=True)
    private = [words for words, seen_by in rows if seen_by not in _FOR_EVERYBODY]
    return find_exposed(text, private, public)
