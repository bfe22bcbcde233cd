"""ENVELOPE, BODYSTRUCTURE and single parts of a mail (RFC 9051 §7.5.2), read with the standard library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_string
from email.header import Header
from email.message import Message
from email.utils import getaddresses

MAX_DEPTH = 30
MAX_PARTS = 500


def read(content: bytes) -> Message:
    """Every byte as the character of the same number, so that no part is decoded on the way."""
    return message_from_string(content.decode("latin-1"))


def _nstring(value: object) -> str:
    """A quoted string, or NIL for nothing; what is not ASCII becomes `?`, as an answer line may hold none."""
    if value is None:
        return "NIL"
    text = re.sub(r"\s*[\r\n]+\s*", " ", str(value)).encode("ascii", "replace").decode()
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _addresses(values: Iterable[str | Header]) -> str:
    pairs = [pair for pair in getaddresses([str(value) for value in values]) if pair[1]]
    if not pairs:
        return "NIL"
    shown = []
    for name, address in pairs:
        local, _, domain = address.rpartition("@")
        shown.append(f"({_nstring(name or None)} NIL {_nstring(local or domain)} {_nstring(domain)})")
    return "(" + "".join(shown) + ")"


def envelope(header: bytes) -> str:
    mail = read(header)
    sender = mail.get_all("From", [])
    people = [sender, mail.get_all("Sender", []) or sender, mail.get_all("Reply-To", []) or sender]
    people += [mail.get_all(name, []) for name in ("To", "Cc", "Bcc")]
    return "({} {} {} {} {})".format(
        _nstring(mail["Date"]),
        _nstring(mail["Subject"]),
        " ".join(_addresses(values) for values in people),
        _nstring(mail["In-Reply-To"]),
        _nstring(mail["Message-ID"]),
    )


def _parameters(pairs: Iterable[tuple[str, str | tuple[str | None, str | None, str]]]) -> str:
    shown = [
        f"{_nstring(name)} {_nstring(value[2] if isinstance(value, tuple) else value)}" for name, value in pairs if name
    ]
    return "(" + " ".join(shown) + ")" if shown else "NIL"


def _disposition(part: Message) -> str:
    kind = part.get_content_disposition()
    if kind is None:
        return "NIL"
    return f"({_nstring(kind)} {_parameters((part.get_params(header='content-disposition') or [])[1:])})"


def part_bytes(part: Message) -> bytes:
    """The body of a leaf exactly as it lies in the mail, transfer encoding and all."""
    payload = part.get_payload()
    return payload.encode("latin-1", "replace") if isinstance(payload, str) else b""


def _structure(part: Message, is_full: bool, depth: int = 0) -> str:
    parameters = _parameters((part.get_params() or [])[1:])
    if part.is_multipart() and part.get_content_maintype() == "multipart" and depth < MAX_DEPTH:
        children = [child for child in part.get_payload() if isinstance(child, Message)][:MAX_PARTS]
        inner = "".join(_structure(child, is_full, depth + 1) for child in children)
        tail = f" {parameters} {_disposition(part)} NIL NIL" if is_full else ""
        return f"({inner} {_nstring(part.get_content_subtype())}{tail})"
    body = part_bytes(part) if not part.is_multipart() else part.as_string().encode("latin-1", "replace")
    fields = [
        _nstring(part.get_content_maintype() if not part.is_multipart() else "application"),
        _nstring(part.get_content_subtype() if not part.is_multipart() else "octet-stream"),
        parameters,
        _nstring(part["Content-ID"]),
        _nstring(part["Content-Description"]),
        _nstring(str(part.get("Content-Transfer-Encoding", "7bit")).strip()),
        str(len(body)),
    ]
    if part.get_content_maintype() == "text":
        fields.append(str(body.count(b"\n")))
    if is_full:
        fields += ["NIL", _disposition(part), "NIL", "NIL"]
    return "(" + " ".join(fields) + ")"


def body_structure(content: bytes, is_full: bool) -> str:
    return _structure(read(content), is_full)


def find_part(content: bytes, numbers: Iterable[int]) -> Message | None:
    """The part at a path such as 2.1, or None."""
    part = read(content)
    for number in numbers:
        children = part.get_payload() if part.is_multipart() else [part]
        if not isinstance(children, list) or not 1 <= number <= len(children):
            return None
        child = children[number - 1]
        if not isinstance(child, Message):
            return None
        part = child
    return part


def mime_header(part: Message) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in part.items()]
    return "".join([*lines, "\r\n"]).encode("latin-1", "replace")


def header_fields(header: bytes, names: Iterable[str], is_inverted: bool = False) -> bytes:
    """The named fields (or all others) as they stand, closed by an empty line."""
    wanted = {name.lower().encode() for name in names}
    fields = re.split(rb"\r?\n(?![ \t])", header)
    kept = [
        field
        for field in fields
        if field.strip() and (field.split(b":", 1)[0].strip().lower() in wanted) != is_inverted
    ]
    return b"".join(field + b"\r\n" for field in [*kept, b""])
