"""What a failure on the wire means for a person: one error of the contract, with one sentence."""

from __future__ import annotations

import re
import socket
import ssl

from connectors.base import AuthFailed, ConnectorError, LogInExpired, Refused, RetryLater
from connectors.mail.endpoint import Endpoint

# Words by which servers say that a refused log-in is their own trouble and not the password's (RFC 5530 and practice).
_TEMPORARY = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|THROTTLED|OVERQUOTA)\]|temporar|try again|later|too many|rate.?limit|throttl"
    r"|internal|time.?out|timed out|\bbusy\b|maximum number of connections|unavailable|backend|overload",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"\[(AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\]", re.IGNORECASE)
# How servers end a session whose access token has run out (Exchange, Gmail, RFC 5530).
_EXPIRED = re.compile(
    r"AccessTokenExpired|\[(EXPIRED|AUTHENTICATIONFAILED)\]|token (has |is )?expired"
    r"|session (has |is )?(expired|invalidated)",
    re.IGNORECASE,
)
_SECURITY = re.compile(r"\[PRIVACYREQUIRED\]", re.IGNORECASE)
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def one_line(words: object, limit: int = 200) -> str:
    """A server's words as one short line without control characters."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    text = _NOT_PRINTABLE.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def network_error(endpoint: Endpoint, error: BaseException, doing: str = "") -> ConnectorError:
    """The error of the contract for a failed connection. All of them pass by themselves: none parks an account."""
    where = endpoint.name
    if isinstance(error, ssl.SSLCertVerificationError):
        why = one_line(error.verify_message or "it could not be verified")
        return RetryLater(f"The certificate of {where} is not trusted: {why}. Nothing was sent to it.")
    if isinstance(error, ssl.SSLError):
        return RetryLater(
            f"No secure connection to {where} could be made ({one_line(error.reason or error)}). "
            "Is this the right port for this kind of connection?"
        )
    if isinstance(error, socket.gaierror):
        return RetryLater(f"The name {endpoint.host} could not be found. Is it spelled rightly, and is the network up?")
    if isinstance(error, TimeoutError):
        return RetryLater(f"{where} did not answer in time{doing and ' while ' + doing}.")
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        port = f" on port {endpoint.port}" if where == endpoint.host else ""
        return RetryLater(f"{where} refuses connections{port}. The server may be down.")
    return RetryLater(f"The connection to {where} was lost{doing and ' while ' + doing} ({one_line(error)}).")


def login_error(endpoint: Endpoint, words: object, is_proven: bool = False, is_token: bool = False) -> ConnectorError:
    """What a refused log-in means. Only a refusal of the credentials themselves becomes AuthFailed.

    `is_proven` says that a code of the protocol already named the credentials as the reason.
    """
    said = one_line(words)
    what = "access token" if is_token else "password"
    if _SECURITY.search(said):
        return Refused(f"{endpoint.name} wants an encrypted connection before it takes a password.")
    if _TEMPORARY.search(said) and not _CREDENTIALS.search(said) and not is_proven:
        return RetryLater(f"{endpoint.name} could not check the {what} of {endpoint.user} just now: “{said}”.")
    return AuthFailed(f"{endpoint.name} refused the {what} for {endpoint.user}. It said: “{said}”.")


def goodbye_error(endpoint: Endpoint, words: object) -> RetryLater:
    """The server ended the session by itself (BYE, 421)."""
    said = one_line(words)
    sentence = f"{endpoint.name} ended the connection{said and f': “{said}”'}."
    return LogInExpired(sentence) if _EXPIRED.search(said) else RetryLater(sentence)


def refused_command_error(endpoint: Endpoint, doing: str, words: object) -> RetryLater:
    """A command that must work was answered with NO or BAD."""
    sentence = f"{endpoint.name} refused while {doing}: “{one_line(words)}”."
    return LogInExpired(sentence) if _EXPIRED.search(one_line(words)) else RetryLater(sentence)
