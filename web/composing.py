"""What the composer shows and what it sends: a form of plain values, made from a proposal and a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import formataddr, getaddresses
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from connectors.base import ConnectorError
from connectors.messages import Address
from inbox import drafts, replies
from inbox.ids import read_id
from inbox.models import Draft, DraftAttachment, User
from inbox.rules.gates import Gate
from inbox.rules.templates import find_missing
from web.gates import GateWords, gate_words

MAX_ADDRESSES = 100
MAX_WARNING = 500
_ALT = "alt-"
_MAX_FIELD = 20_000


class BadAddress(Exception):
    """str() is one sentence for the person."""


@dataclass(frozen=True, slots=True)
class Form:
    """Everything that stands in the composer."""

    mode: str = "reply"  # reply | note
    text: str = ""
    to: str = ""
    handles: tuple[str, ...] = ()  # whom a post answers
    cc: str = ""
    subject: str = ""
    account_id: int = 0
    with_quote: bool = True
    seen_message: int = 0
    request_id: str = ""
    template_version_id: int | None = None
    confirmations: frozenset[str] = frozenset()
    accounts: tuple[tuple[int, str, str], ...] = ()
    files: tuple[DraftAttachment, ...] = ()
    problem: str = ""
    gates: tuple[GateWords, ...] = ()
    is_stale: bool = False
    saved_at: datetime | None = None
    visibility: str = ""  # of a post; "": as proposed
    warning: str | None = None  # of a post; None: as proposed
    alts: Mapping[int, str] = field(default_factory=dict)  # what pictures show, by the draft file's id

    @property
    def is_note(self) -> bool:
        return self.mode == "note"

    @property
    def blanks(self) -> list[str]:
        """Values of a template that nobody has filled in, as they stand in the text."""
        return list(find_missing(self.text))


def new_request_id() -> str:
    """Made with the form: however often it is posted, it is sent once."""
    return get_random_string(32)


def written(addresses: Sequence[Address]) -> str:
    return ", ".join(formataddr((one.name, one.address)) if one.name.isascii() else _quoted(one) for one in addresses)


def _quoted(one: Address) -> str:
    name = one.name.replace("\\", "").replace('"', "")
    return f'"{name}" <{one.address}>'


def addresses_of(text: str) -> tuple[Address, ...]:
    """Raises BadAddress, naming the first that is none."""
    text = text[:_MAX_FIELD].replace(";", ",").replace("\n", ",")
    found: list[Address] = []
    for name, address in getaddresses([text]):
        if not (name or address):
            continue
        try:
            validate_email(address)
        except ValidationError:
            raise BadAddress(_("“%(text)s” is not an e-mail address.") % {"text": address or name}) from None
        found.append(Address(address, name))
    if text.strip(", ") and not found:
        raise BadAddress(_("“%(text)s” is not an e-mail address.") % {"text": text.strip()[:80]})
    if len(found) > MAX_ADDRESSES:
        raise BadAddress(_("These are more than %(n)d addresses.") % {"n": MAX_ADDRESSES})
    return tuple(found)


def proposed(conversation_id: int, user: User, mode: str) -> Form:
    """The composer as it opens: the proposal, with what this person had written before on top."""
    draft = drafts.find_draft(conversation_id, user, is_note=mode == "note")
    form = Form(mode=mode, request_id=new_request_id())
    if mode != "note":
        try:
            proposal = replies.propose(conversation_id, user)
        except replies.SendProblem as problem:
            return replace(with_draft(form, draft) if draft else form, problem=str(problem))
        form = replace(
            form,
            to=written(proposal.to),
            handles=tuple(one.address for one in proposal.to),
            cc=written(proposal.cc),
            subject=proposal.subject,
            account_id=proposal.account_id,
            accounts=proposal.accounts,
            seen_message=proposal.seen_message,
            # Said before anything is written; a draft to somebody else is looked at when it is sent.
            gates=(gate_words(proposal.strangers),) if proposal.strangers and not _has_recipients(draft) else (),
        )
    return with_draft(form, draft) if draft else form


def _has_recipients(draft: Draft | None) -> bool:
    return (
        draft is not None and isinstance(draft.fields, dict) and bool(draft.fields.get("to") or draft.fields.get("cc"))
    )


def with_draft(form: Form, draft: Draft) -> Form:
    fields: Mapping[str, Any] = draft.fields if isinstance(draft.fields, dict) else {}
    files = tuple(draft.attachments.select_related("file").order_by("id")) if not form.is_note else ()
    return replace(
        form,
        text=draft.body,
        to=_field(fields.get("to")) or form.to,
        cc=_field(fields["cc"]) if "cc" in fields else form.cc,
        visibility=str(fields.get("visibility") or "")[:20],
        warning=_warning(fields.get("warning")),
        subject=str(fields.get("subject") or form.subject),
        with_quote=bool(fields.get("with_quote", True)),
        account_id=read_id(fields.get("account")) or form.account_id,
        template_version_id=draft.template_version_id,
        # Who wrote before somebody else did, and has not said that they saw it, is still behind.
        seen_message=draft.seen_message or form.seen_message,
        is_stale=not form.is_note and drafts.is_stale(draft),
        files=files,
        saved_at=draft.updated_at,
    )


def _warning(kept: object) -> str | None:
    return kept[:MAX_WARNING] if isinstance(kept, str) else None


def _field(kept: object) -> str:
    """Recipients of a draft: a list of {"name", "address"}, or the text of a field that could not be read yet."""
    if isinstance(kept, list):
        people = [one for one in kept if isinstance(one, dict)]
        return written([Address(str(one.get("address", "")), str(one.get("name", ""))) for one in people])
    return kept if isinstance(kept, str) else ""


def _kept(text: str) -> list[dict[str, str]] | str:
    try:
        return [{"name": one.name, "address": one.address} for one in addresses_of(text)]
    except BadAddress:
        return text


def posted(data: Mapping[str, Any], confirmations: Sequence[str]) -> Form:
    return Form(
        mode="note" if data.get("mode") == "note" else "reply",
        text=str(data.get("text", "")).replace("\r\n", "\n"),
        to=str(data.get("to", ""))[:_MAX_FIELD],
        cc=str(data.get("cc", ""))[:_MAX_FIELD],
        subject=str(data.get("subject", ""))[:500],
        account_id=read_id(data.get("account")),
        with_quote=data.get("with_quote") == "1",
        seen_message=read_id(data.get("seen_message")),
        request_id=str(data.get("request_id", ""))[:40] or new_request_id(),
        template_version_id=read_id(data.get("template_version")) or None,
        confirmations=frozenset(one[:80] for one in confirmations[:20]),
        visibility=str(data.get("visibility", ""))[:20],
        warning=_warning(data.get("warning")),
        alts={read_id(name.removeprefix(_ALT)): str(data[name]) for name in list(data)[:200] if name.startswith(_ALT)},
    )


def keep(form: Form, conversation_id: int, user: User, now: datetime) -> Draft:
    """Autosave. Raises drafts.DraftProblem."""
    fields = {
        "to": _kept(form.to),
        "cc": _kept(form.cc),
        "subject": form.subject,
        "with_quote": form.with_quote,
        "account": str(form.account_id or ""),
        **({"visibility": form.visibility} if form.visibility else {}),
        **({"warning": form.warning} if form.warning is not None else {}),
    }
    for file_id, alt in form.alts.items():
        drafts.describe(file_id, user, alt)
    return drafts.save_draft(
        conversation_id,
        user,
        now,
        body=form.text,
        fields={} if form.is_note else fields,
        seen_message=form.seen_message,
        template_version_id=form.template_version_id,
        is_note=form.is_note,
    )


def send(form: Form, conversation_id: int, user: User, now: datetime) -> replies.Queued | list[Gate]:
    """Queues the reply, or gives the gates in its way. Raises BadAddress and replies.SendProblem."""
    for file_id, alt in form.alts.items():
        drafts.describe(file_id, user, alt)
    draft = drafts.find_draft(conversation_id, user)
    files = list(draft.attachments.order_by("id").values_list("id", flat=True)) if draft else []
    try:
        return replies.queue_reply(
            conversation_id=conversation_id,
            user=user,
            request_id=f"{user.id}-{form.request_id}",
            text=form.text,
            to=addresses_of(form.to),
            cc=addresses_of(form.cc),
            now=now,
            account_id=form.account_id or None,
            with_quote=form.with_quote,
            attachments=files,
            seen_message=form.seen_message,
            confirmations=form.confirmations,
            subject=form.subject or None,
            template_version_id=form.template_version_id,
            visibility=form.visibility,
            warning=form.warning,
        )
    except ConnectorError as refused:
        raise replies.SendProblem(refused.sentence) from refused
