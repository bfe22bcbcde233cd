"""Health: did we miss one, what leaves, and does everything keep up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from inbox import aftercare, budgets, issuers
from inbox.rules.states import AccountState, DoorbellState, SendState
from web import access
from web.access import SignedIn, needs
from web.formatting import Clock, span
from web.rows import channel_of
from web.sends import send_words
from web.views.page import clock_of, render
from web.views.proof import cannot_be_counted, rule_words
from web.views.vouching import vouching_row
from workers import status

_OUTBOX = (
    (SendState.QUEUED, "hourglass", ""),
    (SendState.SENDING, "send", ""),
    (SendState.COMMITTING, "send", ""),
    (SendState.RETRY, "refresh-cw", "warn"),
    (SendState.UNKNOWN, "circle-help", "late"),
    (SendState.FAILED, "circle-x", "late"),
    (SendState.SENT, "check-check", "good"),
    (SendState.CANCELLED, "undo-2", ""),
)


def _outbox_words(state: SendState) -> tuple[str, str]:
    words = {
        SendState.QUEUED: (_("Waits or is due"), _("undo still works")),
        SendState.SENDING: (_("Leaving now"), ""),
        SendState.COMMITTING: (_("At the last step"), _("the server is about to say yes")),
        SendState.RETRY: (_("Will be tried again"), _("by itself")),
        SendState.UNKNOWN: (_("May have been delivered"), _("needs a person, unless proof is found")),
        SendState.FAILED: (_("Failed"), _("the reply is kept in its conversation")),
        SendState.SENT: (_("Sent"), _("accepted by the server")),
        SendState.CANCELLED: (_("Taken back"), ""),
    }
    return words[state]


def _account(row: dict[str, Any], clock: Clock) -> dict[str, Any]:
    excluded = sum(row["excluded"].values())
    # While a history is being read, what no number is known for yet is on the way.
    gap = 0 if row.get("remaining") else row["unexplained"]
    counted, proved = row["counted_at"], row["proved_at"]
    told = (row["state"], row["last_success_at"], row.get("remaining"), row["on_server"])
    row = {**row, "is_uncounted": cannot_be_counted(*told)}
    return {
        **row,
        "channel": channel_of(row["kind"]),
        "left_out": excluded,
        "pending": row["pending"] - gap,
        "rules": ", ".join(f"{rule_words(name)}: {count}" for name, count in row["excluded"].items()),
        "gap": gap if row["on_server"] is not None else None,
        "age": clock.age(counted) if counted else "",
        "proved": clock.age(proved) if proved else "",
        "is_read": row["next_poll_at"] is not None,
        "rings": doorbell_words(row["doorbell"], clock) if row["doorbell"] else "",
        "spend_words": spend_words(row["spend"]),
        **_in_a_word(row, clock),
    }


def _told(request: SignedIn, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row with what a person can do about its log-in, and what could not be marked or moved at the provider."""
    known = {str(account.id): account for account in access.accounts(request.user)}
    troubles = aftercare.troubles(account.id for account in known.values())
    for row in rows:
        account = known[row["id"]]
        signs_in = bool(issuers.issuer_of(account))
        state = AccountState(row["state"])
        row["again"] = state is AccountState.NEEDS_LOGIN or (signs_in and state is AccountState.RETRYING)
        row["needs_person"] = state is AccountState.NEEDS_LOGIN
        number, why = troubles.get(account.id, (0, ""))
        row["untended"] = (
            ngettext(
                "%(num)s mail is not yet marked or moved there: %(why)s",
                "%(num)s mails are not yet marked or moved there: %(why)s",
                number,
            )
            % {"num": number, "why": why}
            if number
            else ""
        )
    return rows


def doorbell_words(bell: dict[str, Any], clock: Clock) -> str:
    """How soon new mail is here, and why not sooner."""
    state, since = DoorbellState(bell["state"]), clock.moment(bell["since"]) if bell["since"] else ""
    length = timedelta(seconds=bell["every_seconds"])
    pause = _("minute") if length == timedelta(minutes=1) else span(length)
    if state is DoorbellState.LIVE and bell["is_whole"]:
        return _("New mail rings, since %(time)s") % {"time": since}
    if state is DoorbellState.LIVE:
        return _("New mail rings for the first folder; the others are looked at every %(pause)s") % {"pause": pause}
    if state is DoorbellState.MISSING:
        return _("Looked at every %(pause)s: its server does not ring") % {"pause": pause}
    if state is DoorbellState.AWAY:
        what = {"pause": pause, "time": since, "why": bell["sentence"]}
        return _("Looked at every %(pause)s, since %(time)s: %(why)s") % what
    if state is DoorbellState.UNHEARD:
        return _("Looked at every %(pause)s: the listener is not running") % {"pause": pause}
    return _("Looked at every %(pause)s until its doorbell is there") % {"pause": pause}


