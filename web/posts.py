"""A post as its conversation shows it: who can read it, what hangs on it, and what became of it, put into words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.mail.links import host_of, readable_host
from connectors.registry import card_of
from connectors.social import Media, Poll, Post, Profile, Quoted, post_of
from inbox.models import Message
from web.formatting import Clock, compact
from web.visibility import PUBLIC, visibility_word

MAX_SHOWN = 8
"""Pictures and choices of one post: platforms allow four to ten."""
_MAX_LABELS = 6


@dataclass(frozen=True, slots=True)
class ShownMedia:
    number: int  # its place in the post: by it the picture's door knows it
    word: str
    alt: str
    icon: str
    has_picture: bool


@dataclass(frozen=True, slots=True)
class ShownChoice:
    words: str
    votes: str
    percent: int  # of the bar


@dataclass(frozen=True, slots=True)
class ShownPost:
    visibility: str
    is_public: bool
    meta: str  # "Mastodon, public, 312 followers"
    warning: str
    media: tuple[ShownMedia, ...]
    hosts: str  # where the pictures lie
    choices: tuple[ShownChoice, ...]
    poll_words: str
    quoted: Quoted | None
    quoted_url: str
    labels: tuple[str, ...]
    url: str
    host: str
    carried: str = ""  # "Boosted 4 times, reach 12 k"
    edited: str = ""
    before: tuple[tuple[str, str], ...] = ()  # (until when, what it said)
    deleted: str = ""
    hidden: str = ""
    may_hide: bool = False


def find_post(entry: dict[str, Any]) -> Post | None:
    """The post behind a message, None for what is none. `entry` as `inbox.timeline` gives it."""
    return _post_in(entry.get("enclosed"))


def post_behind(message: Message) -> Post | None:
    return _post_in(message.enclosed)


def _post_in(enclosed: Any) -> Post | None:
    found = enclosed.get("post") if isinstance(enclosed, dict) else None
    return post_of(found) if isinstance(found, dict) else None


def safe_url(address: str) -> str:
    """An address that may stand behind a link: https of a host, nothing else; "" for any other."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return ""
    plain = "@" not in parts.netloc and address.isprintable() and " " not in address
    return address if parts.scheme == "https" and host and plain else ""


def host_in(address: str) -> str:
    return (urlsplit(address).hostname or "") if safe_url(address) else ""


def at_handle(handle: str) -> str:
    """As people write it: with one @ before it."""
    return f"@{handle.lstrip('@')}" if handle else ""


def followers_words(count: int) -> str:
    words = ngettext("%(count)s follower", "%(count)s followers", count)
    return words % {"count": compact(count)}


def shown_entry(entry: dict[str, Any], clock: Clock) -> ShownPost | None:
    """A post of a timeline with all that became of it; None for what is no post."""
    post = find_post(entry)
    if post is None:
        return None
    if entry["direction"] == "outbound":  # how many follow ourselves is no news
        post = replace(post, profile=Profile())
    edited, deleted = entry.get("post__edited_at"), entry.get("post__deleted_at")
    return replace(
        shown_post(post, entry["kind"], clock),
        carried=carried_words(entry.get("boosts") or 0, entry.get("likes") or 0, entry.get("carried_to") or 0),
        edited=_("edited %(time)s") % {"time": clock.short(edited)} if edited else "",
        before=tuple((clock.full(one["seen_at"]), one["text"]) for one in entry.get("editions") or ()),
        deleted=_("Deleted by its author, %(time)s") % {"time": clock.short(deleted)} if deleted else "",
        hidden=hidden_words(entry.get("post__hidden_why") or ""),
        may_hide=entry["direction"] == "inbound" and not deleted,
    )


def accepted_words(kind: str, post: ShownPost) -> str:
    """Of an answer that left: everybody can read it by now, or the platform has it."""
    return _("Published") if post.is_public else _("Accepted by %(platform)s") % {"platform": _(card_of(kind).name)}


def carried_words(boosts: int, likes: int, readers: int) -> str:
    """How far others have carried it."""
    found = []
    if boosts:
        found.append(ngettext("Boosted %(num)s time", "Boosted %(num)s times", boosts) % {"num": compact(boosts)})
    if boosts and readers:
        found.append(_("reach %(count)s") % {"count": compact(readers)})
    if likes:
        found.append(ngettext("%(num)s like", "%(num)s likes", likes) % {"num": compact(likes)})
    return ", ".join(found)


