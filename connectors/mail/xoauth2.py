"""XOAUTH2, the SASL mechanism of Gmail, Microsoft and others (Gmail IMAP and SMTP, "OAuth 2.0 mechanism").

One message, without base64: user, token. A refusal comes as a challenge holding JSON, which wants an empty answer
before the server says its NO or 535.
"""

from __future__ import annotations

from connectors.base import Refused


def initial_response(user: str, token: str) -> bytes:
    """Raises Refused for a user or token that would end the message early."""
    if any(sign in text for text in (user, token) for sign in "\x01\r\n\0"):
        raise Refused("The user name or access token holds a sign that cannot be sent.")
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


class Answers:
    """What is said to the server's challenges, in turn: the message, then nothing. Keeps the refusal's JSON."""

    def __init__(self, user: str, token: str) -> None:
        self._message: bytes | None = initial_response(user, token)
        self.refusal = b""

    def __call__(self, challenge: bytes) -> bytes:
        if self._message is not None:
            message, self._message = self._message, None
            return message
        self.refusal = challenge[:1000]
        return b""
