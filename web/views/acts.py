"""What people do with a conversation: one address per act, a fragment for htmx, 303 without scripts, undo for all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from inbox import automatic, blocking, conversations, hiding, offers, replies, reports, splitting, worklist
from inbox.acts import Act, Refusal, read_token
from inbox.ids import read_id
from inbox.models import Envelope, User
from inbox.people import actor_name
from inbox.rules.offers import Offer
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock
from web.rows import queue_row
from web.views.page import Notice, clock_of, is_fragment, render, render_part
from web.views.queue import tab_of

Perform = Callable[[SignedIn, int, datetime], Act]


def _owner(request: SignedIn) -> User | None:
    wanted = request.POST.get("owner", "")
    if not wanted:
        return None
    if wanted == "me":
        return request.user
    found = access.find_colleague(read_id(wanted))
    if found is None:
        raise Refusal(_("This person is no longer here."))
    return found


def _until(request: SignedIn, now: datetime) -> datetime:
    """A choice by name, or a date and time as the browser's own field gives it, in the reader's zone."""
    choice = request.POST.get("until", "")
    named = {key: at for key, at, _words in snooze_choices(clock_of(request.user))}
    if choice in named:
        return named[choice]
    try:
        at = datetime.fromisoformat(request.POST.get("at", ""))
    except ValueError:
        raise Refusal(_("Choose when it should come back.")) from None
    return at if at.tzinfo else at.replace(tzinfo=clock_of(request.user).zone)


def _offered(request: SignedIn) -> Offer:
    try:
        return Offer(request.POST.get("offer", ""))
    except ValueError:
        raise Refusal(_("This offer is no longer there.")) from None


def _rule(request: SignedIn, id: int, now: datetime) -> Act:
    """A rule for a mailbox is for who looks after the mailboxes."""
    if not access.may(request.user, "accounts"):
        raise Refusal(_("Only who looks after the mailboxes can make this a rule."))
    return offers.take_relay(id, read_id(request.POST.get("message")), request.user, now)


def _came_back(request: SignedIn, id: int, now: datetime) -> Act:
    """The send that a bounce may speak of lies in another conversation, whose rights are asked as well."""
    message_id = read_id(request.POST.get("message"))
    send = reports.find_send_of(message_id, id)
    if send is None or not access.envelopes(request.user).filter(id=send.envelope_id).exists():
        raise Refusal(_("There is no answer of ours any more that this could be about."))
    return reports.take(id, message_id, request.user, now)


ACTS: dict[str, Perform] = {
    "split": lambda request, id, now: splitting.split(id, read_id(request.POST.get("message")), request.user, now),
    "take-person": lambda request, id, now: offers.take_offered(
        id, read_id(request.POST.get("message")), _offered(request), request.user, now
    ),
    "relay-rule": _rule,
    "came-back": _came_back,
    "dismiss-offer": lambda request, id, now: offers.dismiss(
        id, read_id(request.POST.get("message")), _offered(request), request.user, now
    ),
    "resolve": lambda request, id, now: conversations.resolve(id, request.user, now),
    "no-answer": lambda request, id, now: conversations.resolve(id, request.user, now, no_answer_needed=True),
    "needs-answer": lambda request, id, now: automatic.needs_answer(id, request.user, now),
    "reopen": lambda request, id, now: conversations.reopen(id, request.user, now),
    "snooze": lambda request, id, now: conversations.snooze(id, request.user, now, until=_until(request, now)),
    "unsnooze": lambda request, id, now: conversations.unsnooze(id, request.user, now),
    "assign": lambda request, id, now: conversations.assign(id, request.user, now, owner=_owner(request)),
    "tag": lambda request, id, now: conversations.tag(id, request.user, now, name=request.POST.get("name", "")[:60]),
    "untag": lambda request, id, now: conversations.untag(
        id, request.user, now, name=request.POST.get("name", "")[:60]
    ),
    "spam": lambda request, id, now: conversations.mark_spam(id, request.user, now),
    "hate": lambda request, id, now: conversations.mark_spam(id, request.user, now, is_hate=True),
    "block": lambda request, id, now: blocking.block(id, request.user, now),
    "not-spam": lambda request, id, now: conversations.not_spam(id, request.user, now),
    "hide": lambda request, id, now: hiding.hide(
        id, read_id(request.POST.get("message")), request.user, now, why=request.POST.get("why", "") or "-"
    ),
    "show-again": lambda request, id, now: hiding.hide(
        id, read_id(request.POST.get("message")), request.user, now, why=""
    ),
}


_ABOUT_PEOPLE = frozenset({"take-person", "split"})
"""Acts after which somebody else, or another message, is answered."""


def _told(act: Act, name: str) -> str:
    words = {
        "resolve": _("Resolved"),
        "no-answer-needed": _("Resolved, no answer needed"),
        "needs-answer": _("In the queue"),
        "split": _("Split: two conversations now"),
        "take-person": _("The customer has changed"),
        "came-back": _("Noted: it came back"),
        "dismiss-offer": _("Not offered again"),
        "reopen": _("Open again"),
        "snooze": _("Put aside"),
        "unsnooze": _("Awake again"),
        "assign": _("Assigned"),
        "tag": _("Tagged"),
        "untag": _("Tag taken off"),
        "spam": _("Marked as spam"),
        "hate": _("Put away as hateful"),
        "block": _("Blocked: what they write arrives as spam"),
        "hide": _("Hidden"),
        "show-again": _("Shown again"),
        "not-spam": _("Taken out of spam"),
        "undo": _("Taken back"),
    }
    word = words.get(act.name, _("Done")) if act.changed else _("Nothing to change")
    return f"{word}: {name}" if name else word


def acted(
    request: SignedIn, conversation_id: int, notice: Notice, *, status: int = 200, with_composer: bool = False
) -> HttpResponse:
    """The answer to every act: the row in its new state and the notice; the open page then asks what is new.

    `with_composer`: also to whom an answer goes may be another.
    """
    user, tab = request.user, tab_of(request)
    if not is_fragment(request):
        (messages.error if notice.kind == "bad" else messages.success)(request, notice.text, extra_tags=notice.undo)
        return redirect(f"{reverse('conversation', args=[conversation_id])}?tab={tab}")
    row = worklist.row(conversation_id, access.scope(user))
    items = [queue_row(row, user, clock_of(user), tab, conversation_id)] if row else []
    response = render_part(request, "fragments/acted.html", {"items": items, "notice": notice}, status=status)
    changed = {"id": str(conversation_id), **({"composer": True} if with_composer else {})}
    response.headers["HX-Trigger"] = json.dumps({"balas:changed": changed})
    return response


@needs("answer")
@require_POST
def act(request: SignedIn, id: int, name: str) -> HttpResponse:
    perform = ACTS.get(name)
    if perform is None:
        raise Http404
    conversation = access.get_conversation(request.user, id)
    try:
        done = perform(request, id, timezone.now())
    except Refusal as refusal:
        return acted(request, id, Notice(str(refusal), kind="bad"))
    undo = reverse("undo", args=[done.undo]) if done.undo else ""
    is_about_people = done.name in _ABOUT_PEOPLE
    name = "" if is_about_people else conversation.customer.name
    return acted(request, id, Notice(_told(done, name), undo=undo), with_composer=is_about_people)


def _check_undo(token: str, user: User) -> None:
    """Raises Refusal for a token that we never gave out, or gave to somebody else, and Http404."""
    record = read_token(token)
    access.get_conversation(user, read_id(record.subject.partition(":")[2]))
    if record.actor != actor_name(user):
        raise Refusal(_("Only who did it can take it back."))


@needs("answer")
@require_POST
def undo(request: SignedIn, token: str) -> HttpResponse:
    """The token is signed and names the act; whether its conversation may be touched is asked here again."""
    try:
        _check_undo(token, request.user)
        done = conversations.undo(token, request.user, timezone.now())
    except Refusal as refusal:
        if not is_fragment(request):
            messages.error(request, str(refusal))
            return redirect("home")
        return render_part(request, "fragments/acted.html", {"items": [], "notice": Notice(str(refusal), kind="bad")})
    with_composer = read_token(token).act in _ABOUT_PEOPLE
    return acted(request, done.conversation_id, Notice(_told(done, "")), with_composer=with_composer)


# --- Choices --------------------------------------------------------------------------------------------------------


def snooze_choices(clock: Clock) -> list[tuple[str, datetime, str]]:
    now = clock.local(clock.now)
    morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
    monday = morning + timedelta(days=7 - now.weekday())
    later = (now + timedelta(hours=3)).replace(second=0, microsecond=0)
    choices = [
        ("later", later, _("In three hours")),
        ("tomorrow", morning + timedelta(days=1), _("Tomorrow morning")),
        ("monday", monday, _("Next Monday")),
        ("week", morning + timedelta(days=7), _("In a week")),
    ]
    return [(key, at, words) for key, at, words in choices if at > now]


def _choices(request: SignedIn, name: str, clock: Clock, conversation: Any) -> dict[str, Any]:
    if name == "snooze":
        named = [{"key": key, "words": words, "when": clock.moment(at)} for key, at, words in snooze_choices(clock)]
        soonest = clock.local(clock.now + timedelta(minutes=15)).strftime("%Y-%m-%dT%H:%M")
        return {"title": _("Bring it back"), "choices": named, "soonest": soonest}
    if name == "assign":
        people = access.colleagues().exclude(id=request.user.id)[:200]
        names = [
            {"id": str(one.id), "name": one.name or one.email, "is_owner": one.id == conversation.owner_id}
            for one in people
        ]
        return {"title": _("Whose is it?"), "people": names}
    if name == "tag":
        taken, others = conversations.tag_names(conversation.id)
        return {"title": _("Tags"), "taken": taken, "tags": others}
    raise Http404


@needs("answer")
@require_GET
def choose(request: SignedIn, id: int, name: str) -> HttpResponse:
    """The dialog of an act that needs a choice; without scripts a page of its own."""
    conversation = access.get_conversation(request.user, id)
    context = {
        "id": id,
        "name": name,
        "tab": tab_of(request),
        "conversation": conversation,
        **_choices(request, name, clock_of(request.user), conversation),
    }
    if is_fragment(request):
        return render_part(request, "fragments/choose.html", context)
    return render(request, "choose.html", context, here=tab_of(request))


# --- Sends ----------------------------------------------------------------------------------------------------------


def _on_send(request: SignedIn, envelope: Envelope, name: str) -> str:
    """Does it and says so. Raises replies.SendProblem."""
    user, now = request.user, timezone.now()
    if name == "undo":
        replies.undo_send(envelope.id, user, now)
        return _("Not sent. It is a draft again.")
    if name == "again":
        replies.send_again(envelope.id, user, now, confirmed=request.POST.get("confirmed") == "1")
        return _("It will be sent again.")
    if name == "arrived":
        replies.confirm_arrived(envelope.id, user, now)
        return _("Noted: it arrived.")
    if name == "give-up":
        replies.give_up(envelope.id, user, now)
        return _("Taken back. It is a draft again.")
    raise Http404


@needs("answer")
@require_POST
def send_act(request: SignedIn, id: int, name: str) -> HttpResponse:
    envelope = access.get_envelope(request.user, id)
    try:
        notice = Notice(_on_send(request, envelope, name))
    except replies.SendProblem as problem:
        notice = Notice(str(problem), kind="bad")
    response = acted(request, envelope.conversation_id, notice)
    if name in ("undo", "give-up") and notice.kind != "bad" and is_fragment(request):
        changed = {"balas:changed": {"id": str(envelope.conversation_id), "composer": True}}
        response.headers["HX-Trigger"] = json.dumps(changed)
    return response