def spend_words(told: dict[str, Any] | None) -> str:
    """How an account stands with its budget, where there is something to say."""
    if told is None or not told["is_soft"] or told["stopped_until"]:
        return ""
    limit = told["monthly_micros"] if told["daily_micros"] is None else told["daily_micros"]
    spent = told["month_micros"] if told["daily_micros"] is None else told["today_micros"]
    if told["daily_micros"] is not None and told["monthly_micros"] is not None:
        is_month = told["month_micros"] * told["daily_micros"] > told["today_micros"] * told["monthly_micros"]
        spent = told["month_micros"] if is_month else told["today_micros"]
        limit = told["monthly_micros"] if is_month else told["daily_micros"]
    words = _("Most of its budget is spent: %(spent)s of %(limit)s")
    return words % {"spent": budgets.cents(spent), "limit": budgets.dollars(limit)}


def _in_a_word(row: dict[str, Any], clock: Clock) -> dict[str, str]:
    state = AccountState(row["state"])
    until = (row["spend"] or {}).get("stopped_until")
    if until and state is AccountState.RETRYING:
        word = _("Its budget is used up until %(time)s") % {"time": clock.moment(until)}
        return {"word": word, "tone": "warn", "icon": "coins", "detail": row["sentence"]}
    if state is AccountState.NEEDS_LOGIN:
        since = row.get("state_since")
        word = _("Needs a new log-in since %(time)s") % {"time": clock.moment(since)} if since else ""
        word = word or _("Needs a new log-in")
        return {"word": word, "tone": "late", "icon": "octagon-alert", "detail": row["sentence"]}
    if row["missing"]:
        since = min(place["since"] for place in row["missing"])
        word = _("A folder is missing since %(time)s") % {"time": clock.moment(since)}
        return {"word": word, "tone": "warn", "icon": "triangle-alert", "detail": row["sentence"]}
    if state is AccountState.RETRYING:
        since = row.get("state_since")
        word = _("Away since %(time)s") % {"time": clock.moment(since)} if since else _("Tries again by itself")
        return {"word": word, "tone": "warn", "icon": "hourglass", "detail": row["sentence"]}
    if state is AccountState.PAUSED:
        return {"word": _("Paused"), "tone": "", "icon": "pause", "detail": _("Nothing is read until you resume it.")}
    if row.get("remaining"):
        left = ngettext("%(n)s still to come", "%(n)s still to come", row["remaining"]) % {"n": f"{row['remaining']:,}"}
        return {"word": _("Reading the history"), "tone": "", "icon": "loader-circle", "detail": left}
    if row["stale"]:
        word = _("As of %(time)s") % {"time": clock.moment(row["counted_at"])}
        detail = _("These numbers are old: nobody has looked since.")
        return {"word": word, "tone": "warn", "icon": "clock", "detail": detail}
    if row["complete"] is True:
        detail = "" if row["proved_at"] else _("By count; every mail is listed soon.")
        return {"word": _("Complete"), "tone": "good", "icon": "circle-check", "detail": detail}
    if row["complete"] is False and not row["unexplained"]:
        detail = _("The server has it and does not hand it over; it is asked for with every look.")
        return {"word": _("On the way"), "tone": "warn", "icon": "hourglass", "detail": detail}
    if row["complete"] is False:
        return {
            "word": _("Not yet explained"),
            "tone": "warn",
            "icon": "triangle-alert",
            "detail": _("Every mail is listed soon, and what is missing is fetched."),
        }
    if row["is_uncounted"]:
        detail = _("Its server does not say how many there are.")
        return {"word": _("Read to the newest"), "tone": "good", "icon": "circle-check", "detail": detail}
    return {"word": _("Not counted yet"), "tone": "", "icon": "clock", "detail": ""}


def _sum(rows: list[dict[str, Any]]) -> dict[str, Any]:
    counted = [row for row in rows if row["on_server"] is not None]
    return {
        "on_server": sum(row["on_server"] for row in counted),
        "stored": sum(row["stored"] for row in counted),
        "pending": sum(row["pending"] for row in counted),
        "left_out": sum(row["left_out"] for row in counted),
        "gap": sum(row["gap"] or 0 for row in counted),
        "has_any": bool(counted),
    }


