"""Bounces that are written for people: which address failed and why, found in the words of the common mail servers.

Known shapes: qmail, Exim, Postfix, Sendmail, Exchange and Microsoft 365, Gmail, Yahoo, iCloud (Oracle), Domino. They
share two habits: the address stands in a line of its own or in angle brackets before a colon, and what the far server
said stands beneath it. What fits neither names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_TEXT = 64 * 1024
MAX_LINES = 1_000
MAX_FOUND = 200
_MAX_REASON_LINES = 12

_ADDRESS = r"[^\s<>()\[\]:;,\"'|]{1,64}@[^\s<>()\[\]:;,\"'|@]{1,255}"
# Where the returned mail begins: what stands beneath was written by us and says nothing about the failure.
_COPY = re.compile(
    r"(?<![-=_])[-=_]{2,}\s{0,4}(?:below this line|this is a copy|original message|returned message|unsent message"
    r"|begin message|the (?:header|body) of the|message header)"
    r"|^original message headers:|^received:\s|^return-path:\s",
    re.I,
)
_OPENINGS = (
    re.compile(rf"^\s{{0,8}}<({_ADDRESS})>\s?:\s*(.*)$"),  # qmail, Postfix, Yahoo
    re.compile(rf"^\s{{0,8}}<({_ADDRESS})>\s*()$"),  # Sendmail
    re.compile(rf"^\s*recipient address:\s*<?({_ADDRESS})>?()\s*$", re.I),  # iCloud
    re.compile(rf"^\s*({_ADDRESS})(?: on \d.{{1,40}})?()\s*$"),  # Exim, Gmail, Domino, Exchange
    re.compile(rf"^\s*[^()<>]{{1,120}}\s[(<]({_ADDRESS})(?:<mailto:[^>]*>)?[)>]()\s*$"),  # Exchange, Microsoft 365
    re.compile(
        rf"(?:(?:was|could|has|is)(?: ?n[o']t| not)(?: be| been)? (?:yet )?delivered to|your message to"
        rf"|(?:problem|delay) delivering your message to)\s+<?({_ADDRESS})>?(?<![.,])(.*)$",
        re.I,
    ),  # Gmail, Microsoft 365
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_REPLY = re.compile(r"(?<![\d.:])([45]\d\d)(?=[\s:\-]\s?\D|[\s\-]*[45]\.\d)")
_HEADER_LINE = re.compile(r"^\s*(?:message-id|from|to|cc|bcc|reply-to|sender|date|subject|x-[a-z-]{1,40})\s*:", re.I)
_DELAYED = re.compile(
    r"will (?:be retried|(?:keep|continue) (?:trying|to)|retry|be re-?attempted|try (?:again|to send))"
    r"|still (?:being )?tr(?:ying|ied)"
    r"|delivery attempts will continue|no action is required on your part|do not need to resend|not yet been delivered"
    r"|temporary (?:problem|failure|error)|\bdelay(?:ed)?\b|delivery incomplete|warning message only",
    re.I,
)
_PERMANENT = re.compile(
    r"permanent (?:error|failure|fatal)|failed permanently|giv(?:en|ing) up|undeliverable|has failed|delivery failed"
    r"|couldn.t be delivered|address not found|returned to sender|expired|retry timeout exceeded",
    re.I,
)
_NO_PERSON = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon)@", re.I)


@dataclass(slots=True)
class _Failure:
    address: str
    is_indented: bool
    lines: list[str] = field(default_factory=list)

    @property
    def is_explained(self) -> bool:
        said = " ".join(self.lines)
        return (
            bool(said)
            and not said.endswith(":")
            and (self.is_indented or bool(_STATUS.search(said) or _REPLY.search(said)))
        )


def read_words(subject: str, text: str) -> list[tuple[str, str, str, str]]:
    """(recipient, action, status, diagnostic) of each address that a free-text bounce names; [] when it names none."""
    lines = list(_own_lines(text))
    action = _action(subject, lines)
    found: dict[str, _Failure] = {}
    current: _Failure | None = None
    for line in lines:
        opened = _open(line)
        if opened is not None:
            address, rest = opened
            current = found.setdefault(address.lower(), _Failure(address, line[:1].isspace()))
            if rest.strip():
                current.lines.append(rest)
        elif current is not None and line.strip():
            current.lines.append(line)
        elif current is not None and current.is_explained:
            current = None  # what stands after the blank line is meant for every address
        if len(found) >= MAX_FOUND:
            break
    everything = " ".join(lines)
    return [_told(one, action, everything if len(found) == 1 else "") for one in found.values()]


def _own_lines(text: str) -> Iterator[str]:
    """What the server itself wrote."""
    for line in text[:MAX_TEXT].splitlines()[:MAX_LINES]:
        if _COPY.search(line[:200]):
            return
        yield line[:1000].rstrip()


def _open(line: str) -> tuple[str, str] | None:
    if "@" not in line or len(line) > 600 or _HEADER_LINE.match(line):
        return None
    for opening in _OPENINGS:
        found = opening.search(line)
        if found is not None:
            address = found.group(1).rstrip(".")
            return None if _NO_PERSON.match(address) else (address, found.group(2))
    return None


def _action(subject: str, lines: list[str]) -> str:
    """`delayed` only where it is said and nothing says that it is over."""
    start = f"{subject}\n" + "\n".join(lines[:60])
    return "delayed" if _DELAYED.search(start) and not _PERMANENT.search(start) else "failed"


def _told(failure: _Failure, action: str, everything: str) -> tuple[str, str, str, str]:
    reason = " ".join(" ".join(failure.lines[:_MAX_REASON_LINES]).split())
    said = reason if _STATUS.search(reason) or _REPLY.search(reason) else (everything or reason)
    status, reply = _STATUS.search(said), _REPLY.search(said)
    code = status.group(1) if status else f"{reply.group(1)[0]}.0.0" if reply else ""
    if reply and reply.start() > 200 and said is everything:
        reason = said[reply.start() :]
    return failure.address[:320], action, code, reason.strip(" .,")[:1000]
