"""Accounts of a Mastodon server: handles with their server, identities, profiles.

https://docs.joinmastodon.org/entities/Account/: `acct` lacks the server for local accounts; `uri` is the actor's id in
the whole network and the same on every server, but not every server gives it. `url` names a handle, and handles change
hands: there the server's own id is added, which does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.mastodon.content import to_text
from connectors.mastodon.values import count, ident, part, rows, text
from connectors.messages import Address
from connectors.social import Profile


@dataclass(frozen=True, slots=True)
class Us:
    """Our account. `domain` stands in local handles; `server` is where we are asked, for ids count only there."""

    id: str = ""
    handle: str = ""  # with the server
    name: str = ""
    uri: str = ""  # our identity, see `identity_of`
    domain: str = ""
    server: str = ""

    def plain(self) -> dict[str, str]:
        return {
            "id": self.id,
            "handle": self.handle,
            "name": self.name,
            "uri": self.uri,
            "domain": self.domain,
            "server": self.server,
        }


def us_of(data: Mapping[str, Any]) -> Us:
    """What `plain` made."""
    return Us(
        ident(data),
        text(data, "handle", 400),
        text(data, "name", 400),
        text(data, "uri", 2000),
        text(data, "domain", 300),
        text(data, "server", 300),
    )


def domain_of(account: Mapping[str, Any], server: str) -> str:
    """The name after the @ of local handles, where the server has not told it."""
    return urlsplit_host(text(account, "url", 2000)) or server.partition(":")[0]


def urlsplit_host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def handle_of(account: Mapping[str, Any], domain: str) -> str:
    acct = (text(account, "acct", 400) or text(account, "username", 200)).lstrip("@")
    return acct if "@" in acct or not acct or not domain else f"{acct}@{domain}"


def identity_of(account: Mapping[str, Any], server: str) -> str:
    uri, url, own = text(account, "uri", 2000), text(account, "url", 2000), ident(account)
    if uri:
        return uri
    if not own:
        return url
    return f"{url}#{own}@{server}" if url else f"{own}@{server}"


def address_of(account: Mapping[str, Any], us: Us) -> Address:
    name = text(account, "display_name", 400).strip() or text(account, "username", 200)
    return Address(handle_of(account, us.domain), name, identity_of(account, us.server))


def profile_of(account: Mapping[str, Any], us: Us) -> Profile:
    bio = [to_text(text(account, "note", 50_000))]
    for one in rows(account, "fields", 20):
        bio.append(f"{text(one, 'name', 300)}: {to_text(text(one, 'value', 5000))}")
    badges = rows(account, "fields", 20)
    is_verified = any(text(one, "verified_at", 64) for one in badges) if badges else None
    return Profile(
        handle=handle_of(account, us.domain),
        name=text(account, "display_name", 400).strip() or text(account, "username", 200),
        bio="\n".join(line for line in bio if line.strip(": ")),
        url=text(account, "url", 2000),
        avatar_url=text(account, "avatar_static", 2000) or text(account, "avatar", 2000),
        followers=count(account, "followers_count"),
        following=count(account, "following_count"),
        posts=count(account, "statuses_count"),
        is_verified=is_verified,
        is_protected=account.get("locked") is True,
        is_robot=account.get("bot") is True,
        since=text(account, "created_at", 64),
    )


def brief(account: Mapping[str, Any]) -> dict[str, Any]:
    """What an answered person's address is made of."""
    return {
        name: account[name] for name in ("id", "acct", "username", "display_name", "uri", "url") if account.get(name)
    }


def person(item: Mapping[str, Any], account_id: str) -> Mapping[str, Any]:
    """Of the people that were looked up for an item."""
    return part(part(item, "people"), account_id)
