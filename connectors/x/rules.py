"""What may be said on X, to whom and for how much: pure, for the composer.

- Length: connectors.x.weights. Cashtags: one a post; replies: only where the author named or quoted us (self-serve
  plans; https://docs.x.com/x-api/posts/manage-tweets/integrate, “Post creation restrictions”).
- Media: 4 pictures, or 1 moving picture, or 1 film; 1 piece in a direct message; sizes by
  https://docs.x.com/x-api/media/quickstart/best-practices; descriptions of 1,000 characters.
- Prices: connectors.x.prices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.social import Measure, Outline, OutlinedFile, Permission, Post, Price, Visibility
from connectors.x.links import has_link
from connectors.x.prices import PRICES
from connectors.x.weights import LONG_POST_LIMIT, POST_LIMIT, measure_message, measure_post

MOST_PICTURES, ALT_LIMIT = 4, 1000
MEGABYTE = 2**20
PICTURES = {"image/jpeg", "image/png", "image/webp"}
MOVING, FILMS = {"image/gif"}, {"video/mp4", "video/quicktime", "video/webm", "video/mp2t"}
# MiB in a post, in a direct message. A film of 512 MB is as much as a reply of ours can hold.
SIZES = {"image": (5, 5), "gif": (15, 15), "video": (512, 512)}
_CASHTAG = re.compile(r"(?:^|(?<=\s))\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?=$|[\s!-/:-@\[-`{-~])")
_NEVER = re.compile("[\ufffe\ufeff\uffff]")


def is_direct(outline: Outline) -> bool:
    if outline.visibility is Visibility.DIRECT:
        return True
    return bool(outline.answers and outline.answers.visibility is Visibility.DIRECT)


def media_kind(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in MOVING:
        return "gif"
    if kind in PICTURES or kind == "image/jpg":
        return "image"
    return "video" if kind in FILMS else "other"


def measure(text: str, answers: Post | None, *, is_long: bool) -> Measure:
    if answers is not None and answers.visibility is Visibility.DIRECT:
        return measure_message(text)
    return measure_post(text, LONG_POST_LIMIT if is_long else POST_LIMIT)


def objections(outline: Outline, *, is_long: bool, is_bound: bool) -> tuple[str, ...]:
    """`is_bound`: the self-serve plan's rules hold."""
    found: list[str] = []
    private = is_direct(outline)
    text = outline.text
    if not text.strip() and not outline.files:
        found.append("There is nothing in it yet.")
    length = measure_message(text) if private else measure_post(text, LONG_POST_LIMIT if is_long else POST_LIMIT)
    if length.left < 0:
        what = "A direct message" if private else "A post"
        found.append(
            f"{what} on X holds {length.limit:,} characters, and this has {length.count:,} by X's way of counting."
        )
    if _NEVER.search(text):
        found.append("It holds an invisible character that X refuses (U+FFFE, U+FEFF or U+FFFF).")
    tags = _CASHTAG.findall(text)
    if not private and is_bound and len(tags) > 1:
        found.append(f"X takes one cashtag a post from a program, and this has {len(tags)}: {', '.join(tags[:5])}.")
    if outline.warning:
        found.append("X knows no content warnings: say it in the text.")
    if not private and outline.visibility not in {None, Visibility.PUBLIC}:
        found.append("A post on X can be read by everybody, or is a direct message.")
    if private and outline.answers is None:
        found.append("A direct message needs somebody it goes to.")
    return (*found, *_about_files(outline.files, private))


def _about_files(files: tuple[OutlinedFile, ...], private: bool) -> list[str]:
    found = []
    kinds = [media_kind(one.content_type) for one in files]
    for one, kind in zip(files, kinds, strict=True):
        if kind == "other":
            found.append(f"X takes JPEG, PNG, WebP, GIF and MP4, and “{one.name}” is none of them.")
            continue
        limit = SIZES[kind][1 if private else 0]
        if one.size > limit * MEGABYTE:
            size = one.size / MEGABYTE
            found.append(f"“{one.name}” has {size:.1f} MB; X takes {limit} MB for this kind of file.")
        if len(one.alt) > ALT_LIMIT:
            found.append(f"The description of “{one.name}” has {len(one.alt):,} characters; X takes {ALT_LIMIT:,}.")
    if private and len(files) > 1:
        found.append("A direct message on X holds one picture or film.")
    elif not private and (len(files) > MOST_PICTURES or (len(files) > 1 and set(kinds) & {"gif", "video"})):
        found.append("A post on X holds up to four pictures, or one film, or one moving picture.")
    return found


def permission(answers: Post, *, is_bound: bool) -> Permission:
    """Whether a program may answer this. What only X knows (blocks, settings of the conversation) is None."""
    if answers.visibility is Visibility.DIRECT:
        return Permission(True)
    facts = answers.facts
    summons = facts.get("summons")
    if is_bound and summons == "none":
        return Permission(
            False,
            "X lets a program answer only those who name or quote this account, and this post does neither. "
            "Answer at x.com, or write a direct message.",
        )
    limited = str(facts.get("reply_settings") or "everyone")
    if limited in {"subscribers", "verified"}:
        who = "its author's subscribers" if limited == "subscribers" else "verified accounts"
        return Permission(None, f"Only {who} may answer this post: whether that is us, the attempt will tell.")
    if limited in {"following", "followers"} and summons != "mention":
        return Permission(None, "Only people whom its author follows may answer this: the attempt will tell.")
    if answers.profile.is_protected:
        return Permission(None, "The author shows posts to approved followers only; our answer would be public.")
    return Permission(True)


def visibilities(answers: Post | None) -> tuple[Visibility, ...]:
    """A post on X is public; what only followers may read is answered in private."""
    if answers is None:
        return (Visibility.PUBLIC,)
    if answers.visibility is Visibility.PUBLIC:
        return (Visibility.PUBLIC, Visibility.DIRECT)
    return (Visibility.DIRECT,)


def resource_of(outline: Outline) -> str:
    if is_direct(outline):
        return "dm.create"
    return "post.create-with-link" if has_link(outline.text) else "post.create"


def price(outline: Outline, own_prices: Mapping[str, int]) -> Price:
    """`own_prices`: what the owner knows better, by resource."""
    micros = {**PRICES.micros, **own_prices}
    resource = resource_of(outline)
    described = sum(1 for one in outline.files if one.alt)
    amount = micros[resource] + described * micros["media.metadata"]
    if resource == "post.create-with-link":
        sentence = f"With a link X charges {dollars(amount)}; without one it would be {dollars(micros['post.create'])}."
    elif resource == "dm.create":
        sentence = f"X charges {dollars(amount)} for a direct message."
    else:
        sentence = f"X charges {dollars(amount)} for this."
    return Price(amount, sentence, resource)


def dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.3f}"
