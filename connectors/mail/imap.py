"""One IMAP connection of an account: log in, examine folders, ask and answer, each with a deadline.

Folders are only ever opened by EXAMINE; nothing here can change a flag or remove a mail. imapclient does what happens
once a connection (TLS, log-in, LIST, EXAMINE, APPEND), `Wire` what happens per message.
"""

from __future__ import annotations

import errno
import imaplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError

from connectors.base import AuthFailed, ConnectorError, LogInExpired, Refused, RetryLater
from connectors.mail.credential import Credential
from connectors.mail.endpoint import Endpoint, tls_context
from connectors.mail.folders import FolderStatus, pick_sent_folder, read_examined, read_statuses
from connectors.mail.imaplogin import log_in, log_in_with_token, said, tune
from connectors.mail.literals import Answer, Fetched, Garbled, Goodbye, Wire
from connectors.mail.sentences import goodbye_error, network_error, one_line, refused_command_error

SPOOL_OVER = 256 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SLOWEST_BYTES_A_SECOND = 2048  # slower than this for a whole answer, and the answer is given up


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: to connect, for one read or write on the socket, and the least time a whole answer is given.

    `clock` tells how long ago something was seen, across fetches.
    """

    connect: float = 20
    read: float = 60
    answer: float = 300
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


class FolderMissing(RetryLater):
    """A folder cannot be opened. The connection stays usable."""


class ConnectionLost(RetryLater):
    """The connection died or the server ended it; a new one may do better at once."""


class TokenRanOut(ConnectionLost, LogInExpired):
    """The server ended the connection because the access token is too old by now."""


def open_session(endpoint: Endpoint, credential: Credential, spool: Path, deadlines: Deadlines) -> ImapSession:
    """A logged-in connection; a refused token is renewed once. Raises the contract's errors."""
    secret = credential.current()
    try:
        return ImapSession(endpoint, secret, spool, deadlines, is_token=credential.is_token)
    except AuthFailed:
        if not credential.is_token:
            raise
    return ImapSession(endpoint, credential.renewed(), spool, deadlines, is_token=True)