def why_hidden(why: str) -> str:
    words = {"spam": _("spam"), "hate": _("hateful"), "off-topic": _("off topic")}
    return words.get(why, _("no reason given"))


def hidden_words(why: str) -> str:
    words = {"spam": _("Hidden as spam"), "hate": _("Hidden as hateful"), "off-topic": _("Hidden as off topic"), "": ""}
    return words.get(why, _("Hidden"))


def shown_post(post: Post, kind: str, clock: Clock) -> ShownPost:
    words = [_(card_of(kind).name), visibility_word(post.visibility)]
    if post.profile.followers is not None:
        words.append(followers_words(post.profile.followers))
    url = safe_url(post.url)
    media = tuple(_media(number, one) for number, one in enumerate(post.media[:MAX_SHOWN]))
    hosts = dict.fromkeys(readable_host(host_of(picture_of(one))) for one in post.media[:MAX_SHOWN])
    return ShownPost(
        visibility=str(post.visibility),
        is_public=post.visibility in PUBLIC,
        meta=", ".join(words),
        warning=post.warning.strip(),
        media=media,
        hosts=", ".join([host for host in hosts if host][:3]),
        choices=_choices(post.poll),
        poll_words=_poll_words(post.poll, clock),
        quoted=post.quoted,
        quoted_url=safe_url(post.quoted.url) if post.quoted else "",
        labels=tuple(dict.fromkeys(label_word(label) for label in post.labels[:_MAX_LABELS])),
        url=url,
        host=host_in(url),
    )


def picture_of(media: Media) -> str:
    """The address of what can be shown of it as a still picture, "" when there is nothing. We ask, no browser does."""
    return media.preview_url or (media.url if media.kind == "image" else "")


def _media(number: int, media: Media) -> ShownMedia:
    words = {
        "image": (_("Picture"), "image"),
        "video": (_("Video"), "play"),
        "gif": (_("Moving picture"), "play"),
        "audio": (_("Sound"), "play"),
    }
    word, icon = words.get(media.kind, (_("File"), "file-text"))
    return ShownMedia(number, word, " ".join(media.alt.split()), icon, bool(picture_of(media)))


def _choices(poll: Poll | None) -> tuple[ShownChoice, ...]:
    if poll is None:
        return ()
    known = [votes for _words, votes in poll.choices if votes > 0]
    most = sum(known) or 1
    found = []
    for words, votes in poll.choices[:MAX_SHOWN]:
        percent = round(100 * votes / most) if votes > 0 else 0
        told = _("%(percent)d %%, %(votes)s") % {"percent": percent, "votes": compact(votes)} if votes >= 0 else ""
        found.append(ShownChoice(words, told, min(100, percent)))
    return tuple(found)


def _poll_words(poll: Poll | None, clock: Clock) -> str:
    if poll is None:
        return ""
    found = [_("Several answers are possible") if poll.takes_several else _("One answer is possible")]
    ends = find_time(poll.ends_at)
    if ends is not None:
        words = _("ends %(time)s") if ends > clock.now else _("ended %(time)s")
        found.append(words % {"time": clock.moment(ends)})
    return ", ".join(found)


def find_time(text: str) -> datetime | None:
    """RFC 3339 as a platform wrote it; None for what is none, or names no zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def label_word(label: str) -> str:
    """A platform's or a labeller's mark, in a word where it is one of the usual ones."""
    words = {
        "spam": _("Labelled as spam"),
        "porn": _("Labelled as adult content"),
        "sexual": _("Labelled as suggestive"),
        "nudity": _("Labelled as nudity"),
        "graphic-media": _("Labelled as graphic"),
        "gore": _("Labelled as graphic"),
        "sensitive": _("Marked as sensitive"),
        "hate": _("Labelled as hateful"),
        "intolerant": _("Labelled as hateful"),
        "impersonation": _("Labelled as impersonation"),
        "scam": _("Labelled as a scam"),
    }
    return words.get(label.lower().lstrip("!"), _("Labelled “%(label)s”") % {"label": label[:40]})
