"""What an account logs in with: a password, or access tokens that are renewed by themselves."""

from __future__ import annotations

import threading

from connectors.base import TokenSource
from connectors.registry import SecretText


class Credential:
    """Thread-safe. A password is always the same; `renewed` is for tokens only."""

    def __init__(self, password: SecretText, tokens: TokenSource | None = None) -> None:
        self._password = password
        self._tokens = tokens
        self._given = ""
        self._lock = threading.Lock()

    @property
    def is_token(self) -> bool:
        return self._tokens is not None

    def current(self) -> SecretText:
        """Raises what `TokenSource.current` raises."""
        if self._tokens is None:
            return self._password
        token = self._tokens.current()
        with self._lock:
            self._given = token
        return SecretText(token)

    def renewed(self) -> SecretText:
        """A token other than the one given last, which was refused. Raises what `TokenSource.renewed` raises."""
        assert self._tokens is not None
        with self._lock:
            refused = self._given
        token = self._tokens.renewed(refused)
        with self._lock:
            self._given = token
        return SecretText(token)
