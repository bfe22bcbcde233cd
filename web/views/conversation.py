"""One conversation: its page, its pane for htmx, what is new in it, and what came earlier."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from inbox import conversations, timeline
from inbox.models import User
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock
from web.reading import Pane, days_of, pane
from web.rows import queue_row
from web.views.composer import composer_context, mode_of
from web.views.page import clock_of, cursor_of, is_fragment, render, render_part
from web.views.queue import queue_context, tab_of, titles

MESSAGES_AT_ONCE = 60


def load_pane(user: User, conversation_id: int, clock: Clock, tab: str, earlier: str = "") -> Pane:
    """Raises Http404 for what this person may not read, as for what is not there."""
    found = timeline.load(conversation_id, access.scope(user), user, earlier=earlier, limit=MESSAGES_AT_ONCE)
    if found is None:
        raise Http404
    return pane(found, user, clock, tab)


def conversation_context(request: SignedIn, shown: Pane, *, tab: str) -> dict[str, Any]:
    context = {**queue_context(tab), "pane": shown, "open_id": shown.id, "oob": False, "composer": None}
    if "compose" in request.GET:
        context["composer"] = composer_context(
            request.user, shown.id, mode=mode_of(request), visibility=request.GET.get("visibility", "")
        )
    return context


@needs("read")
@require_GET
def conversation(request: SignedIn, id: int) -> HttpResponse:
    user, tab, clock = request.user, tab_of(request), clock_of(request.user)
    shown = load_pane(user, id, clock, tab, cursor_of(request, "earlier"))
    if shown.row["is_unseen"]:
        conversations.mark_seen(id, user, timezone.now())
    context = conversation_context(request, shown, tab=tab)
    if is_fragment(request):
        row = queue_row({**shown.row, "is_unseen": False}, user, clock, tab, open_id=id)
        response = render_part(request, "fragments/conversation.html", {**context, "item": row})
        response.headers["HX-Push-Url"] = f"{request.path}?tab={tab}"
        return response
    title = f"{shown.who}, {titles()[tab]}"
    # The list comes by itself: a link to a conversation shows the conversation first.
    return render(request, "workspace.html", {**context, "page": None, "counts": _NO_COUNTS, "title": title}, here=tab)


_NO_COUNTS = {"open": 0, "mine": 0, "waiting": 0, "snoozed": 0, "resolved": 0, "spam": 0, "all": 0}


@needs("read")
@require_GET
def live(request: SignedIn, id: int) -> HttpResponse:
    """Head, timeline and customer as they are now: the page morphs what differs and leaves the rest alone."""
    user, tab, clock = request.user, tab_of(request), clock_of(request.user)
    shown = load_pane(user, id, clock, tab)
    if shown.row["is_unseen"] and request.GET.get("seen") == "1":
        conversations.mark_seen(id, user, timezone.now())
    context = {**queue_context(tab), "pane": shown, "oob": False}
    return render_part(request, "fragments/live.html", context)


@needs("read")
@require_GET
def earlier(request: SignedIn, id: int) -> HttpResponse:
    user, clock = request.user, clock_of(request.user)
    cursor = cursor_of(request, "earlier")
    found = timeline.load(id, access.scope(user), user, earlier=cursor, limit=MESSAGES_AT_ONCE)
    if found is None:
        raise Http404
    days = days_of(found.entries, clock, user, found.conversation["subject"])
    context = {"days": days, "earlier": found.earlier, "id": id, "tab": tab_of(request)}
    return render_part(request, "fragments/earlier.html", context)
