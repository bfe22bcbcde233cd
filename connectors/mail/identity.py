"""When two mail addresses are the same person's: the compared form of an address."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import idna


@lru_cache(maxsize=20_000)
def identity_key(address: str) -> str:
    """Local part NFC and lower case, domain as IDNA ASCII; "" when this is not one address.

    Dots and plus-tags are kept: only some providers ignore them. Look-alike characters are not folded, so that
    two different mailboxes never compare equal.
    """
    text = unicodedata.normalize("NFC", address).strip()
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or len(text) > 320 or any(ord(c) < 33 or c in '<>,;:"()[]@' for c in local):
        return ""
    domain = domain.lower().rstrip(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    if not domain or any(ord(c) < 33 or c in '<>,;"()@' for c in domain):
        return ""
    return f"{local.lower()}@{domain}"
