"""Credentials at rest: AES-256-GCM, bound to the row they belong to.

Form of a sealed value: b"v1|" + key id (8 hex digits) + b"|" + nonce (12 bytes) + ciphertext and tag. The additional
data is "table|column|row id": a value copied to another row or column does not open there. The keyring lies outside
the database: a file with mode 0600 (default `BALAS_HOME/keyring`) or the environment (`BALAS_KEYRING`). It holds one
key a line, "id hex"; all of them open, the last one seals.
"""

from __future__ import annotations

import os
import secrets as random
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.registry import SecretText

_VERSION = b"v1"
_NONCE_BYTES = 12


class KeyMissing(Exception):
    """The key that sealed a value is not in the keyring, or the value was not sealed for this row."""


@dataclass(frozen=True, slots=True)
class Keyring:
    keys: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(key_id for key_id, _ in self.keys)})"

    @property
    def newest(self) -> str:
        return self.keys[-1][0]

    def seal(self, plain: str, *, table: str, column: str, row: int) -> bytes:
        key_id, key = self.keys[-1]
        nonce = os.urandom(_NONCE_BYTES)
        body = AESGCM(key).encrypt(nonce, plain.encode(), _bound_to(table, column, row))
        return b"|".join((_VERSION, key_id.encode(), nonce + body))

    def unseal(self, sealed: bytes, *, table: str, column: str, row: int) -> SecretText:
        """Raises KeyMissing when the key is unknown or the value belongs to another row."""
        parts = bytes(sealed).split(b"|", 2)
        if len(parts) != 3:
            raise KeyMissing("The stored secret was changed.")
        version, key_id, body = parts
        key = dict(self.keys).get(key_id.decode("ascii", "replace"))
        if version != _VERSION or key is None:
            raise KeyMissing(f"No key {key_id.decode('ascii', 'replace')} in the keyring.")
        try:
            plain = AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound_to(table, column, row))
        except InvalidTag:
            raise KeyMissing("The stored secret was changed or belongs to another row.") from None
        return SecretText(plain.decode())


def _bound_to(table: str, column: str, row: int) -> bytes:
    return f"{table}|{column}|{row}".encode()


def parse_keyring(text: str) -> Keyring:
    """One key a line, or separated by commas: "id hex". Raises ValueError with the line number."""
    keys = []
    for number, line in enumerate(text.replace(",", "\n").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key_id, _, value = line.strip().partition(" ")
        try:
            key = bytes.fromhex(value)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ValueError(f"Line {number} of the keyring is not “id” and 64 hex digits.")
        keys.append((key_id, key))
    if not keys:
        raise ValueError("The keyring is empty.")
    return Keyring(tuple(keys))


def new_key_line() -> str:
    return f"{random.token_hex(4)} {random.token_hex(32)}"


def load_keyring(path: Path) -> Keyring:
    """Reads the keyring, and makes it on the first run, with mode 0600, durable before it is used."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process was faster: its key is the key
        else:
            with os.fdopen(handle, "w") as file:
                file.write(new_key_line() + "\n")
                file.flush()
                os.fsync(file.fileno())
    return parse_keyring(path.read_text())
