"""Signature and footer: what stands at the end of what is new, at the very end of a mail or right before the history.

A wrong fold hides words, so whatever could be an answer stays in view: closing words with a name, an address to deliver
to, a sentence that begins like a line of a phone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from connectors.mail.tailwords import (
    ADDRESS,
    CLOSING,
    DEVICES,
    GREEN_OR_SCANNED,
    LABELLED,
    LEGAL_TITLE,
    LIST_WORDS,
    MAIL_WORDS,
    MOBILE_LINE,
    PHONE,
    RECIPIENTS,
    SECRETS,
    SHORT_RULE,
    SITE,
)
from connectors.messages import Address
from connectors.passages import FOOTER, NEW, SIGNATURE

MAX_LINE = 400  # characters of a line that are looked at
MAX_RUNS = 50
_FOOTER_LINES = 80  # from the end, within which lawyers and scanners are looked for
_SIGNATURE_LINES = 15
_PARAGRAPH = 1200  # characters of a paragraph that are looked at
# Each with a letter that few texts hold: looking for one character takes a tenth of the time of looking for a word.
_SECRETS = [(next((letter for letter in word if not letter.isascii()), ""), word) for word in SECRETS]
_WORD = re.compile(r"[^\W\d_]{2,}")


def mark_tails(lines: Sequence[str], labels: list[str], author: Address | None = None) -> None:
    """Labels the tails of every run of new lines."""
    end = len(labels)
    for _ in range(MAX_RUNS):
        while end and labels[end - 1] != NEW:
            end -= 1
        start = end
        while start and labels[start - 1] == NEW:
            start -= 1
        if start == end:
            return
        _mark_tail(lines, labels, start, end, author)
        end = start


def _mark_tail(lines: Sequence[str], labels: list[str], start: int, end: int, author: Address | None) -> None:
    names, until = _names(author), end
    for find in (_footer_start, _mobile_start, _dashes_start, _mobile_start):
        last = _trimmed(lines, start, end)
        at, label = find(lines, start, last, names)
        if at < last:
            labels[at:end] = [label] * (end - at)
            end = at
    last = _trimmed(lines, start, end)
    at = _contact_start(lines, start, last, names, lines[end : min(until, end + _SIGNATURE_LINES)])
    if at < last:
        labels[at:end] = [SIGNATURE] * (end - at)


def _trimmed(lines: Sequence[str], start: int, end: int) -> int:
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


# --- Footers --------------------------------------------------------------------------------------------------------


def _footer_start(lines: Sequence[str], start: int, end: int, _names: Set[str]) -> tuple[int, str]:
    """Where what lawyers and scanners add begins: the first such paragraph after the writer's own words."""
    first = start
    while first < end and not lines[first].strip():
        first += 1
    begin = max(first + 1, end - _FOOTER_LINES)
    tail = "\n".join([line[:_PARAGRAPH] for line in lines[begin:end]]).lower()
    secrets = [word for mark, word in _SECRETS if mark in tail and word in tail]
    for at in range(begin, end):
        if lines[at].strip() and _begins_paragraph(lines, at) and _is_footer(_paragraph(lines, at, end), secrets):
            return _with_rule(lines, first + 1, at), FOOTER
    return end, FOOTER


def _begins_paragraph(lines: Sequence[str], at: int) -> bool:
    before = lines[at - 1].strip()
    return not before or SHORT_RULE.match(before[:MAX_LINE]) is not None


def _paragraph(lines: Sequence[str], at: int, end: int) -> str:
    taken, size = [], 0
    while at < end and lines[at].strip() and size < _PARAGRAPH:
        taken.append(lines[at][:_PARAGRAPH].strip())
        size += len(taken[-1])
        at += 1
    return " ".join(taken)[:_PARAGRAPH]


def _is_footer(paragraph: str, secrets: Sequence[str]) -> bool:
    head = paragraph[:MAX_LINE].lstrip("*_-~ ")
    if LEGAL_TITLE.match(head) or GREEN_OR_SCANNED.match(head):
        return True
    if not secrets or len(paragraph) < (70 if paragraph.isascii() else 40):
        return False
    lowered = paragraph.lower()
    return all(_any_in(words, lowered) for words in (secrets, RECIPIENTS, MAIL_WORDS))


def _any_in(words: Sequence[str], lowered: str) -> bool:
    return any(word in lowered for word in words)


def _with_rule(lines: Sequence[str], first: int, at: int) -> int:
    """A rule above the footer belongs to it."""
    above = at - 1
    while above > first and not lines[above].strip():
        above -= 1
    return above if above >= first and SHORT_RULE.match(lines[above].strip()[:MAX_LINE]) else at


# --- Lines of phones, and what stands below dashes --------------------------------------------------------------------


def _mobile_start(lines: Sequence[str], start: int, end: int, names: Set[str]) -> tuple[int, str]:
    at = end
    while at > start and end - at < 3 and _is_mobile(lines, start, at - 1):
        at = _trimmed(lines, start, at - 1)
    if at == end:
        return end, SIGNATURE
    if at > start + 1 and lines[at].strip() and _is_name(lines[at - 1], names):
        return at - 1, SIGNATURE
    while not lines[at].strip():
        at += 1
    return at, SIGNATURE


def _is_mobile(lines: Sequence[str], start: int, at: int) -> bool:
    line = lines[at].strip()
    lowered = line.lower() if 5 < len(line) < 140 else ""
    if "outlook" in lowered and "//aka.ms/" in lowered:
        return True
    if not _any_in(DEVICES, lowered) or not MOBILE_LINE.match(line):
        return False
    # Without an empty line before it, it may be the end of a sentence.
    return at == start or not lines[at - 1].strip() or len(line) < 60


