"""The parameters that lists share: docs.x.com/x-api/fundamentals/pagination."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TypeVar

from connectors.simulators.exchange import Malformed, Request
from connectors.simulators.x.things import DirectEvent, XPost

T = TypeVar("T", XPost, DirectEvent)


def listed(request: Request, name: str) -> list[str]:
    values = [one.strip() for text in request.query.get(name, ()) for one in text.split(",") if one.strip()]
    if not 1 <= len(values) <= 100:
        raise Malformed(f"The `{name}` query parameter must have 1 to 100 values.")
    return values


def since_of(request: Request) -> int:
    """The since_id of a request, 0 without a readable one."""
    text = request.first("since_id")
    return int(text) if text.isdecimal() else 0


def within(request: Request, posts: list[XPost]) -> list[XPost]:
    """docs.x.com/x-api/fundamentals/pagination: since_id and until_id leave out the post they name."""
    for name in ("since_id", "until_id"):
        if request.first(name) and not request.first(name).isdecimal():
            raise Malformed(f"The `{name}` query parameter value [{request.first(name)}] is not a valid Tweet ID")
    since, until = int(request.first("since_id", "0")), int(request.first("until_id", str(2**63)))
    start, end = _moment(request, "start_time"), _moment(request, "end_time")
    return [
        post
        for post in posts
        if since < int(post.id) < until
        and (start is None or post.created_at >= start)
        and (end is None or post.created_at < end)
    ]


def _moment(request: Request, name: str) -> datetime | None:
    text = request.first(name)
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        raise Malformed(f"The `{name}` query parameter value [{text}] is not an RFC 3339 time.") from None


def page(request: Request, found: list[T], sizes: tuple[int, int, int]) -> tuple[list[T], dict[str, str]]:
    """(the items of this page, next_token and previous_token). A token names the last item that was shown."""
    least, most, usual = sizes
    size = request.first("max_results", str(usual))
    if not size.isdecimal() or not least <= int(size) <= most:
        raise Malformed(f"The `max_results` query parameter value [{size}] is not between {least} and {most}")
    token = request.first("pagination_token") or request.first("next_token")
    older = found
    if token:
        try:
            last = int(base64.urlsafe_b64decode(token.encode()).decode())
        except (binascii.Error, ValueError):
            raise Malformed(f"The `pagination_token` query parameter value [{token}] is not valid") from None
        older = [one for one in found if int(one.id) < last]
    page = older[: int(size)]
    if len(older) <= len(page):
        return page, {}
    return page, {"next_token": base64.urlsafe_b64encode(page[-1].id.encode()).decode()}
