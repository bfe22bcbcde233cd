"""Passes for a frame that sends no cookies: an address that carries its own permission.

A pass names a session and what it is for, and is encrypted: who reads an address in a log learns neither. It dies
after an hour, with its session, with a new password, and when its person may no longer read: rights are asked anew.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

SECONDS: Final = 3600


@cache
def _box(secret: str) -> Fernet:
    digest = salted_hmac("web.passes", "key", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def make_pass(session_key: str, purpose: str, *names: str | int) -> str:
    plain = json.dumps([session_key, purpose, *names], separators=(",", ":"))
    return _box(settings.SECRET_KEY).encrypt(plain.encode()).decode()


def read_pass(token: str, purpose: str) -> tuple[str, list[str | int]] | None:
    """The session and the names of a pass for this purpose; None for one that is forged, too old, or for another."""
    try:
        found = json.loads(_box(settings.SECRET_KEY).decrypt(token.encode(), ttl=SECONDS))
    except (InvalidToken, ValueError):
        return None
    return (found[0], found[2:]) if found[1] == purpose else None
