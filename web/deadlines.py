"""Time left, put into a word, a shape and a width: the one visual idea of the pages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.utils.translation import gettext as _

from inbox import sla
from inbox.rules.states import Reason, Status
from inbox.rules.urgency import Span, Stage, Urgency, urgency
from web.formatting import Clock

_USUAL_TARGET = timedelta(hours=4)  # where a row does not name its policy


@dataclass(frozen=True, slots=True)
class TimeLeft:
    stage: str  # calm | soon | last | late | paused | kept | none
    shape: str  # the icon, t-<shape>
    word: str
    due: str = ""  # for those who listen: "answer due 11:48"
    width: int = 0  # per cent of the rule under the row

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _settled(row: dict[str, Any], clock: Clock) -> TimeLeft | None:
    status = row["status"]
    if status == Status.WAITING:
        return TimeLeft("kept", "kept", _("Answered"))
    if status == Status.RESOLVED:
        return TimeLeft("kept", "kept", _("Resolved"))
    if status == Status.SPAM:
        return TimeLeft("none", "none", _("Spam"))
    if status == Status.SNOOZED:
        until = row.get("snoozed_until")
        return TimeLeft(
            "paused", "paused", _("Until %(time)s") % {"time": clock.moment(until)} if until else _("Paused")
        )
    return None


def time_left(row: dict[str, Any], clock: Clock) -> TimeLeft:
    """`row` as `inbox.worklist` gives it."""
    if row["status"] == Status.RESOLVED and row.get("status_reason") == Reason.AUTOMATIC:
        return TimeLeft("none", "none", _("No clock"))
    settled = _settled(row, clock)
    if settled is not None:
        return settled
    due_at, calendar_id = row["due_at"], row.get("calendar_version_id")
    if due_at is None or not calendar_id:
        return TimeLeft("none", "none", _("No clock"))
    calendar = sla.load_calendar(calendar_id)
    state = urgency(due_at, row["due_for"], _target(row), clock.now, calendar, row["status"])
    word = _word(state, span_words(state.span or Span(0, 0, 0)))
    return TimeLeft(state.stage, state.stage, word, _due_words(row, due_at, clock), round(state.width * 100))


def _target(row: dict[str, Any]) -> timedelta:
    policy_id = row.get("policy_version_id")
    if not policy_id or not row["due_for"]:
        return _USUAL_TARGET
    targets = sla.load_targets(policy_id, row["calendar_version_id"])
    return cast("timedelta", getattr(targets, row["due_for"]))


def span_words(span: Span) -> str:
    """ "2 d 3 h", "1 h 50", "46 min": at most two units."""
    if span.days:
        words = _("%(d)d d %(h)d h") if span.hours else _("%(d)d d")
    elif span.hours:
        words = _("%(h)d h %(m)02d") if span.minutes else _("%(h)d h")
    else:
        words = _("%(m)d min")
    return words % {"d": span.days, "h": span.hours, "m": span.minutes}


def _word(state: Urgency, length: str) -> str:
    if state.stage is Stage.LATE:
        return _("Late %(time)s") % {"time": length} if state.late_by >= timedelta(minutes=1) else _("Late")
    if state.stage is Stage.LAST:
        return _("Last %(time)s") % {"time": length}
    if state.stage is Stage.SOON:
        return _("Soon %(time)s") % {"time": length}
    return _("%(time)s left") % {"time": length}


def _due_words(row: dict[str, Any], due_at: datetime, clock: Clock) -> str:
    words = _("solution due %(time)s") if row.get("due_for") == "resolution" else _("answer due %(time)s")
    return words % {"time": clock.moment(due_at)}