def _dashes_start(lines: Sequence[str], start: int, end: int, _names: Set[str]) -> tuple[int, str]:
    for at in range(max(start, end - 200), end):
        if lines[at][:1] in _RULES:
            label = _tail_label(lines, at, end)
            if label:
                return at, label
    return end, SIGNATURE


_RULES = frozenset("-_—=*~―─–#━═＝＿")


def _tail_label(lines: Sequence[str], at: int, end: int) -> str:
    """What a line of dashes begins here: SIGNATURE, FOOTER, or "" for nothing."""
    line = lines[at]
    bare = line.rstrip()
    is_rule = SHORT_RULE.match(bare[:MAX_LINE]) is not None
    if is_rule and _last_words(lines, at).endswith((":", "：")):
        return ""  # it frames what was announced
    if not is_rule and bare not in ("--", "—", "–", "__"):
        return ""
    is_list = any(_any_in(LIST_WORDS, near[:MAX_LINE].lower()) for near in lines[at + 1 : min(end, at + 12)])
    if line == "-- ":
        return FOOTER if is_list else SIGNATURE
    below = [one for one in lines[at + 1 : min(end, at + 60)] if one.strip()]
    if end - at > 60 or len(below) > _SIGNATURE_LINES:
        return ""
    if not is_rule:
        # People part paragraphs with two dashes too.
        is_told = any(len(one.split()) > 12 or one.rstrip().endswith(("?", "？")) for one in below)
        return "" if is_told else (FOOTER if is_list else SIGNATURE)
    if is_list and len(bare) >= 20:
        return FOOTER
    return SIGNATURE if any(map(_contact, below)) else ""


# --- Names with telephone numbers below -------------------------------------------------------------------------------


def _contact(line: str) -> str:
    """What a line gives to reach somebody by; "" for nothing. One line is one way."""
    line = line[:MAX_LINE].strip()
    if len(line) > 120:
        return ""
    for kind, expression in (("address", ADDRESS), ("site", SITE), ("phone", PHONE)):
        if expression.search(line):
            return kind
    return "labelled" if LABELLED.match(line) else ""


def _contact_start(lines: Sequence[str], start: int, end: int, names: Set[str], tail: Sequence[str]) -> int:
    """Where the author's name begins a block of ways to reach them, which may go on in the tail; `end` for nowhere."""
    first = start
    while first < end and not lines[first].strip():
        first += 1
    for at in range(max(first + 1, end - _SIGNATURE_LINES - 5), end):
        if _is_name(lines[at], names) and _may_begin_signature(lines, at) and _is_signature(lines[at:end], names, tail):
            return _with_closing_words(lines, first, at)
    return end


def _with_closing_words(lines: Sequence[str], first: int, at: int) -> int:
    """A "Regards," alone would wait for a name."""
    above = at - 1
    while above > first and not lines[above].strip():
        above -= 1
    return above if above > first and _is_closing(lines[above].strip()) else at


def _is_closing(words: str) -> bool:
    if len(words) >= 40 or len(words.split()) > 5:
        return False
    return words.endswith((",", "，", "、")) or CLOSING.match(words) is not None


def _is_name(line: str, names: Set[str]) -> bool:
    """Whether a line is a person's own, perhaps with a title; "Name: Ana" is an answer."""
    words = line.split() if len(line) <= 80 and ":" not in line else []
    return 0 < len(words) <= 8 and not names.isdisjoint(word.casefold() for word in _WORD.findall(line))


def _names(author: Address | None) -> Set[str]:
    if author is None:
        return frozenset()
    words = {*_WORD.findall(author.name), *_WORD.findall(author.address.partition("@")[0])}
    found = {word.casefold() for word in words if len(word) > 2 or not word.isascii()}
    return found | {author.address.casefold()} if "@" in author.address else found


def _may_begin_signature(lines: Sequence[str], at: int) -> bool:
    """After an empty line or closing words ("Regards,"), and not after "please send it to:"."""
    words = _last_words(lines, at)
    if words.endswith((":", "：")):
        return False
    return not lines[at - 1].strip() or lines[at].lstrip()[:1] in "-–—" or _is_closing(words)


def _last_words(lines: Sequence[str], at: int) -> str:
    """The last line above that is not empty."""
    above = at - 1
    while above >= 0 and at - above < 10 and not lines[above].strip():
        above -= 1
    return lines[above].strip()[:MAX_LINE] if above >= 0 else ""


def _is_signature(lines: Sequence[str], names: Set[str], tail: Sequence[str]) -> bool:
    block = [line.strip() for line in lines if line.strip()]
    ways = [_contact(line) for line in block]
    if len(block) > _SIGNATURE_LINES or any(map(_is_sentence, block, ways)):
        return False
    if any("@" in name and name in line.casefold() for line in block[1:] for name in names):
        return True
    ways += map(_contact, tail)
    if len({*ways} - {""}) >= 2 and ("site" in ways or "address" in ways):
        return True
    return block[0][:1] in "-–—" and len(block) == 1 and len(block[0]) < 40


def _is_sentence(line: str, way: str) -> bool:
    if len(line) > 120 or line.endswith(("?", "？", "!", "！")):
        return True
    return not way and (line[:1].islower() or len(line.split()) > 9)
