"""The list: its tabs, its pages, its counters, and what is new in it."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from inbox import worklist
from inbox.ids import read_id
from web import access
from web.access import SignedIn, needs
from web.rows import belongs, queue_page, queue_row
from web.views.page import clock_of, counts_of, cursor_of, is_fragment, render, render_part

PAGE_ROWS = 50
TABS = ("open", "mine", "waiting", "snoozed", "resolved", "all", "automatic")
_MAX_IDS = 200
_OPEN = re.compile(r"/c/([0-9]{1,19})(?:[?#]|$)")


def tab_words() -> dict[str, str]:
    return {
        "open": _("To answer"),
        "mine": _("Mine"),
        "waiting": _("Waiting"),
        "snoozed": _("Snoozed"),
        "resolved": _("Resolved"),
        "automatic": _("Automatic"),
        "all": _("All"),
        "spam": _("Spam"),
    }


def titles() -> dict[str, str]:
    return {**tab_words(), "open": _("Queue")}


def tab_of(request: SignedIn) -> str:
    tab = request.GET.get("tab") or request.POST.get("tab") or "open"
    return tab if tab in worklist.TABS else "open"


def queue_context(tab: str) -> dict[str, Any]:
    """What the list column needs beside its rows."""
    tabs = TABS if tab in TABS else (*TABS, tab)
    counted = ("open", "mine", "waiting", "snoozed")
    return {"tab": tab, "tabs": tabs, "tab_words": tab_words(), "titles": titles(), "counted": counted, "open_id": 0}


@needs("read")
@require_GET
def home(request: SignedIn) -> HttpResponse:
    return redirect("queue", "open")


@needs("read")
@require_GET
def queue(request: SignedIn, tab: str) -> HttpResponse:
    """A page of a tab. Asked by htmx: more rows (`after`), or the whole column (`beside`, `fresh`)."""
    if tab not in worklist.TABS:
        raise Http404
    user, clock = request.user, clock_of(request.user)
    open_id = read_id(request.GET.get("beside") or request.GET.get("open"))
    after = cursor_of(request, "after")
    work = worklist.page(access.scope(user), tab, user, after=after, limit=PAGE_ROWS)
    shown = queue_page(work, user, clock, tab, open_id=open_id, continues=request.GET.get("continues", ""))
    context = {**queue_context(tab), "page": shown, "open_id": open_id}
    if is_fragment(request):
        if after:
            return render_part(request, "fragments/more_rows.html", context)
        return render_part(request, "fragments/queue.html", {**context, "counts": counts_of(user)})
    title = titles()[tab]
    return render(request, "workspace.html", {**context, "pane": None, "title": title}, here=tab)


@needs("read")
@require_GET
def next_conversation(request: SignedIn) -> HttpResponse:
    """Opens the first of the list that is not the one on the screen."""
    user, tab = request.user, tab_of(request)
    here = _OPEN.search(request.headers.get("HX-Current-URL", ""))
    found = worklist.page(access.scope(user), tab, user, limit=2).rows
    target = next((row["id"] for row in found if not here or row["id"] != read_id(here.group(1))), None)
    if target is not None:
        return redirect(f"{reverse('conversation', args=[target])}?tab={tab}")
    if not is_fragment(request):
        return redirect("queue", tab)
    response = HttpResponse(status=204)
    response.headers["HX-Trigger"] = json.dumps({"balas:say": {"words": _("There is no other one.")}})
    return response


@needs("read")
@require_GET
def rows(request: SignedIn, tab: str) -> HttpResponse:
    """The given rows anew, to be put in place of those on the screen; a row that may not be seen is left out."""
    user, clock = request.user, clock_of(request.user)
    ids = [read_id(part) for part in request.GET.get("ids", "").split(",")[:_MAX_IDS]]
    open_id = read_id(request.GET.get("open"))
    found = [worklist.row(one, access.scope(user)) for one in ids[:20] if one]
    items = [queue_row(row, user, clock, tab, open_id) for row in found if row]
    return render_part(request, "fragments/rows.html", {"items": items})


@needs("read")
@require_GET
def news(request: SignedIn, tab: str) -> HttpResponse:
    """The bar over the list: how many of these conversations are new in it, and when the first is due."""
    user, clock = request.user, clock_of(request.user)
    ids = {read_id(part) for part in request.GET.get("ids", "").split(",")[:_MAX_IDS]} - {0}
    found = [worklist.row(one, access.scope(user)) for one in sorted(ids)[-20:]]
    new = [row for row in found if row and belongs(row, tab) and (tab != "mine" or row["owner_id"] == user.id)]
    due = min((row["due_at"] for row in new if row["due_at"]), default=None)
    return render_part(
        request,
        "fragments/new_pill.html",
        {
            "tab": tab,
            "count": max(len(new), len(ids) if len(ids) > 20 and new else 0),
            "due": clock.moment(due) if due else "",
        },
    )


@needs("read")
@require_GET
def counters(request: SignedIn) -> HttpResponse:
    return JsonResponse({"counts": counts_of(request.user)})


@needs("read")
@require_GET
def clocks(request: SignedIn, tab: str) -> HttpResponse:
    """What the time badges of the rows on the screen say now; rows do not move."""
    user, clock = request.user, clock_of(request.user)
    ids = {read_id(part) for part in request.GET.get("ids", "").split(",")[:_MAX_IDS]}
    work = worklist.page(access.scope(user), tab, user, limit=_MAX_IDS)
    times = {str(row["id"]): queue_row(row, user, clock, tab).time.as_json() for row in work.rows if row["id"] in ids}
    return JsonResponse({"times": times})
