"""From what an agent wrote to frozen bytes in the outbox, and back while there is still time.

    propose → queue_reply → (undo time) → outbox … sent
                         ↘ undo_send                unknown → confirm_arrived | send_again
                                                    failed  → send_again | give_up

The bytes are made before the transaction; inside it the gates look again at what could have changed meanwhile. A
request id makes a double click, a repeated post and ten of them at once one reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from connectors.base import Connector
from connectors.messages import Address, OutboundFile
from connectors.registry import card_of
from connectors.social import OutlinedFile
from inbox import people, sending
from inbox.accounts import bare_connector
from inbox.acts import Desk, Refusal, read_token, take_back
from inbox.answering import answered_message
from inbox.composing import Frozen, Written, distinct, freeze
from inbox.drafts import find_draft, give_back, read_file
from inbox.killpoints import reach
from inbox.models import (
    Account,
    Conversation,
    Draft,
    DraftAttachment,
    Envelope,
    Message,
    User,
)
from inbox.offers import person_spoken_for
from inbox.outcomes import become_sent, lock, put_state
from inbox.proposals import Proposal, SendProblem, accounts_for, people_of, propose, subject_of
from inbox.rules.gates import Gate
from inbox.rules.states import AccountState, SendState
from inbox.sending import Queued
from inbox.speaking import speak
from inbox.transactions import retried

__all__ = [
    "Proposal",
    "Queued",
    "SendProblem",
    "confirm_arrived",
    "frozen_bytes",
    "give_up",
    "propose",
    "queue_reply",
    "send_again",
    "undo_send",
]


# --- Queue ----------------------------------------------------------------------------------------------------------


def queue_reply(
    *,
    conversation_id: int,
    user: User,
    request_id: str,
    text: str,
    to: Sequence[Address],
    now: datetime,
    cc: Sequence[Address] = (),
    account_id: int | None = None,
    with_quote: bool = True,
    attachments: Sequence[int] = (),
    seen_message: int = 0,
    confirmations: Iterable[str] = (),
    subject: str | None = None,
    template_version_id: int | None = None,
    visibility: str = "",
    warning: str | None = None,
) -> Queued | list[Gate]:
    """Queued, or the gates that stand in the way; `confirmations` names the codes the person has clicked away.

    On a kind where the writer chooses no recipients it goes to who wrote, whatever `to` says. `visibility` (a word of
    connectors.social.Visibility) and `warning`: "" and None mean as the connector proposes.

    `attachments` are ids of this person's DraftAttachment; `seen_message` is Timeline.newest_message as it was shown.
    Raises SendProblem for what no click can mend, and the connector's Refused or Unsupported with a sentence.
    """
    if (known := _find_repeat(request_id, conversation_id)) is not None:
        return known
    conversation = Conversation.objects.select_related("account", "customer").get(id=conversation_id)
    account = _account(conversation, account_id, user)
    connector, card = bare_connector(account), card_of(account.kind)
    answers = answered_message(conversation_id, seen_message)
    if not card.has_recipients:
        to, cc = people_of(answers, account, connector) if answers else ((), ())
    files = tuple(_files(attachments, user, conversation_id))
    outlined = [OutlinedFile(one.name, one.content_type, len(one.content), one.alt) for one in files]
    spoken = speak(conversation_id, connector, answers, text.strip(), visibility, warning, outlined)
    wanted = sending.Wanted(
        conversation_id=conversation_id,
        user=user,
        request_id=request_id,
        written=Written(
            account=account,
            to=distinct(to, connector),
            cc=distinct(cc, connector, to),
            subject=_subject(account, subject, answers),
            text=text.strip(),
            files=files,
            # What a colleague wrote above a forward is not for the customer's eyes.
            with_quote=with_quote and card.quotes_history and not (answers and person_spoken_for(answers)),
            answers=answers,
            language=conversation.language,
            post=spoken.answers if spoken else None,
            visibility=spoken.visibility if spoken else None,
            warning=spoken.warning if spoken else "",
        ),
        seen_message=seen_message,
        confirmations=frozenset(confirmations),
        template_version_id=template_version_id or _template_of_draft(conversation_id, user),
        spoken=spoken,
    )
    gates = sending.find_gates(wanted, connector, now)
    if gates:
        # What stands in the way may be this very request, queued a moment ago by a second click.
        return _find_repeat(request_id, conversation_id) or gates
    frozen = freeze(connector, wanted.written, now)
    reach("queue.composed")
    queued = retried(lambda: _queue(wanted, frozen, connector, now))
    reach("queue.committed")
    return queued


def _subject(account: Account, wanted: str | None, answers: Message | None) -> str:
    proposed = subject_of(account.kind, answers.subject if answers else "")
    return proposed if wanted is None or not card_of(account.kind).has_subject else wanted


def _template_of_draft(conversation_id: int, user: User) -> int | None:
    draft = find_draft(conversation_id, user)
    return draft.template_version_id if draft else None


def _find_repeat(request_id: str, conversation_id: int) -> Queued | None:
    if not request_id or len(request_id) > 70:
        raise SendProblem(_("This page is out of date. Load it again; your text is kept as a draft."))
    envelope = Envelope.objects.filter(request_id=request_id).first()
    if envelope is None:
        return None
    if envelope.conversation_id != conversation_id:
        raise SendProblem(_("This page is out of date. Load it again; your text is kept as a draft."))
    return Queued(envelope.id, envelope.message_id, envelope.due_at or envelope.created_at, is_repeat=True)


def _account(conversation: Conversation, account_id: int | None, user: User) -> Account:
    choices = {account.id: account for account in accounts_for(conversation, user)}
    account = choices.get(account_id or conversation.account_id or 0)
    if account is None:
        raise SendProblem(_("You cannot answer from this mailbox. Choose another one."))
    if account.state == AccountState.PAUSED:
        raise SendProblem(_("The mailbox %(name)s is paused. Resume it before you answer.") % {"name": account.name})
    return account


def _files(attachments: Sequence[int], user: User, conversation_id: int) -> Iterable[OutboundFile]:
    rows = DraftAttachment.objects.filter(draft__user=user, draft__conversation_id=conversation_id, id__in=attachments)
    found = {row.id: row for row in rows.select_related("file")}
    if len(found) != len(set(attachments)):
        raise SendProblem(_("A file is no longer there. Attach it again."))
    for number in dict.fromkeys(attachments):
        row = found[number]
        yield OutboundFile(row.name, row.content_type, read_file(row.file), row.alt)


@transaction.atomic
def _queue(wanted: sending.Wanted, frozen: Frozen, connector: Connector, now: datetime) -> Queued | list[Gate]:
    reach("queue.transaction-open")
    desk = Desk.open(wanted.conversation_id, wanted.user, now)
    # After the lock: whoever held it may have queued this very request.
    if (known := _find_repeat(wanted.request_id, wanted.conversation_id)) is not None:
        return known
    # Again, now that nothing can change any more: somebody may have written since.
    gates = sending.find_gates(wanted, connector, now)
    if gates:
        return gates
    reach("queue.gates-passed")
    return sending.write(desk, wanted, frozen, connector, now)


# --- Back -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def undo_send(envelope_id: int, user: User, now: datetime) -> Draft:
    """Within the undo time: nothing leaves, the text is a draft again. Raises SendProblem when it is too late."""
    envelope = lock(envelope_id)
    if envelope.state != SendState.QUEUED or envelope.attempts:
        raise SendProblem(_("It is too late: this answer is already on its way."))
    put_state(envelope, SendState.CANCELLED, "", due_at=None)
    desk = Desk.open(envelope.conversation_id, user, now)
    sending.take_back_message(desk, envelope)
    if token := envelope.evidence.get("act"):
        try:
            take_back(desk, read_token(token).id)
        except Refusal:
            pass  # Somebody has done something else with the conversation meanwhile: that stands, the answer does not.
    desk.touched = True
    desk.close("undo-send", data={"envelope": str(envelope.id)})
    return give_back(envelope, user, now)


@transaction.atomic
def give_up(envelope_id: int, user: User, now: datetime) -> Draft:
    """Of one that failed: it will not be tried again; its text is a draft, to be written anew."""
    envelope = lock(envelope_id)
    if envelope.state != SendState.FAILED:
        raise SendProblem(_("Only an answer that could not be sent can be written anew."))
    put_state(envelope, SendState.CANCELLED, envelope.sentence, due_at=None)
    desk = Desk.open(envelope.conversation_id, user, now)
    sending.take_back_message(desk, envelope)
    desk.touched = True
    people.audit("send-given-up", f"conversation:{envelope.conversation_id}", user, now, {"envelope": str(envelope.id)})
    desk.close("send-given-up")
    return give_back(envelope, user, now)


@transaction.atomic
def send_again(envelope_id: int, user: User, now: datetime, *, confirmed: bool) -> None:
    """The same bytes with the same key, for one that failed or whose outcome is unknown. Raises SendProblem.

    An unknown one may have arrived: it goes again only when the person says that they know (`confirmed`).
    """
    envelope = lock(envelope_id)
    if envelope.state not in (SendState.FAILED, SendState.UNKNOWN):
        raise SendProblem(_("This answer does not need to be sent again."))
    if envelope.state == SendState.UNKNOWN and not confirmed:
        raise SendProblem(_("This answer may have arrived. Confirm that you want to send it a second time."))
    sending.requeue(envelope, user, now)


@transaction.atomic
def confirm_arrived(envelope_id: int, user: User, now: datetime) -> None:
    """A person knows that an unknown one did arrive. Raises SendProblem when it is not unknown any more."""
    envelope = lock(envelope_id)
    if envelope.state != SendState.UNKNOWN:
        raise SendProblem(_("The outcome of this answer is already known."))
    envelope.evidence["settled"] = {"why": f"confirmed by {people.actor_name(user)}", "at": now.isoformat()}
    become_sent(envelope, envelope.committing_at or now, now)


def frozen_bytes(message_id: int) -> bytes | None:
    """The exact bytes of one of our own messages, for its source and its attachments."""
    envelope = Envelope.objects.filter(message_id=message_id).order_by("part").first()
    return envelope.content if envelope else None
