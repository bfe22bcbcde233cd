"""Signed and encrypted mail (RFC 8551, RFC 3156, RFC 9580 §7): recognised, never verified and never decrypted here."""

from __future__ import annotations

import re

from connectors.mail.parts import Part
from connectors.messages import Flag

_ENCRYPTED_TYPES = ("multipart/encrypted", "application/pgp-encrypted")
_SMIME_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SIGNATURE_TYPES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_SMIME_NAME = re.compile(r".{0,100}\.(p7m|p7s)", re.I | re.S)
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # the object identifier 1.2.840.113549.1.7.2
_SIGNED_WORDS = ("signed-data", "certs-only")

_MESSAGE = re.compile(r"^-----BEGIN PGP MESSAGE-----[ \t]*$", re.M)
_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z][A-Za-z-]{0,30}: [^\n]{0,200}\n){0,10}[ \t]*\n", re.M
)
_SIGNATURE = re.compile(r"^-----BEGIN PGP SIGNATURE-----[ \t]*$", re.M)
_SIGNATURE_END = re.compile(r"^-----END PGP SIGNATURE-----[ \t]*(?:\n|\Z)", re.M)
_DASHED = re.compile(r"^- (?=-|From )", re.M)


def find_seal(part: Part, name: str = "") -> Flag | None:
    """What a part says of itself: signed, encrypted, or neither. `name` is its file's."""
    content_type = part.content_type
    if content_type in _ENCRYPTED_TYPES:
        return Flag.ENCRYPTED
    if content_type == "multipart/signed" or content_type in _SIGNATURE_TYPES:
        return Flag.SIGNED
    named = _SMIME_NAME.fullmatch(name) if content_type == "application/octet-stream" else None
    if named is not None and named.group(1).lower() == "p7s":
        return Flag.SIGNED
    if content_type in _SMIME_TYPES or named is not None:
        is_signed = part.parameters.get("smime-type", "").lower() in _SIGNED_WORDS
        return Flag.SIGNED if is_signed or _SIGNED_DATA in part.decode()[0][:64] else Flag.ENCRYPTED
    return None


def read_armour(text: str) -> tuple[str, Flag | None]:
    """A text without the frame of a clear signature, and what it was framed as. The source keeps the signature."""
    if "-----BEGIN PGP " not in text:
        return text, None
    opened = _SIGNED.search(text)
    if opened is not None:
        signature = _SIGNATURE.search(text, opened.end())
        if signature is None:
            return text, Flag.SIGNED
        closed = _SIGNATURE_END.search(text, signature.end())
        words = _DASHED.sub("", text[opened.end() : signature.start()])
        return text[: opened.start()] + words + (text[closed.end() :] if closed else ""), Flag.SIGNED
    return text, Flag.ENCRYPTED if _MESSAGE.search(text) else None
