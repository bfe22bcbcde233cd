"""The first steps on an IMAP connection: the socket's habits, and logging in with a password or an access token."""

from __future__ import annotations

import imaplib
import socket

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from connectors.base import Refused
from connectors.mail.endpoint import Endpoint
from connectors.mail.sentences import login_error
from connectors.mail.xoauth2 import Answers


def log_in(client: IMAPClient, endpoint: Endpoint, password: str) -> None:
    """Raises the contract's errors, and what a wire can do."""
    if any(sign in password or sign in endpoint.user for sign in "\r\n\0"):
        raise Refused(f"The user name or password for {endpoint.name} holds a line break.")
    # Servers take 8-bit credentials as UTF-8; imaplib would refuse to encode them.
    client._imap._encoding = "utf-8"
    try:
        client.login(endpoint.user, password)
    except LoginError as error:
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            # imapclient calls a connection that died meanwhile a refused log-in; only words can refuse one.
            raise error.__context__ from None
        raise login_error(endpoint, said(error)) from None


def log_in_with_token(client: IMAPClient, endpoint: Endpoint, token: str) -> None:
    """XOAUTH2. Raises the contract's errors, and what a wire can do."""
    answers = Answers(endpoint.user, token)
    if not client.has_capability("AUTH=XOAUTH2"):
        raise Refused(f"{endpoint.name} takes no access tokens (XOAUTH2). Use a password.")
    try:
        # imapclient's own oauth2_login answers the challenge that refuses with the token once more.
        client._command_and_check("authenticate", "XOAUTH2", answers)
    except imaplib.IMAP4.abort:
        raise
    except IMAPClientError as error:
        words = said(error).partition("failed: ")[2] or said(error)
        raise login_error(endpoint, words, is_token=True) from None
    client._cached_capabilities = None  # what a server can do is more once somebody is logged in


def tune(sock: socket.socket) -> None:
    """Notice a peer that has silently gone after about two minutes (the options differ by platform).

    Commands in flight must not wait for each other's acknowledgement either.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def said(error: BaseException) -> str:
    """The server's words out of an exception of imaplib, which holds them as the repr of bytes."""
    words = error.args[0] if error.args else ""
    if isinstance(words, bytes):
        return words.decode("utf-8", "replace")
    text = str(words)
    return text[2:-1] if text[:2] in {"b'", 'b"'} else text
