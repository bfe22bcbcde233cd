"""Who somebody is: the handle as people write it, the DID as what stays when the handle changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.bluesky.values import at, group, text, whole
from connectors.messages import Address
from connectors.social import Profile

SITE = "https://bsky.app"
_NO_HANDLE = "handle.invalid"  # shown by servers for a handle that no longer leads back to its account


def address_of(person: Mapping[str, Any], did: str = "") -> Address:
    """Of any of the platform's views of a person. Without a valid handle, the DID stands in its place."""
    did = text(person, "did", most=300) or did
    handle = text(person, "handle", most=300)
    return Address(handle if handle and handle != _NO_HANDLE else did, _name(person), did)


def profile_of(person: Mapping[str, Any], did: str = "") -> Profile:
    """Counts are only in a profile that was asked for in detail."""
    address = address_of(person, did)
    verified = text(person, "verification", "verifiedStatus")
    return Profile(
        handle=address.address,
        name=address.name,
        bio=text(person, "description", most=5000),
        url=f"{SITE}/profile/{address.address}" if address.address else "",
        avatar_url=_web(text(person, "avatar", most=2000)),
        followers=whole(person, "followersCount"),
        following=whole(person, "followsCount"),
        posts=whole(person, "postsCount"),
        is_verified=verified == "valid" if verified else None,
        is_robot=any(text(one, "val") == "bot" for one in _labels(person)),
        since=text(person, "createdAt", most=64),
    )


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(text(person, "displayName", most=640).split())


def _labels(person: Mapping[str, Any]) -> list[Any]:
    found = at(person, "labels")
    return found[:50] if isinstance(found, list) else []


def _web(address: str) -> str:
    return address if address.startswith(("https://", "http://")) else ""


def fuller(person: Mapping[str, Any], detailed: Mapping[str, Any]) -> Mapping[str, Any]:
    """One view of a person out of two."""
    return {**person, **detailed} if text(detailed, "did") == text(person, "did") else person


def is_blocked(person: Mapping[str, Any]) -> tuple[bool, bool]:
    """(they have blocked us, we have blocked them)."""
    viewer = group(person, "viewer")
    ours = bool(text(viewer, "blocking")) or isinstance(viewer.get("blockingByList"), Mapping)
    return viewer.get("blockedBy") is True, ours
