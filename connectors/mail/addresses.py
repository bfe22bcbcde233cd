"""Address fields, parsed strictly: an identity is either plainly there or it is not there at all.

Addresses are found before any encoded word is opened, so that nothing hidden in a display name can become an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.mail.decode import clean_display
from connectors.messages import Address

MAX_ADDRESSES = 2000

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u00a1-\u1fff\u2c00-\ud7ff\uf900-\uffef\U00010000-\U0003ffff]"
_LABEL = r"[A-Za-z0-9_\-\u00a1-\u1fff\u2c00-\ud7ff\uf900-\uffef]{1,63}"
_SPEC = re.compile(
    rf'({_ATOM}{{1,128}}|"[A-Za-z0-9!#$%&\'*+/=?^_`{{|}}~. \-]{{1,64}}")'
    rf"@({_LABEL}(?:\.{_LABEL}){{0,20}}\.?|\[[0-9A-Fa-f:.]{{2,45}}\]|\[IPv6:[0-9A-Fa-f:.]{{2,45}}\])"
)
_SIMPLE = r"[A-Za-z0-9._+\-]{1,64}@[A-Za-z0-9.\-]{1,190}[A-Za-z0-9]"
_PLAIN = re.compile(rf'\s*(?:"([^"\\<>@]*+)"\s*|([^"\\<>@]*+))<({_SIMPLE})>\s*')
_BARE = re.compile(rf"\s*({_SIMPLE})\s*")
# Comments, groups, escapes, literals: only the full parser reads those.
_INTRICATE = re.compile(r"[()\[\]:;\\]")
# An open quote runs to the end: trying again from every later quote would take quadratic time.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|<[^<>]*>|[(),;:"<>\\]|[^(),;:"<>\\]+', re.S)
_STRAY = frozenset(")<>\\")
_QUOTED_PAIR = re.compile(r"\\(.)", re.S)
_ROUTE = re.compile(r"^@[^:]{1,500}:")


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """What an address field holds. `is_ambiguous`: something in it can be read in more than one way."""

    found: tuple[Address, ...] = ()
    is_ambiguous: bool = False
    is_cut: bool = False


class _Item:
    """One entry between commas: words, angle addresses, comments, and words after the angle address."""

    __slots__ = ("after", "angles", "comments", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.angles: list[str] = []
        self.comments: list[str] = []
        self.after = False

    def __bool__(self) -> bool:
        return bool(self.words or self.angles)


def parse_mailboxes(text: str, limit: int = MAX_ADDRESSES) -> Mailboxes:
    """Read an unfolded address field (RFC 5322 §3.4) whose encoded words are still closed. Never raises."""
    if len(text) < 4000 and not _INTRICATE.search(text):
        boxes = _parse_simple(text.split(","))
        if boxes is not None and len(boxes.found) <= limit:
            return boxes
    return _parse_list(text, limit)


def _parse_simple(pieces: list[str]) -> Mailboxes | None:
    """The common shapes: `name <address>` or `address`, any number of them. None when one is of another shape."""
    found: list[Address] = []
    for piece in pieces:
        simple = _PLAIN.fullmatch(piece)
        if simple is None or ".." in simple.group(3):
            simple = _BARE.fullmatch(piece)
            if simple is None or ".." in simple.group(1):
                return None
            found.append(Address(simple.group(1)))
            continue
        name = simple.group(1) or simple.group(2)
        found.append(Address(simple.group(3), clean_display(name) if name and not name.isspace() else ""))
    return Mailboxes(tuple(found))


def is_address(text: str) -> bool:
    """Whether the text is exactly one mail address, strictly."""
    found = _SPEC.fullmatch(text)
    return found is not None and "=?" not in found.group(1) and len(text) <= 320


def _parse_list(text: str, limit: int) -> Mailboxes:
    found: list[Address] = []
    ambiguous = False
    held = ""  # words without an address before a comma: "Doe, John <john@…>" written without quotes
    items, unbalanced, cut = _split(text, limit)
    for item in items:
        address, clear = _read(item)
        ambiguous |= not clear
        words = " ".join(item.words)
        if not address.address and clear and not item.angles and "@" not in words:
            held = f"{held}, {words}" if held else words
            continue
        if held:
            if address.address and item.angles:
                address = Address(address.address, clean_display(f"{held}, {words}"))
            else:
                found.append(Address("", clean_display(held)))
            held = ""
        found.append(address)
    if held:
        found.append(Address("", clean_display(held)))
    return Mailboxes(tuple(found), ambiguous or unbalanced, cut)


def _split(text: str, limit: int) -> tuple[list[_Item], bool, bool]:
    """Cut at commas, semicolons and group colons. Also: whether a bracket or quote stays open, whether it was cut."""
    items: list[_Item] = []
    item, depth, comment, unbalanced = _Item(), 0, [], False
    for found in _TOKEN.finditer(text):
        token = found.group()
        if depth:
            depth += (token == "(") - (token == ")")
            if depth:
                comment.append(token)
            else:
                item.comments.append("".join(comment))
                comment = []
        elif token == "(":
            depth = 1
        elif token in ",;":
            if item:
                items.append(item)
            if len(items) >= limit:
                return items, unbalanced, True
            item = _Item()
        elif token == ":":
            item = _Item()  # the name of a group is no person
        elif token in _STRAY or (token[0] == '"' and (len(token) < 2 or token[-1] != '"' or token[-2:] == '\\"')):
            unbalanced = True
            if len(token) > 1:
                item.words.append(token[1:].strip())
        elif token[0] == "<" and token[-1] == ">":
            item.angles.append(token[1:-1].strip())
        elif not token.isspace():
            item.after |= bool(item.angles)
            item.words.append(_unquote(token) if token[0] == '"' else token.strip())
    if item:
        items.append(item)
    return items, unbalanced or depth > 0, False


def _unquote(token: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", token[1:-1]) if "\\" in token else token[1:-1]


def _read(item: _Item) -> tuple[Address, bool]:
    """The one address of an entry, and whether there was only one way to read it."""
    words = " ".join(item.words)
    name = words or " ".join(item.comments)
    if item.angles:
        address = _ROUTE.sub("", item.angles[0])
        if len(item.angles) > 1 or (item.after and "@" in words):
            return Address("", clean_display(name)), False
        if is_address(address):
            return Address(address.rstrip("."), clean_display(name)), True
        return Address("", clean_display(name or address)), not address
    if is_address(words):
        return Address(words.rstrip("."), clean_display(" ".join(item.comments))), True
    pieces = words.split()
    if len(pieces) > 1 and is_address(pieces[-1]) and words.count("@") == 1:
        return Address(pieces[-1].rstrip("."), clean_display(" ".join(pieces[:-1]))), True
    return Address("", clean_display(name)), "@" not in words