class ImapSession:
    """A logged-in connection. Not thread-safe. After any ConnectorError of its methods it is closed."""

    def __init__(
        self, endpoint: Endpoint, secret: str, spool: Path, deadlines: Deadlines, *, is_token: bool = False
    ) -> None:
        """`secret` is a password, or with `is_token` an access token."""
        self.endpoint = endpoint
        self.deadlines = deadlines
        self.spool = spool
        self.selected: str | None = None
        self.is_open = False
        self._client: IMAPClient = None
        with self.guard("connecting"):
            self._client = self._connect()
            self.is_open = True
        try:
            self._secure()
            self.wire = self._take_over(spool)
            self._log_in(secret, is_token)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> IMAPClient:
        client = IMAPClient(
            self.endpoint.host,
            self.endpoint.port,
            ssl=self.endpoint.is_tls_from_start,
            ssl_context=tls_context(self.endpoint.ca_file) if self.endpoint.is_tls_from_start else None,
            timeout=SocketTimeout(self.deadlines.connect, self.deadlines.read),
        )
        client.normalise_times = False
        return client

    def _secure(self) -> None:
        if not self.endpoint.is_starttls:
            return
        with self.guard("starting encryption"):
            try:
                self._client.starttls(tls_context(self.endpoint.ca_file))
            except CapabilityError:
                raise Refused(f"{self.endpoint.name} offers no encryption (STARTTLS). Try imaps.") from None

    def _take_over(self, spool: Path) -> Wire:
        sock = self._client.socket()
        sock.settimeout(self.deadlines.read)
        tune(sock)
        wire = Wire(sock, spool, SPOOL_OVER)
        # imaplib names read and readline as the places to override; its own file object stays unused from here on.
        self._client._imap.read = wire.read
        self._client._imap.readline = wire.readline
        return wire

    def _log_in(self, secret: str, is_token: bool) -> None:
        with self.guard("logging in"):
            self.allow()
            if is_token:
                log_in_with_token(self._client, self.endpoint, secret)
            else:
                log_in(self._client, self.endpoint, secret)

    @contextmanager
    def guard(self, doing: str) -> Iterator[None]:
        """Turns whatever a wire can do into one error of the contract and closes the connection."""
        try:
            yield
        except FolderMissing:
            raise
        except ConnectorError:
            self.close()
            raise
        except Goodbye as error:
            self.close()
            raise _lost(goodbye_error(self.endpoint, error)) from error
        except (OSError, EOFError) as error:
            self.close()
            if isinstance(error, OSError) and error.errno in _FULL:
                raise  # our own disk, not the server's doing
            raise ConnectionLost(network_error(self.endpoint, error, doing).sentence) from error
        except imaplib.IMAP4.abort as error:
            self.close()
            raise self._aborted(error, doing) from error
        except (Garbled, IMAPClientError, imaplib.IMAP4.error, ValueError, AssertionError) as error:
            self.close()
            words = one_line(said(error))
            raise ConnectionLost(f"{self.endpoint.name} gave no proper answer while {doing}: “{words}”.") from error

    def _aborted(self, error: BaseException, doing: str) -> RetryLater:
        words = said(error)
        bye = getattr(getattr(self._client, "_imap", None), "untagged_responses", {}).get("BYE")
        if bye:
            return _lost(goodbye_error(self.endpoint, bye[-1]))
        return ConnectionLost(f"The connection to {self.endpoint.name} was lost while {doing} ({one_line(words)}).")

    def close(self) -> None:
        """Let go of the connection without a word; never blocks, never raises."""
        self.is_open, self.selected = False, None
        wire: Wire | None = getattr(self, "wire", None)
        if wire is not None:
            wire.drop_loose()
        try:
            if self._client is not None:
                self._client.shutdown()
        except (OSError, imaplib.IMAP4.error):
            pass

    # --- Folders ----------------------------------------------------------------------------------------------------

    def folders(self) -> list[tuple[set[str], str]]:
        """Every folder as (lower-case flags, name)."""
        with self.guard("listing folders"):
            self.allow()
            found = self._client.list_folders()
        return [({_text(flag).lower() for flag in flags}, _text(name)) for flags, _, name in found[:10_000]]

    def find_sent_folder(self) -> str | None:
        """The folder marked \\Sent (RFC 6154), or the one with a usual name; None when there is neither."""
        return pick_sent_folder(self.folders())

    def examine(self, folder: str) -> FolderStatus:
        """Open a folder read-only. Raises FolderMissing where it cannot be opened."""
        with self.guard(f"opening {folder}"):
            self.allow()
            self.selected = None
            try:
                told = self._client.select_folder(folder, readonly=True)
            except imaplib.IMAP4.abort:
                raise
            except IMAPClientError as error:
                words = one_line(said(error))
                sentence = f"The folder {folder} of {self.endpoint.user} cannot be opened: “{words}”."
                raise FolderMissing(sentence) from error
            self.selected = folder
            self.wire.stirred = False
            return read_examined(told)

    def look(self, folders: list[str]) -> dict[str, FolderStatus]:
        """One round trip: let the server tell news of the selected folder (`wire.stirred`) and the state of others."""
        doing = "looking for new mail"
        commands = [b"NOOP"]
        commands += [b"STATUS %s (MESSAGES UIDNEXT UIDVALIDITY)" % self.quoted(folder) for folder in folders]
        noop, *tags = self.ask(commands, doing)
        first = self.answer(noop, doing)
        answers = [self.answer(tag, doing) for tag in tags]
        lines = [line for answer in [first, *answers] for line in answer.lines]
        return read_statuses(lines, {self.quoted(folder): folder for folder in folders})

    def search_message_id(self, message_id: str) -> list[int]:
        """UIDs in the selected folder whose Message-ID header holds this id, ascending."""
        if not message_id or any(ord(sign) < 33 or ord(sign) > 126 or sign in '"\\' for sign in message_id):
            return []
        command = b'UID SEARCH HEADER Message-ID "%s"' % message_id.encode("ascii")
        return sorted(self.command(command, "looking for a sent mail").numbers)

    def quoted(self, folder: str) -> bytes:
        named = self._client._normalise_folder(folder)
        return bytes(named) if isinstance(named, bytes) else str(named).encode("ascii")

    # --- Questions and answers --------------------------------------------------------------------------------------

    def ask(self, commands: list[bytes], doing: str) -> list[bytes]:
        """Write commands in one go; returns their tags, to be answered in this order."""
        with self.guard(doing):
            return self.wire.send(commands)

    def answer(self, tag: bytes, doing: str, expected_bytes: int = 0) -> Answer:
        """The answer to one command, whatever its status."""
        with self.guard(doing):
            self.allow(expected_bytes)
            return self.wire.answer(tag)

    def command(self, command: bytes, doing: str, expected_bytes: int = 0) -> Answer:
        """Ask and answer. Raises RetryLater when the server says anything but OK; the connection stays usable."""
        found = self.answer(self.ask([command], doing)[0], doing, expected_bytes)
        if found.status != "OK":
            raise refused_command_error(self.endpoint, doing, found.text)
        return found

    def fetch_slowly(self, uid: int) -> Fetched | None:
        """One mail by imapclient's own parser, which knows shapes that the quick reader does not.

        None when the server omits it. Raises RetryLater when the server refuses; the connection stays usable then.
        """
        refused: Exception | None = None
        found: dict[bytes, Any] = {}
        with self.guard("reading a mail"):
            self.allow()
            try:
                found = self._client.fetch([uid], ["INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]"]).get(uid, {})
            except imaplib.IMAP4.abort:
                raise
            except IMAPClientError as error:
                refused = error
        if refused is not None:
            raise refused_command_error(self.endpoint, "reading a mail", said(refused))
        content = found.get(b"BODY[]")
        if not isinstance(content, bytes):
            return None
        at = found.get(b"INTERNALDATE")
        return Fetched(uid, at.astimezone(UTC) if at else None, found.get(b"RFC822.SIZE"), content)

    def append(self, folder: str, content: bytes, at: datetime) -> None:
        """File a mail, marked as read."""
        with self.guard(f"filing into {folder}"):
            self.allow(len(content))
            try:
                self._client.append(folder, content, flags=(b"\\Seen",), msg_time=at.astimezone(UTC))
            except imaplib.IMAP4.abort:
                raise
            except IMAPClientError as error:
                raise refused_command_error(self.endpoint, f"filing into {folder}", said(error)) from error

    def has(self, capability: str) -> bool:
        with self.guard("asking what it can do"):
            self.allow()
            return bool(self._client.has_capability(capability))

    def allow(self, expected_bytes: int = 0) -> None:
        """Start the clock of an answer of about so many bytes."""
        self.wire.allow(self.deadlines.answer + expected_bytes / _SLOWEST_BYTES_A_SECOND)


def _lost(error: RetryLater) -> ConnectionLost:
    return TokenRanOut(error.sentence) if isinstance(error, LogInExpired) else ConnectionLost(error.sentence)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
