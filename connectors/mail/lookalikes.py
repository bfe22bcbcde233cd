"""Names and domains that look like others: mixed alphabets, look-alike letters, an address within a name.

`skeleton` gives two texts that a hurried reader takes for one another the same form. It is for warnings only: what is
compared to tell people apart is `identity_key`, which folds nothing of this.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import idna

MAX_NAME = 200

_PAIRS = (
    "аa еe оo рp сc уy хx іi јj ѕs ԁd һh ӏl ԛq ԝw вb нh кk мm тt гr пn ьb үy қk ԍg зz"  # Cyrillic
    " αa νv οo ρp ιi τt υu χx κk μu ωw βb ηn γy ϲc σo εe ςc օo սu ոn հh ցg զq յj"  # Greek, Armenian
    " ıi łl øo đd ħh ŧt ɑa ɡg ɩi ʟl ɪi ʀr ƅb ɓb ɗd ĸk ʋv ᴀa ʙb ᴄc ᴅd ᴇe ᴋk ᴍm ɴn ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ɢg ʜh ᴊj ǃl ǀl"
)
_LETTERS = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})
_SIGNS = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "3": "e", "5": "s", "$": "s", "@": "a"})
_TOGETHER = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_ADDRESS = re.compile(r"[^\s<>()\",;:@]{1,64}@[^\s<>()\",;:@]{1,255}\.[^\W\d_]{2,63}")
_WORD = re.compile(r"[^\W\d_]+")
_CLOSE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})


class Mark(StrEnum):
    """Why a sender may be somebody else than they seem."""

    ADDRESS_IN_NAME = "address-in-name"  # of: that address
    MIXED_NAME = "mixed-name"  # of: the word that mixes alphabets
    FOREIGN_DOMAIN = "foreign-domain"  # of: the domain as it looks; written in other letters than it seems
    LIKE_OURS = "like-ours"  # of: our domain, or our name
    LIKE_CUSTOMER = "like-customer"  # of: the domain or the name of somebody known


class Seeming(NamedTuple):
    mark: Mark
    of: str


@lru_cache(maxsize=8192)
def skeleton(text: str) -> str:
    """How a text looks at a glance: lower case, no marks, look-alike letters and signs folded into one of them."""
    plain = unicodedata.normalize("NFKD", text[:400].casefold())
    plain = "".join(one for one in plain if not unicodedata.combining(one) and unicodedata.category(one) != "Cf")
    plain = plain.translate(_LETTERS).translate(_SIGNS)
    for pair, one in _TOGETHER:
        plain = plain.replace(pair, one)
    return " ".join(plain.split())


def plain_forms(text: str) -> list[str]:
    """What a text may be taken for at a glance, itself left out; empty for nearly every honest one."""
    shown = readable(text.lower()) if "." in text and " " not in text else " ".join(text.split()).casefold()
    letters = "".join(one for one in unicodedata.normalize("NFKD", shown) if not unicodedata.combining(one))
    plain = letters.translate(_LETTERS)
    forms = [plain] if plain != letters else []
    for seen, meant in (("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w")):
        forms += [form.replace(seen, meant) for form in (plain, *forms) if seen in form]
    return [form for form in dict.fromkeys(forms) if form.isascii() and form != shown]


def readable(domain: str) -> str:
    """A domain as it looks."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def is_foreign(domain: str) -> bool:
    """Whether a domain is written in other letters than it seems: a label mixes alphabets, or is all look-alikes."""
    for label in domain.lower().split("."):
        if not label.startswith("xn--") and label.isascii():
            continue
        shown = readable(label)
        if shown.startswith("xn--"):
            return True  # no valid name at all
        plain = unicodedata.normalize("NFKD", shown.casefold())
        letters = "".join(one for one in plain if not unicodedata.combining(one))
        if letters.isascii():
            continue  # an honest accent
        if mixed_word(shown) or letters.translate(_LETTERS).isascii():
            return True
    return False


def mixed_word(text: str) -> str:
    """The first word that mixes alphabets which look alike; "" when none does."""
    for word in _WORD.findall(unicodedata.normalize("NFKC", text)[:400]):
        if not word.isascii() and len({_alphabet(one) for one in word} & _CLOSE) > 1:
            return str(word)
    return ""


def _alphabet(character: str) -> str:
    return unicodedata.name(character, "?").partition(" ")[0]


def seemings(name: str, address: str, own_domains: Collection[str], own_names: Collection[str]) -> list[Seeming]:
    """What about a sender is made to look like something else. `own_domains` in ASCII; `address` is none of ours."""
    name = " ".join(name.split())[:MAX_NAME]
    domain = address.rpartition("@")[2].lower().rstrip(".")
    found: list[Seeming] = []
    inside = _ADDRESS.search(unicodedata.normalize("NFKC", name))
    if inside and inside.group().casefold() != address.casefold():
        found.append(Seeming(Mark.ADDRESS_IN_NAME, inside.group()))
    if word := mixed_word(name):
        found.append(Seeming(Mark.MIXED_NAME, word))
    if is_foreign(domain):
        shown = readable(domain)
        found.append(Seeming(Mark.FOREIGN_DOMAIN, domain if shown == domain else f"{shown} ({domain})"))
    ours = next((one for one in own_domains if _seems(domain, one)), "")
    if ours:
        found.append(Seeming(Mark.LIKE_OURS, ours))
    elif name and not is_within(domain, own_domains):
        shown = skeleton(name)
        found += [Seeming(Mark.LIKE_OURS, one) for one in own_names if one.strip() and skeleton(one) == shown][:1]
    return found


def is_within(domain: str, domains: Collection[str]) -> bool:
    return any(domain == one or domain.endswith("." + one) for one in domains)


def _seems(domain: str, ours: str) -> bool:
    """Another domain that looks like ours, or stands with ours in front of its own end."""
    if not domain or domain == ours or domain.endswith("." + ours):
        return False
    return skeleton(readable(domain)) == skeleton(ours) or domain.startswith(ours + ".") or f".{ours}." in domain
