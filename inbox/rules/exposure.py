"""What a public answer would give away: numbers and addresses of a person, or words that were written in private.

Hints for the writer, who may confirm each: a pattern cannot know what is secret. What stands in public already, because
the customer or we have written it there, is given away no more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Exposed(StrEnum):
    ORDER_NUMBER = "order-number"
    EMAIL = "e-mail"
    PHONE = "phone"
    CARD = "card"
    BANK_ACCOUNT = "bank-account"
    PRIVATE_WORDS = "private-words"  # as they stand in a private message


@dataclass(frozen=True, slots=True)
class Exposure:
    """`text` is text[start:end] of the answer."""

    what: Exposed
    text: str
    start: int
    end: int


RUN: Final = 6  # words in a row that are no coincidence
MAX_READ: Final = 20_000  # characters of each text

_EMAIL = re.compile(r"(?<![\w@.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_LONG_NUMBER = re.compile(r"(?<![\w+.,/@#-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}:\d{2}")
_PHONE = re.compile(r"(?<![\w@#.-])(?:\+|00)?\(?\d(?:[ ()./-]{0,2}\d){7,14}(?![\w-])")
_CODE = re.compile(
    r"(?<![\w@/.-])(?:#\d{4,20}|[A-Za-z]{1,6}[-–]\d{3,20}(?:-\d{1,10})*|[A-Z]{1,6}\d{4,20}|\d{6,20})(?![\w%])"
)
_NAMED_NUMBER = re.compile(
    r"\b(?:order|invoice|ticket|case|booking|reference|comanda|comenzii|factura|bestellung|rechnung|pesanan|faktur"
    r"|commande|pedido|ordine)\b[^\w\n]{0,4}(?:(?:no|nr|number|num|id)\b[^\w\n]{0,4})?(\d{3,20})(?!\w)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_URL = re.compile(r"https?://\S+")


def find_exposed(text: str, private: Iterable[str], public: Iterable[str] = ()) -> tuple[Exposure, ...]:
    """What of `text` would be given away, in the order of the text, no two overlapping."""
    text = text[:MAX_READ]
    known = " ".join(one[:MAX_READ] for one in public).casefold()
    found: list[Exposure] = []
    for one in (*_by_form(text), *_by_words(text, private, known)):
        is_known = one.what is not Exposed.PRIVATE_WORDS and _bare(one.text) in _bare(known)
        if not is_known and not any(one.start < other.end and other.start < one.end for other in found):
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.start))


def _bare(text: str) -> str:
    return re.sub(r"[\s#–-]+", "", text.casefold())


def _by_form(text: str) -> Iterator[Exposure]:
    """The surest first: what is a card is no telephone."""
    links = [one.span() for one in _URL.finditer(text)]
    for what, pattern, is_one in (
        (Exposed.EMAIL, _EMAIL, _always),
        (Exposed.CARD, _LONG_NUMBER, is_card),
        (Exposed.BANK_ACCOUNT, _IBAN, is_iban),
        (Exposed.PHONE, _PHONE, _is_phone),
        (Exposed.ORDER_NUMBER, _CODE, _is_code),
    ):
        for match in pattern.finditer(text):
            if is_one(match[0]) and not any(low <= match.start() < high for low, high in links):
                yield Exposure(what, match[0], *match.span())
    for match in _NAMED_NUMBER.finditer(text):
        yield Exposure(Exposed.ORDER_NUMBER, match[1], *match.span(1))


def _always(text: str) -> bool:
    return True


def is_card(text: str) -> bool:
    """By the check digit of ISO/IEC 7812-1 (Luhn)."""
    digits = [int(one) for one in text if one.isdecimal()]
    doubled = [two if two < 10 else two - 9 for two in (2 * one for one in digits[-2::-2])]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """By the check digits of ISO 13616 (MOD 97-10)."""
    bare = text.replace(" ", "")
    turned = "".join(str(int(one, 36)) for one in bare[4:] + bare[:4])
    return 15 <= len(bare) <= 34 and int(turned) % 97 == 1


def _is_phone(text: str) -> bool:
    digits = sum(one.isdecimal() for one in text)
    # A bare run of digits is a number of something else; times and dates are no telephones.
    is_grouped = text.startswith(("+", "00", "0", "(")) or not text.isdecimal()
    return 8 <= digits <= 15 and is_grouped and _DATE.search(text) is None


def _is_code(text: str) -> bool:
    return _YEAR.fullmatch(re.sub(r"\D", "", text)) is None


def _by_words(text: str, private: Iterable[str], public: str) -> Iterator[Exposure]:
    """Runs of words, and single words with digits, that stand in a private text and in no public one."""
    texts = [_words(one) for one in private]
    if not texts:
        return
    runs = {tuple(words[at : at + RUN]) for words in texts for at in range(len(words) - RUN + 1)}
    numbers = {word for words in texts for word in words if len(word) >= 5 and any(map(str.isdecimal, word))}
    known = _words(public)
    runs -= {tuple(known[at : at + RUN]) for at in range(len(known) - RUN + 1)}
    yield from _runs(text, runs)
    for match in _WORD.finditer(text):
        if match[0].casefold() in numbers and _is_code(match[0]):
            yield Exposure(Exposed.ORDER_NUMBER, match[0], *match.span())


def _words(text: str) -> list[str]:
    return [one.casefold() for one in _WORD.findall(text[:MAX_READ])]


def _runs(text: str, runs: Collection[tuple[str, ...]]) -> Iterator[Exposure]:
    spans = [(match[0].casefold(), *match.span()) for match in _WORD.finditer(text)]
    at = 0
    while at + RUN <= len(spans):
        end = at
        while end + RUN <= len(spans) and tuple(word for word, _, _ in spans[end : end + RUN]) in runs:
            end += 1
        if end == at:
            at += 1
            continue
        start, stop = spans[at][1], spans[end + RUN - 2][2]
        yield Exposure(Exposed.PRIVATE_WORDS, text[start:stop], start, stop)
        at = end + RUN - 1
