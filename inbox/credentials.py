"""An account's secrets in its row: sealed JSON, and the keyring that opens it.

A mailbox with a password keeps `password` (and `smtp_password`). One that signs in by OAuth 2 keeps `refresh_token`,
`access_token` and when that one was got and ends (`access_since`, `access_until`, RFC 3339): see inbox.logins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

from connectors.registry import SecretText
from inbox.models import Account
from inbox.sealing import Keyring, load_keyring, parse_keyring


@cache
def _keyring(text: str, path: Path) -> Keyring:
    return parse_keyring(text) if text else load_keyring(path)


def keyring() -> Keyring:
    return _keyring(settings.BALAS.keyring, settings.BALAS_HOME / "keyring")


def seal_secrets(row: int, secrets: Mapping[str, str]) -> bytes:
    return keyring().seal(json.dumps(dict(secrets)), table="account", column="sealed_secrets", row=row)


def unseal(row: int, sealed: bytes) -> dict[str, SecretText]:
    """Raises inbox.sealing.KeyMissing when the keyring lacks the key."""
    if not sealed:
        return {}
    text = keyring().unseal(bytes(sealed), table="account", column="sealed_secrets", row=row)
    return {name: SecretText(value) for name, value in json.loads(text).items()}


def unseal_secrets(account: Account) -> dict[str, SecretText]:
    """Raises inbox.sealing.KeyMissing when the keyring lacks the key."""
    return unseal(account.id, bytes(account.sealed_secrets))
