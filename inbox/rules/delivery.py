"""Why a mail did not reach somebody: the far server's code and words, sorted into what an agent can act on.

Codes are those of RFC 3463 and its registry. Servers use them loosely, so what they say beside a vague code counts
for more than the code.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Failure(StrEnum):
    NO_SUCH_PERSON = "no-such-person"
    NO_SUCH_DOMAIN = "no-such-domain"
    CLOSED = "closed"  # the address exists and takes no mail
    FULL = "full"
    TOO_LARGE = "too-large"
    SPAM = "spam"
    SENDER_CHECK = "sender-check"  # our own SPF, DKIM or DMARC
    NOT_ALLOWED = "not-allowed"
    RATE = "rate"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    LOOP = "loop"
    CONTENT = "content"
    OTHER = "other"


_F = Failure
_BY_CODE: Final = {
    "1.0": _F.NO_SUCH_PERSON, "1.1": _F.NO_SUCH_PERSON, "1.2": _F.NO_SUCH_DOMAIN, "1.3": _F.NO_SUCH_PERSON,
    "1.4": _F.NO_SUCH_PERSON, "1.6": _F.CLOSED, "1.9": _F.NO_SUCH_PERSON, "1.10": _F.NO_SUCH_DOMAIN,
    "1.7": _F.SENDER_CHECK, "1.8": _F.SENDER_CHECK,
    "2.1": _F.CLOSED, "2.2": _F.FULL, "2.3": _F.TOO_LARGE, "2.4": _F.OTHER,
    "3.1": _F.FULL, "3.2": _F.UNREACHABLE, "3.4": _F.TOO_LARGE,
    "4.1": _F.UNREACHABLE, "4.2": _F.UNREACHABLE, "4.3": _F.UNREACHABLE, "4.4": _F.NO_SUCH_DOMAIN,
    "4.5": _F.RATE, "4.6": _F.LOOP, "4.7": _F.EXPIRED,
    "5.3": _F.RATE, "6.1": _F.CONTENT, "6.3": _F.CONTENT, "6.4": _F.CONTENT,
    "7.0": _F.NOT_ALLOWED, "7.1": _F.NOT_ALLOWED, "7.2": _F.NOT_ALLOWED, "7.12": _F.NOT_ALLOWED,
    "7.20": _F.SENDER_CHECK, "7.21": _F.SENDER_CHECK, "7.23": _F.SENDER_CHECK, "7.24": _F.SENDER_CHECK,
    "7.25": _F.SENDER_CHECK, "7.26": _F.SENDER_CHECK, "7.27": _F.SENDER_CHECK, "7.28": _F.RATE,
}  # fmt: skip
# What Exchange means by codes that the registry gives to something else.
_EXCHANGE: Final = {
    "1.10": _F.NO_SUCH_PERSON,
    "7.124": _F.NOT_ALLOWED,
    "7.133": _F.NOT_ALLOWED,
    "7.134": _F.NOT_ALLOWED,
}

_BY_WORDS: Final = (
    (
        _F.FULL,
        r"mailbox (?:is )?full|over ?quota|quota exceeded|exceeded (?:storage|the storage)"
        r"|insufficient (?:system )?storage|out of storage|inbox is full",
    ),
    (
        _F.TOO_LARGE,
        r"(?:message|mail) (?:size|is too (?:large|big))|too large|size limit"
        r"|exceeds (?:the )?(?:maximum|size)",
    ),
    (
        _F.SENDER_CHECK,
        r"\bdmarc\b|\bspf\b|\bdkim\b|unauthenticated|not authenticated|authentication[- ]results"
        r"|sender (?:address )?verif",
    ),
    (
        _F.SPAM,
        r"\bspam\b|unsolicited|block ?list|black ?list|spamhaus|barracuda|reputation|\bdnsbl\b|\brbl\b"
        r"|likely suspicious|abuse|content rejected",
    ),
    (
        _F.RATE,
        r"rate limit|too many (?:messages|connections|recipients)|throttl|greylist|gr[ae]y-?list"
        r"|try again later|receiving mail too quickly",
    ),
    (
        _F.CLOSED,
        r"(?:account|mailbox|user|address) (?:is |has been |was )?"
        r"(?:disabled|inactive|suspended|deactivated|closed|blocked|over|no longer)"
        r"|not accepting|no longer (?:valid|accept|in use|work)|mailbox unavailable and",
    ),
    (
        _F.NO_SUCH_PERSON,
        r"(?:user|recipient|mailbox|address|account|alias|person|addressee) (?:\S+ )?(?:is )?"
        r"(?:unknown|not found|not known|invalid|unavailable|does ?n.t exist|does not exist|not listed)"
        r"|unknown (?:user|recipient|address|mailbox|or illegal alias)"
        r"|no such (?:user|recipient|mailbox|address|person|account)|no mailbox"
        r"|invalid (?:recipient|mailbox|address)|does(?:n.t| not) have an? \S+ account"
        r"|recipientnotfound|couldn.t be found|not listed in|address not found"
        r"|account .{0,40}does not exist|unrouteable address",
    ),
    (
        _F.NO_SUCH_DOMAIN,
        r"(?:host|domain)(?: name)?(?: \S+)? (?:not found|unknown|does not exist)|name service error"
        r"|nxdomain|no mx|illegal host|unknown (?:host|domain)|couldn.t find any host"
        r"|domain .{0,60}couldn.t be found",
    ),
    (_F.LOOP, r"mail loop|too many hops|routing loop|hop count"),
    (
        _F.EXPIRED,
        r"expired|retry (?:time|timeout) (?:not reached|exceeded)|too long in (?:the )?queue"
        r"|message timed out|delivery time",
    ),
    (
        _F.UNREACHABLE,
        r"connection (?:timed out|refused|reset|dropped)|timed? ?out|network is unreachable"
        r"|no route to host|could not connect|unable to connect|temporar(?:y|ily)",
    ),
    (
        _F.NOT_ALLOWED,
        r"relay(?:ing)? (?:access )?denied|not permitted|not allowed|access denied|policy|rejected"
        r"|refused|prohibited|restricted",
    ),
)
_COMPILED: Final = tuple((failure, re.compile(words, re.I)) for failure, words in _BY_WORDS)
_VAGUE: Final = frozenset({"", "0.0", "3.0", "5.0", "7.0", "7.1", "2.0", "4.0", "6.0", "1.0", "4.7"})
_CODE: Final = re.compile(r"[245]\.(\d{1,3}\.\d{1,3})")


def why_failed(status: str, words: str = "") -> Failure:
    """`status` such as 5.1.1, maybe after a reply code ("550 5.1.1"); `words`: what the far server said."""
    found = _CODE.search(status)
    code = found.group(1) if found else ""
    words = words[:1000]
    by_words = next((failure for failure, pattern in _COMPILED if pattern.search(words)), None)
    if re.search(r"RESOLVER\.|Exchange|outlook\.com", words) and code in _EXCHANGE:
        return _EXCHANGE[code]
    by_code = _BY_CODE.get(code)
    if code in _VAGUE or by_code is None:
        return by_words or by_code or Failure.OTHER
    return by_code


def is_temporary(action: str, status: str) -> bool:
    """Whether a report says that delivery is still being tried: no failure yet."""
    return action == "delayed" or (not action and status.startswith("4."))
