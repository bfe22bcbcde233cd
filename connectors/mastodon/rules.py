"""What may be said on a Mastodon server: pure functions over its limits. Sentences are for the person who writes.

https://docs.joinmastodon.org/methods/statuses/#create, https://docs.joinmastodon.org/entities/Instance/#statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.mastodon.counting import excess_at, graphemes, length_of, mentions_of
from connectors.mastodon.instance import Instance
from connectors.messages import Address
from connectors.social import Measure, Outline, OutlinedFile, Permission, Post, Standing, Visibility

_ORDER = (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT)
NAMES = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
}


def measure(text: str, answers: Post | None, instance: Instance, domain: str) -> Measure:
    """With the mention that `compose` will put in front, and the warning that will be answered alike."""
    lead = lead_of(text, answered_handle(answers), domain)
    warning = warning_of(answers, "")
    limit, plain = instance.max_characters, instance.counts_plainly
    taken = length_of(lead, instance.url_length, plain) + graphemes(warning)
    count = taken + length_of(text, instance.url_length, plain)
    excess = excess_at(text, max(0, limit - taken), instance.url_length, plain) if count > limit else None
    return Measure(count, limit, "characters", excess)


def answered_handle(answers: Post | None) -> str:
    if answers is None or answers.standing is Standing.OWN:
        return ""
    return str(answers.facts.get("handle") or answers.profile.handle or "").lstrip("@")


def lead_of(text: str, handle: str, domain: str) -> str:
    """ "@ann@far.example " when the text does not mention her yet; without it she would not hear of the answer."""
    if not handle:
        return ""
    name, _, server = handle.lower().partition("@")
    named = {one.lower() for one in mentions_of(text)}
    is_local = not server or server == domain.lower()
    if handle.lower() in named or (is_local and (name in named or f"{name}@{domain.lower()}" in named)):
        return ""
    return f"@{handle} "


def warning_of(answers: Post | None, own: str) -> str:
    """The author's content warning is answered alike, never with a second "re:" before it."""
    if own.strip():
        return own.strip()
    return answers.warning.strip() if answers is not None else ""


def visibilities(answers: Post | None, settings: Mapping[str, Any]) -> tuple[Visibility, ...]:
    """The proposed one first. A public post is answered unlisted, so that an answer fills no public timeline, unless
    `settings["answers_publicly"]`: the custom that Mastodon's own advice names. A post of our own is public."""
    if answers is None:
        return _ORDER
    allowed = _ORDER[_ORDER.index(answers.visibility) :]
    if allowed[0] is Visibility.PUBLIC and not settings.get("answers_publicly"):
        return (Visibility.UNLISTED, Visibility.PUBLIC, *allowed[2:])
    return allowed


def chosen(outline: Outline, settings: Mapping[str, Any]) -> Visibility:
    return outline.visibility or visibilities(outline.answers, settings)[0]


def permission(answers: Post) -> Permission:
    """Mastodon itself forbids only what is gone; whoever blocks us is found out when the answer does not arrive."""
    facts = answers.facts
    if facts.get("is_suspended") is True:
        return Permission(False, "This account is suspended on our server: nobody would get an answer.")
    if facts.get("is_limited") is True:
        return Permission(
            True, "Our server's moderators have limited this account. It will get the answer all the same."
        )
    if answers.visibility is Visibility.DIRECT:
        return Permission(True, "Only the people it is addressed to will see the answer.")
    if answers.visibility is Visibility.FOLLOWERS:
        return Permission(True, "It was for followers only. The answer will be as narrow.")
    return Permission(True)


def objections(outline: Outline, instance: Instance, settings: Mapping[str, Any], domain: str) -> tuple[str, ...]:
    found = []
    text, limit = outline.text.strip(), instance.max_characters
    if not text and not outline.files:
        found.append("There is nothing to send yet.")
    count = whole_length(outline, instance, domain)
    if count > limit:
        lead = lead_of(outline.text, answered_handle(outline.answers), domain).strip()
        with_lead = f" with {lead} in front" if lead else ""
        found.append(f"This is {count - limit} characters too long{with_lead}: this server takes {limit}.")
    visibility = chosen(outline, settings)
    if outline.answers is not None and _ORDER.index(visibility) < _ORDER.index(outline.answers.visibility):
        found.append("The answer would be seen by more people than what it answers. Choose a narrower audience.")
    return (*found, *_about_files(outline.files, instance))


def whole_length(outline: Outline, instance: Instance, domain: str) -> int:
    lead = lead_of(outline.text, answered_handle(outline.answers), domain)
    warning = warning_of(outline.answers, outline.warning)
    return counted(lead + outline.text.strip(), warning, instance)


def counted(text: str, warning: str, instance: Instance) -> int:
    """As the server counts a text that stands as it will be sent: the warning counts, and gets no discount."""
    return length_of(text, instance.url_length, instance.counts_plainly) + graphemes(warning)


def _about_files(files: tuple[OutlinedFile, ...], instance: Instance) -> list[str]:
    found = []
    if len(files) > instance.max_files:
        found.append(f"This server takes {instance.max_files} files in one post; there are {len(files)}.")
    kinds = {kind_of(one.content_type) for one in files}
    if len(files) > 1 and kinds & {"video", "audio"}:
        found.append("A film or a recording goes alone: send the others in another post.")
    for one in files:
        most = instance.max_image_bytes if one.content_type.lower().startswith("image/") else instance.max_video_bytes
        if one.size > most:
            found.append(f"{one.name} has {_megabytes(one.size)}; this server takes at most {_megabytes(most)}.")
        if not _is_taken(one.content_type, instance):
            found.append(f"{one.name} is no picture, film or recording that this server takes.")
        if len(one.alt) > instance.max_alt:
            found.append(f"The description of {one.name} is longer than {instance.max_alt} characters.")
    return found


def kind_of(content_type: str) -> str:
    family = content_type.partition("/")[0].lower()
    return family if family in {"image", "video", "audio"} else "other"


def _is_taken(content_type: str, instance: Instance) -> bool:
    if instance.file_types:
        return content_type.partition(";")[0].strip().lower() in {one.lower() for one in instance.file_types}
    return bool(instance.program) or kind_of(content_type) in {"image", "video", "audio"}


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1024))} KB"


def answered_address(reply_to: tuple[Address, ...], answers: Post | None) -> Address:
    if reply_to:
        one = reply_to[0]
        known = str(answers.facts.get("author_uri") or "") if answers is not None else ""
        same = answers is not None and one.address.lstrip("@").lower() == answered_handle(answers).lower()
        return one if one.external_id or not same else Address(one.address, one.name, known)
    if answers is not None and answered_handle(answers):
        return Address(answered_handle(answers), answers.profile.name, str(answers.facts.get("author_uri") or ""))
    return Address("")
