"""Text that every database stores."""

from __future__ import annotations


def clean(text: str) -> str:
    """Without NUL (PostgreSQL refuses it) and lone surrogates (no encoding has them): both become U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\0", "\ufffd") if "\0" in text else text
