"""What may be said at Bluesky: lengths, pictures, who may be answered. All of it pure.

https://docs.bsky.app/docs/advanced-guides/posts, and the lexicons app.bsky.feed.post (300 graphemes, 3,000 bytes),
app.bsky.embed.images (4 pictures, 2,000,000 bytes each), chat.bsky.convo.defs#messageInput (1,000 graphemes, 10,000
bytes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.bluesky.richtext import MAX_TEXT, graphemes
from connectors.social import Measure, Outline, OutlinedFile, Permission, Post, Visibility

POST_GRAPHEMES, POST_BYTES = 300, 3000
DIRECT_GRAPHEMES, DIRECT_BYTES = 1000, 10_000
MAX_PICTURES = 4
MAX_PICTURE_BYTES = 2_000_000
MAX_ALT = 2000  # graphemes, as the platform's own programs allow
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
# The words by which an author can mark a picture (com.atproto.label.defs#selfLabels).
OWN_LABELS = frozenset({"sexual", "nudity", "porn", "graphic-media"})


def is_direct(visibility: Visibility | None, answers: Post | None) -> bool:
    if visibility is not None:
        return visibility is Visibility.DIRECT
    return answers is not None and answers.visibility is Visibility.DIRECT


def measure(text: str, is_direct_: bool) -> Measure:
    """Graphemes, or bytes where they run out first."""
    most, most_bytes = (DIRECT_GRAPHEMES, DIRECT_BYTES) if is_direct_ else (POST_GRAPHEMES, POST_BYTES)
    size = len(text.encode("utf-8", "surrogatepass"))
    if len(text) <= most and size <= most_bytes:  # never more graphemes than code points
        return Measure(graphemes(text), most, "graphemes")
    ends = _ends(text[:MAX_TEXT])
    count = len(ends) + max(0, len(text) - MAX_TEXT)
    byte_excess = _byte_excess(text, ends, most_bytes) if size > most_bytes else None
    if count > most:
        return Measure(count, most, "graphemes", min(ends[most - 1], byte_excess or ends[most - 1]))
    if byte_excess is not None:
        return Measure(size, most_bytes, "bytes", byte_excess)
    return Measure(count, most, "graphemes")


def _ends(text: str) -> list[int]:
    """Where each grapheme ends, in code points."""
    import regex  # slow to load, and only where posts are written

    return [match.end() for match in regex.finditer(r"\X", text)]


def _byte_excess(text: str, ends: Sequence[int], most: int) -> int:
    """The end of the last grapheme that still fits."""
    fits, start, size = 0, 0, 0
    for end in ends:
        size += len(text[start:end].encode("utf-8", "surrogatepass"))
        if size > most:
            break
        fits = start = end
    return fits


def objections(outline: Outline) -> tuple[str, ...]:
    found = []
    direct = is_direct(outline.visibility, outline.answers)
    told = measure(outline.text, direct)
    if told.left < 0:
        over = f"{-told.left:,} {told.unit if told.unit == 'bytes' else 'characters'}"
        what = "A direct message" if direct else "A post"
        found.append(f"{what} at Bluesky has at most {told.limit:,} {_words(told.unit)}; this is {over} over.")
    if not outline.text.strip() and not outline.files:
        found.append("There is nothing to send yet.")
    if direct and outline.files:
        found.append("Direct messages at Bluesky carry no files.")
    elif outline.files:
        found += _about_files(outline.files)
    if outline.warning and outline.warning not in OWN_LABELS:
        found.append(
            "Bluesky has no free content warnings. It knows these labels: " + ", ".join(sorted(OWN_LABELS)) + "."
        )
    if outline.visibility not in (None, Visibility.PUBLIC, Visibility.DIRECT):
        found.append("At Bluesky everything is public, but for direct messages.")
    return tuple(found)


def _words(unit: str) -> str:
    return "bytes" if unit == "bytes" else "characters"


def _about_files(files: Sequence[OutlinedFile]) -> list[str]:
    found = []
    if len(files) > MAX_PICTURES:
        found.append(f"A post at Bluesky carries at most {MAX_PICTURES} pictures; these are {len(files)}.")
    for one in files:
        if one.content_type.partition(";")[0].strip().lower() not in PICTURES:
            found.append(f"“{one.name}” is no picture: posts at Bluesky carry JPEG, PNG, WebP and GIF from here.")
        elif one.size > MAX_PICTURE_BYTES:
            size = f"{one.size / 1_000_000:.1f}"
            found.append(f"“{one.name}” has {size} MB; Bluesky takes pictures of at most 2 MB. Make it smaller.")
        if len(one.alt) > MAX_ALT and graphemes(one.alt) > MAX_ALT:
            found.append(f"The description of “{one.name}” is longer than {MAX_ALT:,} characters.")
    return found


def permission(answers: Post) -> Permission:
    facts: Mapping[str, Any] = answers.facts
    if facts.get("blocked_by"):
        return Permission(False, "This person has blocked you.")
    if facts.get("blocking"):
        return Permission(False, "You have blocked this person. Unblock them at Bluesky to answer.")
    if answers.visibility is Visibility.DIRECT:
        return Permission(bool(facts.get("convo")) or None)
    if facts.get("reply_disabled"):
        return Permission(False, "The author has limited who may reply to this post, and you are not among them.")
    return Permission(True)


def visibilities(answers: Post | None, reads_direct: bool) -> tuple[Visibility, ...]:
    """Who answers in public may go on in private, where direct messages are read."""
    if answers is not None and answers.visibility is Visibility.DIRECT:
        return (Visibility.DIRECT,)
    if answers is not None and reads_direct:
        return (Visibility.PUBLIC, Visibility.DIRECT)
    return (Visibility.PUBLIC,)
