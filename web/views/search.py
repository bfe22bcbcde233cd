"""Finding: a page of hits, and the few that the command palette shows while somebody types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from markupsafe import Markup, escape

from inbox.models import User
from search.backend import Hit, Passage, SearchUnavailable, get_backend
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock
from web.views.page import clock_of, is_fragment, render, render_part

PAGE_HITS = 30
PALETTE_HITS = 6
MAX_QUERY = 200


def marked(passage: Passage) -> Markup:
    """A passage with what was found marked; every piece is escaped for itself."""
    parts, end = [Markup("")], 0
    for start, stop in passage.marks:
        parts += [escape(passage.text[end:start]), Markup("<mark>{}</mark>").format(passage.text[start:stop])]
        end = stop
    parts.append(escape(passage.text[end:]))
    return Markup("").join(parts)


def _shown(hits: Sequence[Hit], user: User, clock: Clock) -> list[dict[str, Any]]:
    names = access.customer_names(user, {hit.conversation for hit in hits})
    return [
        {
            "url": f"{reverse('conversation', args=[hit.conversation])}?tab=all#m-{hit.message}",
            "pane": f"{reverse('conversation', args=[hit.conversation])}?tab=all",
            "who": names.get(hit.conversation) or hit.author or _("Unknown sender"),
            "subject": hit.subject or _("(no subject)"),
            "passage": marked(hit.passage),
            "when": clock.short(hit.sent_at),
            "is_ours": hit.direction == "outbound",
        }
        for hit in hits
    ]


def _find(request: SignedIn, query: str, limit: int, cursor: str | None = None) -> dict[str, Any]:
    if not query:
        return {"hits": [], "next": None, "notice": "", "query": query}
    scope = access.scope(request.user)
    try:
        found = get_backend().search(query, accounts=None if scope is None else set(scope), limit=limit, cursor=cursor)
    except SearchUnavailable as problem:
        return {"hits": [], "next": None, "notice": str(problem), "query": query}
    clock = clock_of(request.user)
    return {"hits": _shown(found.hits, request.user, clock), "next": found.next, "notice": found.notice, "query": query}


@needs("read")
@require_GET
def search(request: SignedIn) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:MAX_QUERY]
    cursor = request.GET.get("cursor", "")[:200] or None
    context = _find(request, query, PAGE_HITS, cursor)
    if is_fragment(request) and cursor:
        return render_part(request, "fragments/hits.html", context)
    return render(request, "search.html", context, here="search")


@needs("read")
@require_GET
def results(request: SignedIn) -> HttpResponse:
    """For the palette: a fragment of a few options."""
    query = request.GET.get("q", "").strip()[:MAX_QUERY]
    # The last word is still being typed: what begins like it is found too.
    growing = f"{query}*" if query[-1:].isalnum() else query
    found = _find(request, growing, PALETTE_HITS)
    return render_part(request, "fragments/palette_hits.html", {**found, "query": query})
