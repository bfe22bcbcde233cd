"""Builds a reply as exact bytes: a header nobody can inject into, a plain part, an HTML part, CRLF, plain ASCII.

The output needs neither 8BITMIME nor SMTPUTF8 for its content: words outside ASCII are encoded (RFC 2047, RFC 2231),
bodies are quoted-printable or base64, and no line is longer than 998 octets (RFC 5322 §2.1.1).
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

import idna

from connectors.base import Refused
from connectors.mail.outgoing import body, refuse_controls
from connectors.messages import Address, OutboundFile

MAX_REFERENCES = 40
_MAX_REFERENCES_OCTETS = 4000
_FOLD_AT = 76
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~. -]*")
_ID = re.compile(r"[!-;=?-~]{1,500}")  # printable ASCII without < and >
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def new_message_id(domain: str) -> str:
    """A Message-ID without brackets that nobody can guess: 128 random bits at the sender's own domain.

    Short, because a long one does not fit beside `In-Reply-To:` and is folded, or even encoded, by some mailers.
    """
    return f"{secrets.token_hex(16)}@{_ascii_domain(domain)}"


def compose_reply(
    *,
    message_id: str,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    subject: str,
    text: str,
    quoted: str | None = None,
    intro: str = "",
    html: bool = True,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    date: datetime,
    attachments: Sequence[OutboundFile] = (),
    language: str = "",
    is_automatic: bool = False,
) -> bytes:
    """The whole message, ready to be frozen. `quoted` is the history below the answer, or None to leave it out.

    Raises Refused where a header value holds control characters or is no address, id or type.
    """
    fields = [
        ("From", _addresses([sender])),
        ("To", _addresses(to)),
        ("Cc", _addresses(cc)),
        ("Subject", _unstructured("Subject", subject)),
        ("Date", [format_datetime(date)]),
        ("Message-ID", [_bracketed(message_id)]),
        ("In-Reply-To", [_bracketed(in_reply_to)] if in_reply_to else []),
        ("References", [_bracketed(one) for one in trim_references(references, in_reply_to)]),
        ("Content-Language", [_checked_language(language)] if language else []),
        *(_AUTOMATIC if is_automatic else ()),
        ("MIME-Version", ["1.0"]),
    ]
    header = "".join(_folded(name, words) for name, words in fields if words)
    return header.encode("ascii") + body(text, quoted, html, attachments, intro)


# What programs look for before they answer a program: RFC 3834 §5, Exchange, and our own mark, which we refuse.
_AUTOMATIC = (
    ("Auto-Submitted", ["auto-replied"]),
    ("X-Auto-Response-Suppress", ["All"]),
    ("X-Balas-Loop", ["1"]),
)


def trim_references(references: Sequence[str], in_reply_to: str = "") -> list[str]:
    """The chain with its end and its root kept: at most MAX_REFERENCES ids and about 4,000 octets, each id once."""
    chain = list(dict.fromkeys([*references, *([in_reply_to] if in_reply_to else [])]))
    chain = [one for one in chain if _ID.fullmatch(one)]
    if in_reply_to in chain and chain[-1] != in_reply_to:
        chain = [one for one in chain if one != in_reply_to] + [in_reply_to]
    if not chain:
        return []
    root, rest = chain[0], chain[1:]
    kept: list[str] = []
    octets = len(root) + 3
    for one in reversed(rest):
        octets += len(one) + 3
        if octets > _MAX_REFERENCES_OCTETS or len(kept) >= MAX_REFERENCES - 1:
            break
        kept.append(one)
    return [root, *reversed(kept)]


# --- Header ---------------------------------------------------------------------------------------------------------


def _folded(name: str, words: list[str]) -> str:
    """`name: word word`, folded before a word that would pass 76 columns; words themselves are never cut."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _FOLD_AT and lines[-1].strip() and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def _unstructured(name: str, value: str) -> list[str]:
    """A free text as words. What is not plain ASCII, or could be taken for an encoded word, is encoded as a whole."""
    value = refuse_controls(name, value)
    words = value.split(" ")
    is_plain = value.isascii() and "=?" not in value and all(words) and all(len(word) <= _FOLD_AT for word in words)
    return words if is_plain else _encoded_words(value)


def _encoded_words(value: str) -> list[str]:
    """RFC 2047 words of at most 75 characters that never cut a character in two."""
    words: list[str] = []
    piece = ""
    for sign in value:
        if len((piece + sign).encode("utf-8")) > 42:
            words.append(piece)
            piece = ""
        piece += sign
    words.append(piece)
    return [f"=?utf-8?B?{base64.b64encode(word.encode('utf-8')).decode('ascii')}?=" for word in words if word]


def _addresses(people: Sequence[Address]) -> list[str]:
    """An address list as words; the comma belongs to the word before it."""
    words: list[str] = []
    for person in people:
        mine = [*_display_name(person.name), f"<{_address(person.address)}>"]
        if words:
            words[-1] += ","
        words.extend(mine)
    return words


def _display_name(name: str) -> list[str]:
    name = refuse_controls("name", name).strip()
    if not name:
        return []
    if not name.isascii() or "=?" in name or len(name) > 200:
        return _encoded_words(name)
    if _ATOMS.fullmatch(name) and "." not in name and "  " not in name:
        return name.split(" ")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def _address(address: str) -> str:
    local, at, domain = refuse_controls("address", address).strip().rpartition("@")
    if not at or not local or not domain or len(address) > 320:
        raise Refused(f"“{address[:80]}” is no mail address.")
    if not local.isascii():
        raise Refused(f"“{address[:80]}” holds letters that mail servers do not take before the @.")
    if not _LOCAL.fullmatch(local):
        raise Refused(f"“{address[:80]}” is no mail address.")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise Refused(f"“{domain[:80]}” is no domain name.") from None


def _bracketed(message_id: str) -> str:
    if not _ID.fullmatch(message_id):
        raise Refused("A message id holds characters that it must not hold.")
    return f"<{message_id}>"


def _checked_language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise Refused(f"“{language[:20]}” is no language tag.")
    return language
