"""What X means when it refuses, as errors of the contract.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors: a problem (RFC 7807) with `type`, `title`, `detail`,
alone or in a list `errors`, also beside data in an answer of 200. Pay-per-use adds 402 (no credit left) and 429 with
`usage-capped` for a monthly cap, whose limit headers speak of something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.answers import Answer
from connectors.base import AuthFailed, ConnectorError, Refused, RetryLater
from connectors.mail.sentences import one_line

NO_CREDIT_WAIT = timedelta(hours=1)
CAPPED_WAIT = timedelta(hours=6)
_HANDLE = re.compile(r"\[[^\[\]]{1,64}\]")


def words_of(data: Mapping[str, Any]) -> str:
    """What X says went wrong: of the problem itself, else of the first one in its list."""
    for one in [data, *problems_of(data)]:
        for name in ("detail", "message", "error_description", "title", "error"):
            if isinstance(one.get(name), str) and one[name].strip():
                return str(one[name])
    return ""


def problems_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = data.get("errors")
    return [one for one in errors[:200] if isinstance(one, dict)] if isinstance(errors, list) else []


def _kind_of(problem: Mapping[str, Any]) -> str:
    """The last part of a problem's type, such as "resource-not-found"."""
    kind = problem.get("type")
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""


def is_missing(problem: Mapping[str, Any]) -> bool:
    """Whether a post that was asked for is not there for us any more: deleted, or its author suspended or protected."""
    return _kind_of(problem) in {"resource-not-found", "not-authorized-for-resource", "resource-unavailable"}


def is_duplicate(answer: Answer) -> bool:
    """X refuses the same words twice, also when the first time went well and only its answer was lost."""
    return answer.status in {400, 403} and "duplicate content" in words_of(answer.object).lower()


def refusal(answer: Answer) -> ConnectorError | None:
    """A better error than the door's own, for what it cannot know of X; None when that one is right."""
    said = words_of(answer.object)
    low, kind = said.lower(), _kind_of(answer.object)
    quoted = f"“{one_line(said, 160).rstrip('. ')}”"
    if answer.status == 402 or kind in {"credits", "credits-depleted"}:
        return RetryLater(
            "X has stopped our calls: there is no credit left. Add credit in X's Developer Console.", NO_CREDIT_WAIT
        )
    if kind == "usage-capped" or "usage cap" in low:
        return RetryLater(
            "X has stopped our calls: the cap of this app for the month is reached. Raise the spending limit in X's "
            "Developer Console, or wait for the next month.",
            CAPPED_WAIT,
        )
    if answer.status not in {400, 401, 403, 404}:
        return None
    return _about_us(low, quoted) or _about_the_post(low, kind, quoted)


def _about_us(low: str, quoted: str) -> ConnectorError | None:
    if "suspended" in low and ("authentication" in low or "account" in low):
        return AuthFailed("X has suspended this account. Only X can lift that; then connect it again.")
    if "temporarily locked" in low or "account is locked" in low:
        return AuthFailed("X has locked this account until its owner logs in at x.com. Then connect it again.")
    if "oauth2 app permissions" in low or "scope" in low or "not permitted to perform this action" in low:
        return Refused(f"The permission that was given to us does not cover this: {quoted}. Connect the account again.")
    return None


def _about_the_post(low: str, kind: str, quoted: str) -> ConnectorError | None:
    if "duplicate content" in low:
        return Refused("X refuses this: the same words were posted a moment ago.")
    if "reply to this conversation" in low or "mentioned or otherwise engaged" in low:
        return Refused(
            "X does not let a program reply here: the author has neither mentioned this account nor quoted it. "
            "Answer at x.com, or write a direct message."
        )
    if "deleted or not visible" in low or "tweet that is deleted" in low or "post that is deleted" in low:
        return Refused("The post that this answers is gone, or its author no longer shows it to us. The text is kept.")
    if "cannot send messages to this user" in low or "you cannot send" in low:
        return Refused("This person takes no direct messages from us.")
    if kind == "client-forbidden":
        return Refused(
            f"X does not open this to our app: {quoted}. Look at the app's project in X's Developer Console."
        )
    return None


def own_trouble(data: Mapping[str, Any]) -> ConnectorError | None:
    """An answer of 200 without data because of what has become of our own account."""
    if data.get("data"):
        return None
    for problem in problems_of(data):
        said = words_of(problem)
        if "suspended" in said.lower():
            return AuthFailed("X has suspended this account. Only X can lift that; then connect it again.")
        if _kind_of(problem) == "not-authorized-for-resource":
            return Refused("X does not show this account's posts to the app that is connected. Connect it again.")
        if _kind_of(problem) == "resource-not-found":
            return AuthFailed(f"X no longer knows this account{_HANDLE.sub('', ': “' + one_line(said, 120) + '”')}.")
    return None
