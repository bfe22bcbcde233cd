"""Who wrote a post, as the platform shows them: the card beside the conversation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from connectors.social import Profile
from web.formatting import Clock, compact
from web.posts import at_handle, find_post, find_time, host_in, safe_url
from web.rows import Channel, channel_of

_MAX_HANDLES = 3


@dataclass(frozen=True, slots=True)
class Author:
    channel: Channel
    name: str
    handle: str
    bio: str
    marks: tuple[tuple[str, str], ...]  # (icon, words)
    facts: tuple[tuple[str, str], ...]
    url: str
    host: str


def find_author(entries: Iterable[dict[str, Any]], clock: Clock) -> Author | None:
    """Who wrote the newest post of a customer's, as they were then; None where nobody posted."""
    theirs = [entry for entry in entries if entry.get("direction") == "inbound"]
    for entry in reversed(theirs):
        post = find_post(entry)
        if post is None:
            continue
        profile, url = post.profile, safe_url(post.profile.url)
        handle = profile.handle or str(entry.get("author_address") or "")
        return Author(
            channel=channel_of(entry["kind"]),
            name=profile.name or str(entry.get("author_name") or ""),
            handle=at_handle(handle),
            bio=profile.bio.strip(),
            marks=_marks(profile, _earlier_handles(theirs, entry.get("author_id"), handle)),
            facts=_facts(profile, clock),
            url=url,
            host=host_in(url),
        )
    return None


def _earlier_handles(theirs: list[dict[str, Any]], author_id: object, handle: str) -> list[str]:
    """Names under which the same account wrote here before: the platform's id stayed, the name changed."""
    found: dict[str, None] = {}
    for entry in theirs:
        post = find_post(entry) if entry.get("author_id") == author_id else None
        if post is not None and post.profile.handle:
            found[post.profile.handle.lstrip("@")] = None
    return [at_handle(one) for one in found if one.lower() != handle.lstrip("@").lower()]


def _marks(profile: Profile, earlier: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    if profile.is_verified:
        found.append(("badge-check", _("Verified by the platform")))
    if profile.is_protected:
        found.append(("lock", _("Protected: only their followers read them")))
    if profile.is_robot:
        found.append(("bot", _("Says that it is automatic")))
    if earlier:
        names = ", ".join(earlier[-_MAX_HANDLES:])
        found.append(("history", _("Wrote here before as %(names)s") % {"names": names}))
    return tuple(found)


def _facts(profile: Profile, clock: Clock) -> tuple[tuple[str, str], ...]:
    found = []
    if profile.followers is not None:
        found.append((_("Followers"), compact(profile.followers)))
    if profile.following is not None:
        found.append((_("Follows"), compact(profile.following)))
    if profile.posts is not None:
        found.append((_("Posts"), compact(profile.posts)))
    since = find_time(profile.since)
    if since is not None:
        found.append((_("There since"), formats.date_format(clock.local(since), "F Y")))
    return tuple(found)