def _headline(rows: list[dict[str, Any]], total: dict[str, Any]) -> str:
    if not rows:
        return _("No mailbox is connected yet.")
    uncounted = sum(1 for row in rows if row["is_uncounted"])
    rows = [row for row in rows if not row["is_uncounted"]]
    others = ngettext(
        "%(num)s channel that cannot be counted is read to the newest.",
        "%(num)s channels that cannot be counted are read to the newest.",
        uncounted,
    ) % {"num": uncounted}
    return " ".join(([_of_counted(rows, total)] if rows else []) + ([others] if uncounted else []))


def _of_counted(rows: list[dict[str, Any]], total: dict[str, Any]) -> str:
    complete = sum(1 for row in rows if row["complete"] is True and not row["needs_person"])
    if complete == len(rows) and not total["gap"]:
        return ngettext(
            "The one mailbox is complete. Nothing was missed.",
            "All %(num)s mailboxes are complete. Nothing was missed.",
            len(rows),
        ) % {"num": len(rows)}
    troubled = [row["name"] for row in rows if row["tone"] in ("late", "warn")]
    first = ngettext(
        "%(done)s of %(num)s mailbox is complete.", "%(done)s of %(num)s mailboxes are complete.", len(rows)
    ) % {"done": complete, "num": len(rows)}
    return f"{first} " + (
        _("Look at %(names)s.") % {"names": ", ".join(troubled[:3])} if troubled else _("The others are being read.")
    )


def _troubled_sends(request: SignedIn, clock: Clock) -> list[dict[str, Any]]:
    """The newest sends that need a person, of conversations that this person may read."""
    rows = access.envelopes(request.user).filter(state__in=(SendState.UNKNOWN, SendState.FAILED)).order_by("-id")
    found = []
    for row in rows.select_related("conversation__customer")[:10]:
        data = {"id": row.id, "state": row.state, "sentence": row.sentence, "due_at": row.due_at, "recipients": []}
        found.append({"send": send_words(data, clock), "conversation": row.conversation, "at": row.created_at})
    return found


def _keeping_up(found: dict[str, Any]) -> list[dict[str, str]]:
    index, jobs = found["index"], found["jobs"]
    lag = timedelta(seconds=float(jobs["oldest_due_seconds"] or 0))
    pending = int(index.get("pending") or 0)
    oldest = timedelta(seconds=float(index.get("oldest_seconds") or 0))
    drift = index.get("drift")
    return [
        {
            "name": _("Jobs"),
            "word": _("Keep up") if lag < timedelta(seconds=30) else _("Behind by %(time)s") % {"time": span(lag)},
            "tone": "good" if lag < timedelta(seconds=30) else "warn",
            "detail": _("the oldest thing to do has waited %(time)s") % {"time": span(lag)},
        },
        {
            "name": _("Search"),
            "word": _("Up to date") if not pending else _("%(n)d to index") % {"n": pending},
            "tone": "good" if not pending else "warn",
            "detail": (_("in the database itself") if index.get("backend") == "fts5" else str(index.get("backend", "")))
            + (", " + _("the oldest %(time)s") % {"time": span(oldest)} if pending else ""),
        },
        {
            "name": _("Index against rows"),
            "word": _("Not compared yet")
            if drift is None
            else _("No difference")
            if not drift
            else _("%(n)d differences") % {"n": drift},
            "tone": "" if drift is None else "good" if not drift else "warn",
            "detail": _("balas index check compares them"),
        },
    ]


def _asked(request: SignedIn) -> list[dict[str, Any]]:
    """Mailboxes whose server is to be confirmed before it vouches for anybody."""
    if not access.may(request.user, "accounts"):
        return []
    return [row for row in map(vouching_row, access.accounts(request.user)) if row["candidate"]]


@needs("health")
@require_GET
def health(request: SignedIn) -> HttpResponse:
    clock = clock_of(request.user)
    found = status.collect(clock.now, access.scope(request.user))
    rows = _told(request, [_account(row, clock) for row in found["accounts"]])
    total = _sum(rows)
    counted: list[datetime] = [row["counted_at"] for row in rows if row.get("counted_at")]
    outbox = [
        {
            "state": state,
            "icon": icon,
            "tone": tone,
            "count": found["outbox"].get(str(state), 0),
            "words": _outbox_words(state),
        }
        for state, icon, tone in _OUTBOX
    ]
    context = {
        "accounts": rows,
        "total": total,
        "headline": _headline(rows, total),
        "counted_at": min(counted) if counted else None,
        "old": [row["name"] for row in rows if row["stale"]],
        "outbox": outbox,
        "troubled": _troubled_sends(request, clock),
        "keeping_up": _keeping_up(found),
        "asked": _asked(request),
    }
    return render(request, "health.html", context, here="health")
