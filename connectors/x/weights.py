"""How long a text is to X: weighted characters by twitter-text's configuration v3, and plain ones in direct messages.

https://docs.x.com/fundamentals/counting-characters: 280; a link counts 23 whatever its length; an emoji 2 however many
code points it has; letters of most alphabets 1, everything else (CJK above all) 2; after Unicode's NFC.
A direct message holds 10,000 characters (https://docs.x.com/x-api/direct-messages/manage/introduction).

The package `twitter-text-parser` is of no use: it needs `pkg_resources`, which Python no longer brings, and its emoji
end in 2020.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache
from typing import Any

from connectors.social import Measure
from connectors.x.links import find_links

POST_LIMIT, LONG_POST_LIMIT, MESSAGE_LIMIT = 280, 25_000, 10_000
LINK_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_STARTS = [low for low, _ in _LIGHT]
# What Unicode joins to another emoji: people, hair, sexes, callings, and a few things. Others stay on their own.
_JOINED = "👦-👩🧑👶🦰-🦳♂♀⚧⚕⚖✈❤🔥🩹💋🤝🌾🍳🍼🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🎄🦯🦼🦽🌈☠⬛❄🐦🦺💨💥💫🗨➡↔↕🍄🟩🟫🐰🩰"
_FAR_TOO_LONG = 100_000  # from here on only the number of characters is told


@cache
def _emoji() -> Any:
    """One emoji of any shape: flags, keycaps, tags, skin tones, families joined by U+200D (UTS #51, 1.4.9)."""
    import regex  # slow to import, and e-mail accounts never need it

    shade, shown = r"\p{Emoji_Modifier}", r"\uFE0F"
    one = (
        rf"(?:\p{{Emoji_Modifier_Base}}{shown}?{shade}|(?=\p{{Emoji}})(?:[\xA9\xAE]{shown}"
        rf"|(?=\p{{Emoji_Presentation}})[\U00010000-\U0010FFFF]|[^0-9#*\xA9\xAE]{shown}?))(?!\uFE0E)"
    )
    tagged = r"\U0001F3F4[\U000E0030-\U000E0039\U000E0061-\U000E007A]{1,32}\U000E007F"
    joined = rf"{one}(?:\u200D(?=[{_JOINED}]){one}){{0,9}}"
    return regex.compile(rf"\p{{Regional_Indicator}}{{2}}|[0-9#*]{shown}?\u20E3|{tagged}|{joined}", regex.VERSION1)


def _weigh(text: str, limit: int) -> tuple[int, int]:
    """(weight of a text in NFC, index of the first code point that no longer fits; its length when all fit)"""
    spans = {start: (end, LINK_WEIGHT) for start, end in find_links(text)}
    if not text.isascii() or "\u20e3" in text:
        for match in _emoji().finditer(text):
            spans.setdefault(match.start(), (match.end(), 2))
    weight, index, fits = 0, 0, len(text)
    while index < len(text):
        end, own = spans.get(index) or (index + 1, _of_one(text[index]))
        weight += own
        if weight > limit and fits == len(text):
            fits = index
        index = end
    return weight, fits


def _of_one(character: str) -> int:
    code = ord(character)
    place = bisect_right(_STARTS, code) - 1
    return 1 if code <= _LIGHT[place][1] else 2


def plain_lines(text: str) -> str:
    """As X keeps line ends: each is one character."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def measure_post(text: str, limit: int = POST_LIMIT) -> Measure:
    if len(text) > _FAR_TOO_LONG:
        return Measure(len(text), limit, excess_at=limit)
    canonical = unicodedata.normalize("NFC", plain_lines(text))
    weight, fits = _weigh(canonical, limit)
    if weight <= limit:
        return Measure(weight, limit)
    return Measure(weight, limit, excess_at=fits if canonical == text else _place_in(text, fits))


def measure_message(text: str) -> Measure:
    plain = plain_lines(text)
    excess = _place_in(text, MESSAGE_LIMIT) if len(plain) > MESSAGE_LIMIT else None
    return Measure(len(plain), MESSAGE_LIMIT, excess_at=excess)


def _place_in(text: str, index: int) -> int:
    """Where in the text as written the code point `index` of its canonical form begins."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if len(unicodedata.normalize("NFC", plain_lines(text[: middle + 1]))) > index:
            high = middle
        else:
            low = middle + 1
    return low
