"""The only way by which a request gets a row, and the one list of what each role may do.

What somebody may not see does not exist for them: every getter raises Http404 for foreign rows, with the same answer
as for rows that are not there. Rights follow deliveries: an agent reads the accounts of their teams, and the accounts
that no team was given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, cast

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode

from inbox import worklist
from inbox.models import (
    Account,
    Attachment,
    Conversation,
    Delivery,
    DraftAttachment,
    Envelope,
    Message,
    Organisation,
    ReplyTemplate,
    User,
)
from inbox.rules.states import Role
from inbox.worklist import Scope

_AGENT = frozenset({"read", "answer", "health"})
_MANAGER = _AGENT | {"accounts", "templates", "everything"}
PERMISSIONS: dict[str, frozenset[str]] = {
    Role.AGENT: _AGENT,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _MANAGER | {"organisation"},
}


class SignedIn(HttpRequest):
    """A request that passed `needs`: for type checkers."""

    user: User


View = Callable[..., HttpResponse]


def may(user: User | AnonymousUser, permission: str) -> bool:
    return isinstance(user, User) and user.is_active and permission in PERMISSIONS.get(user.role, frozenset())


def needs(permission: str) -> Callable[[View], View]:
    """Marks a view: who is not signed in is asked to, whose role lacks the permission gets 403."""

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if not may(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return _marked(guarded, permission)

    return mark


def anyone(view: View) -> View:
    """Marks a view that needs no sign-in: the matrix test wants every view marked."""
    return _marked(view, None)


def _marked(view: Any, permission: str | None) -> View:
    """The matrix test reads the mark."""
    view.permission = permission
    return cast("View", view)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    address = resolve_url("sign-in")
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response.headers["HX-Redirect"] = address
        return response
    if request.method != "GET" or request.path == "/":
        return redirect(address)
    return redirect(f"{address}?{urlencode({'next': request.get_full_path()})}")


def find_session_user(session_key: str) -> User | None:
    """Whose session this is, for what comes past the middleware; None when it has ended or may not read."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) and may(user, "read") else None


def scope(user: User) -> Scope:
    """Ids of the accounts whose messages this person may read, None for all: `inbox.people.readable_accounts` in one
    statement. The answer is kept on the user for the length of the request."""
    kept = vars(user)
    if "_scope" not in kept:
        kept["_scope"] = None if may(user, "everything") else _accounts_of(user)
    return cast("Scope", kept["_scope"])


def _accounts_of(user: User) -> frozenset[int]:
    if not user.is_active:
        return frozenset()
    rows = Account.objects.filter(Q(teamaccount__isnull=True) | Q(teamaccount__team__teammember__user=user.id))
    return frozenset(rows.values_list("id", flat=True))


def conversations(user: User) -> QuerySet[Conversation]:
    return worklist.readable(scope(user))


def _first(rows: QuerySet[Any]) -> Any:
    row = rows.first()
    if row is None:
        raise Http404
    return row


def get_conversation(user: User, id: int) -> Conversation:
    related = ("customer", "owner", "team", "account", "policy_version", "calendar_version")
    return cast("Conversation", _first(conversations(user).select_related(*related).filter(id=id)))


def messages(user: User) -> QuerySet[Message]:
    """Messages that lie in a readable conversation and of which at least one delivery is readable (or a note)."""
    holds = conversations(user).filter(
        strand_links__strand_id=OuterRef("strand_id"), strand_links__ended_at__isnull=True
    )
    rows = Message.objects.filter(Exists(holds))
    mine = scope(user)
    if mine is None:
        return rows
    seen = Delivery.objects.filter(message_id=OuterRef("id"), account_id__in=mine)
    return rows.filter(Q(account_id__isnull=True) | Q(account_id__in=mine) | Exists(seen))


def get_message(user: User, id: int) -> Message:
    return cast("Message", _first(messages(user).select_related("raw_item", "account").filter(id=id)))


def get_attachment(user: User, id: int) -> Attachment:
    readable = messages(user).filter(id=OuterRef("message_id"))
    rows = Attachment.objects.filter(Exists(readable), id=id).select_related("message__raw_item", "message__account")
    return cast("Attachment", _first(rows))


def envelopes(user: User) -> QuerySet[Envelope]:
    """Sends of readable conversations that leave from a readable account."""
    readable = conversations(user).filter(id=OuterRef("conversation_id"))
    rows = Envelope.objects.filter(Exists(readable))
    mine = scope(user)
    return rows if mine is None else rows.filter(account_id__in=mine)


def get_envelope(user: User, id: int) -> Envelope:
    return cast("Envelope", _first(envelopes(user).filter(id=id).select_related("account", "message")))


def get_draft_file(user: User, id: int) -> DraftAttachment:
    """A file of one's own draft: nobody else's is there, not even for an owner."""
    rows = DraftAttachment.objects.filter(id=id, draft__user=user).select_related("draft")
    found = cast("DraftAttachment", _first(rows))
    get_conversation(user, found.draft.conversation_id)
    return found


def customer_names(user: User, conversation_ids: Collection[int]) -> dict[int, str]:
    """Names of the customers of readable conversations, by the conversation's id."""
    rows = conversations(user).filter(id__in=conversation_ids)
    return dict(rows.values_list("id", "customer__name"))


def accounts(user: User) -> QuerySet[Account]:
    """Accounts that this person may read and answer from, removed ones left out."""
    rows = Account.objects.filter(removed_at__isnull=True).order_by("name")
    mine = scope(user)
    return rows if mine is None else rows.filter(id__in=mine)


def get_readable_account(user: User, id: int) -> Account:
    return cast("Account", _first(accounts(user).filter(id=id)))


def get_account(user: User, id: int) -> Account:
    if not may(user, "accounts"):
        raise PermissionDenied
    return cast("Account", _first(accounts(user).filter(id=id)))


# --- What everybody inside shares -----------------------------------------------------------------------------------


def organisation() -> Organisation:
    return Organisation.objects.filter(id=1).first() or Organisation(id=1)


def colleagues() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("name", "email")


def find_colleague(id: int) -> User | None:
    return colleagues().filter(id=id).first()


def reply_templates() -> QuerySet[ReplyTemplate]:
    return ReplyTemplate.objects.filter(archived_at=None).order_by("name")


def get_reply_template(id: int) -> ReplyTemplate:
    return cast("ReplyTemplate", _first(reply_templates().filter(id=id)))
