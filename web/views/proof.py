"""One account's proof: the equation of each folder, and every exception to open."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from inbox import completeness, exceptions, people, reconciliation
from inbox.rules.states import AccountState
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock
from web.rows import channel_of
from web.views.page import clock_of, render
from workers import bells, status


def _kind_words(kind: str) -> tuple[str, str]:
    words = {
        "waiting": (_("On the way"), _("The server has them and they did not come yet: they are asked for again.")),
        "left-out": (_("Left out"), _("A rule that has a name says that these are not waited for.")),
        "came-late": (_("Came late"), _("They did not come at first, or had been missed, and are stored now.")),
        "gone": (_("Deleted before they came"), _("They did not come, and the server no longer lists them.")),
        "unreadable": (_("Could not be read"), _("They are stored as they came and shown with their source.")),
        "too-large": (_("Only the header"), _("They are over the limit of size: who wrote, when and why is here.")),
    }
    return words[kind]


def rule_words(rule: str) -> str:
    """A rule's name as people say it; its own name where it has none."""
    words = {
        reconciliation.BY_HAND: _("left out by hand"),
        completeness.UNLISTED: _("counted by the server, in no listing"),
    }
    return words.get(rule, rule)


def cannot_be_counted(
    state: str, last_success_at: datetime | None, remaining: int | None, on_server: int | None
) -> bool:
    """Whether an account is read to the newest and has nothing to be counted against: social platforms do not say how
    much they hold for somebody."""
    is_read = state == AccountState.OK and last_success_at is not None and not remaining
    return is_read and on_server is None


def _place(place: completeness.Completeness, row: Any, clock: Clock) -> dict[str, Any]:
    is_old = status.is_old(place.counted_at, row, clock.now)
    if place.missing_since is not None:
        word = _("Cannot be opened since %(time)s") % {"time": clock.moment(place.missing_since)}
        tone, icon = "late", "circle-x"
    elif cannot_be_counted(row.state, row.last_success_at, row.remaining, place.on_server):
        word, tone, icon = _("Read to the newest"), "good", "circle-check"
    elif place.complete is None:
        word, tone, icon = _("Not counted yet"), "", "clock"
    elif not place.complete:
        word, tone, icon = _("Not complete"), "warn", "triangle-alert"
    elif is_old and place.counted_at:
        word, tone, icon = _("Complete at %(time)s") % {"time": clock.moment(place.counted_at)}, "", "clock"
    else:
        word, tone, icon = _("Complete"), "good", "circle-check"
    return {
        "name": place.place,
        "on_server": place.on_server,
        "stored": place.stored,
        "pending": place.pending - place.unexplained,
        "left_out": sum(place.excluded.values()),
        "rules": [(rule_words(rule), count) for rule, count in sorted(place.excluded.items())],
        "gap": place.unexplained,
        "gone": place.gone,
        "counted": clock.age(place.counted_at) if place.counted_at else "",
        "proved": clock.age(place.proved_at) if place.proved_at else "",
        "word": word,
        "tone": tone,
        "icon": icon,
        "sentence": place.sentence,
    }


def _headline(sums: completeness.Completeness, row: Any, is_old: bool) -> str:
    if sums.missing_since is not None:
        if sums.complete is False:
            return _("A folder cannot be opened, and not every mail is here.")
        return _("A folder cannot be opened. What lay in it when it was last seen is here.")
    if cannot_be_counted(row.state, row.last_success_at, row.remaining, sums.on_server):
        return _("Read to the newest. The server does not say how many there are.")
    if sums.complete is None:
        return _("The server has not been counted yet.")
    if not sums.complete:
        return _("Not every mail is here yet.")
    if is_old:
        return _("Every mail was here when the server was last asked.")
    return (
        _("Every mail on the server is here.") if not sums.excluded else _("Every mail is here or left out by a rule.")
    )


def _exception(one: exceptions.Exceptional, clock: Clock) -> dict[str, Any]:
    return {
        "id": one.id,
        "place": one.place,
        "external_id": one.external_id,
        "reason": one.reason,
        "rule": rule_words(one.rule) if one.rule else "",
        "since": clock.moment(one.since),
        "full": clock.full(one.since),
        "attempts": one.attempts,
        "message": one.message,
        "conversation": one.conversation,
    }


def _before(request: SignedIn) -> int | None:
    text = request.GET.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 20 else None


@needs("health")
@require_GET
def account(request: SignedIn, id: int) -> HttpResponse:
    row = access.get_readable_account(request.user, id)
    clock = clock_of(request.user)
    sums = completeness.completeness(row.id)
    counts = exceptions.counts(row.id)
    asked = request.GET.get("kind", "")
    kind = asked if asked in counts else next((name for name, count in counts.items() if count), "waiting")
    found = exceptions.find(row.id, kind, _before(request), exceptions.AT_ONCE + 1)
    shown = found[: exceptions.AT_ONCE]
    context = {
        "account": row,
        "channel": channel_of(row.kind),
        "headline": _headline(sums, row, status.is_old(sums.counted_at, row, clock.now)),
        "proved_at": sums.proved_at,
        "counted_at": sums.counted_at,
        "places": [_place(place, row, clock) for place in sums.places],
        "kinds": [
            {"name": name, "word": _kind_words(name)[0], "count": count, "is_here": name == kind}
            for name, count in counts.items()
        ],
        "kind": kind,
        "about": _kind_words(kind)[1],
        "exceptions": [_exception(one, clock) for one in shown],
        "more": shown[-1].id if len(found) > len(shown) else None,
        "is_read": row.next_poll_at is not None,
    }
    return render(request, "proof.html", context, here="health")


@needs("health")
@require_POST
def prove(request: SignedIn, id: int) -> HttpResponse:
    row, now = access.get_readable_account(request.user, id), timezone.now()
    if reconciliation.ask(row.id, now):
        bells.ring("fetch")
        said = _("Every mail of %(name)s is being listed. Look again in a moment.")
        messages.success(request, said % {"name": row.name})
    else:
        messages.error(request, _("%(name)s is not read at present, so it cannot be listed.") % {"name": row.name})
    return redirect("health-account", row.id)


@needs("accounts")
@require_POST
def settle(request: SignedIn, id: int, trouble: int, name: str) -> HttpResponse:
    row, now = access.get_account(request.user, id), timezone.now()
    acts = {"leave-out": reconciliation.leave_out, "ask-again": reconciliation.take_back}
    if name not in acts or not acts[name](row.id, trouble, now):
        raise Http404
    people.audit(f"account.{name}", f"account:{row.id}", request.user, now, {"name": row.name, "trouble": trouble})
    said = {
        "leave-out": _("It is left out from now on, and stands there by name."),
        "ask-again": _("It is asked for again."),
    }
    messages.success(request, said[name])
    bells.ring("fetch")
    return redirect("health-account", row.id)
