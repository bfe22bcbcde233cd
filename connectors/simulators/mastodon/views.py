"""What a Mastodon server shows of its accounts, statuses and notifications.

https://docs.joinmastodon.org/entities/Account/, …/Status/, …/Notification/, …/MediaAttachment/, …/Poll/, …/Quote/,
…/Instance/, …/V1_Instance/
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.simulators.mastodon.things import Medium, Member, Notice, Status
from connectors.simulators.mastodon.wording import html_of, profile_url
from connectors.simulators.mastodon.world import World

VERSION = "4.5.2"
IMAGES = ["image/jpeg", "image/png", "image/gif", "image/webp"]
FILMS = ["video/mp4", "video/webm", "audio/mpeg", "audio/ogg"]


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Views:
    def __init__(self, world: World) -> None:
        self.world = world

    def account(self, member: Member) -> dict[str, Any]:
        avatar = f"https://files.{self.world.domain}/avatars/{member.id}.png"
        written = [one for one in self.world.statuses.values() if one.author == member.id and not one.is_deleted]
        return {
            "id": member.id,
            "username": member.username,
            "acct": member.acct,
            "display_name": member.name,
            "locked": False,
            "bot": member.is_robot,
            "discoverable": True,
            "indexable": False,
            "group": False,
            "created_at": stamp(member.created_at.replace(hour=0, minute=0, second=0, microsecond=0)),
            "note": html_of(member.bio, self.world.find_member, self.world.domain),
            "url": profile_url(member, self.world.domain),
            "uri": member.actor,
            "avatar": avatar,
            "avatar_static": avatar,
            "header": avatar,
            "header_static": avatar,
            "followers_count": member.followers,
            "following_count": len(member.follows),
            "statuses_count": len(written),
            "last_status_at": written[-1].made_at.date().isoformat() if written else None,
            "hide_collections": None,
            "emojis": [],
            "roles": [],
            "fields": [
                {"name": name, "value": html_of(value, self.world.find_member, self.world.domain), "verified_at": None}
                for name, value in member.fields
            ],
            **({"suspended": True} if member.is_suspended else {}),
            **({"limited": True} if member.is_limited else {}),
        }

    def status(self, status: Status, viewer: Member | None, is_nested: bool = False) -> dict[str, Any]:
        world, author = self.world, self.world.members[status.author]
        answered = world.statuses.get(status.answers)
        boosted = world.statuses.get(status.boosts)
        poll = self.poll(status) if status.choices else None
        url = f"{profile_url(author, world.domain)}/{status.id}"
        found = {
            "id": status.id,
            "created_at": stamp(status.made_at),
            "in_reply_to_id": status.answers or None,
            "in_reply_to_account_id": answered.author if answered else None,
            "sensitive": bool(status.warning),
            "spoiler_text": status.warning,
            "visibility": status.visibility,
            "language": status.language or None,
            "uri": status.uri,
            "url": url,
            "replies_count": sum(1 for one in world.statuses.values() if one.answers == status.id),
            "reblogs_count": sum(1 for one in world.statuses.values() if one.boosts == status.id),
            "quotes_count": 0,
            "favourites_count": 0,
            "edited_at": stamp(status.times[-1]) if len(status.times) > 1 else None,
            "content": html_of(status.text, world.find_member, world.domain),
            "reblog": self.status(boosted, viewer, True) if boosted and not is_nested else None,
            "account": self.account(author),
            "media_attachments": [self.medium(one) for one in status.media],
            "mentions": [self.mention(world.members[one]) for one in status.mentions if one in world.members],
            "tags": [],
            "emojis": [],
            "card": None,
            "poll": poll,
            "quote": None if is_nested else self.quote(status, viewer),
        }
        if viewer is not None:
            found |= {"favourited": False, "reblogged": False, "muted": False, "bookmarked": False, "filtered": []}
            if viewer.id == status.author:
                found |= {"pinned": False, "application": {"name": "Balas", "website": None}}
        return found

    def mention(self, member: Member) -> dict[str, Any]:
        url = profile_url(member, self.world.domain)
        return {"id": member.id, "username": member.username, "url": url, "acct": member.acct}

    def quote(self, status: Status, viewer: Member | None) -> dict[str, Any] | None:
        if not status.quotes:
            return None
        quoted = self.world.statuses.get(status.quotes)
        if quoted is None or quoted.is_deleted:
            return {"state": "deleted", "quoted_status": None}
        if not self.world.may_see(viewer, quoted):
            return {"state": "unauthorized", "quoted_status": None}
        return {"state": "accepted", "quoted_status": self.status(quoted, viewer, True)}

    def poll(self, status: Status) -> dict[str, Any]:
        votes = sum(one.votes for one in status.choices)
        return {
            "id": status.id[-8:],
            "expires_at": stamp(status.made_at.replace(year=status.made_at.year + 1, day=1)),
            "expired": False,
            "multiple": False,
            "votes_count": votes,
            "voters_count": votes,
            "options": [{"title": one.title, "votes_count": one.votes} for one in status.choices],
            "emojis": [],
            "voted": False,
            "own_votes": [],
        }

    def medium(self, medium: Medium, is_ready: bool = True) -> dict[str, Any]:
        address = f"https://files.{self.world.domain}/media/{medium.id}"
        return {
            "id": medium.id,
            "type": medium.kind,
            "url": f"{address}/original" if is_ready else None,
            "preview_url": f"{address}/small",
            "remote_url": None,
            "text_url": None,
            "meta": {"original": {"width": 640, "height": 480, "size": "640x480", "aspect": 1.3333333333333333}},
            "description": medium.description or None,
            "blurhash": "UFBWY:8_0Jxv4mx]t8t64.%M-:IUWGWAt6M}",
        }

    def notice(self, notice: Notice, viewer: Member) -> dict[str, Any]:
        status = self.world.statuses[notice.status]
        return {
            "id": notice.id,
            "type": notice.kind,
            "group_key": f"ungrouped-{notice.id}",
            "created_at": stamp(notice.at),
            "account": self.account(self.world.members[notice.actor]),
            "status": self.status(status, viewer),
            **({"filtered": True} if notice.is_filtered else {}),
        }

    # --- The server itself ------------------------------------------------------------------------------------------

    def configuration(self, streaming: str, max_characters: int) -> dict[str, Any]:
        return {
            "urls": {"streaming": streaming},
            "accounts": {"max_featured_tags": 10},
            "statuses": {
                "max_characters": max_characters,
                "max_media_attachments": 4,
                "characters_reserved_per_url": 23,
            },
            "media_attachments": {
                "supported_mime_types": [*IMAGES, *FILMS],
                "description_limit": 1500,
                "image_size_limit": 16_777_216,
                "image_matrix_limit": 33_177_600,
                "video_size_limit": 103_809_024,
            },
            "polls": {"max_options": 4, "max_characters_per_option": 50, "min_expiration": 300},
            "translation": {"enabled": False},
        }

    def instance(self, streaming: str, max_characters: int) -> dict[str, Any]:
        return {
            "domain": self.world.domain,
            "title": "Social Example",
            "version": VERSION,
            "source_url": "https://github.com/mastodon/mastodon",
            "description": "A simulated server on this machine.",
            "usage": {"users": {"active_month": len(self.world.members)}},
            "languages": ["en"],
            "configuration": self.configuration(streaming, max_characters),
            "registrations": {"enabled": False, "approval_required": False, "message": None},
            "api_versions": {"mastodon": 7},
            "contact": {"email": "", "account": None},
            "rules": [],
        }

    def instance_v1(self, streaming: str, max_characters: int) -> dict[str, Any]:
        setup = self.configuration(streaming, max_characters)
        return {
            "uri": self.world.domain,
            "title": "Social Example",
            "short_description": "A simulated server on this machine.",
            "version": VERSION,
            "urls": {"streaming_api": streaming},
            "stats": {"user_count": len(self.world.members), "status_count": len(self.world.statuses)},
            "configuration": {name: setup[name] for name in ("statuses", "media_attachments", "polls")},
        }
