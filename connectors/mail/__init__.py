"""The e-mail channel: IMAP in, SMTP out, assembled into the connector contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from connectors.base import Refused
from connectors.mail.endpoint import read_endpoint
from connectors.mail.imap import Deadlines
from connectors.mail.mailbox import Mailbox, MailboxSettings
from connectors.messages import Known, Page, Scope, Wish
from connectors.registry import AccountSettings, SecretText


class EmailConnector:
    kind: ClassVar[str] = "email"

    def __init__(self, account: AccountSettings, secrets: Mapping[str, SecretText]) -> None:
        settings = account.settings
        self._mailbox = Mailbox(
            read_endpoint(settings, "imap", account.address),
            secrets.get("password", SecretText("")),
            MailboxSettings(
                folders=tuple(settings.get("folders") or ("INBOX",)),
                sent_folder=str(settings.get("sent_folder") or ""),
                spool=account.spool,
                max_bytes=int(settings.get("max_mail_bytes") or 100 * 1024 * 1024),
            ),
            Deadlines(),
        )

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        return self._mailbox.fetch(known, wish)

    def list_ids(self, scope: Scope) -> Iterator[str]:
        return (str(uid) for uid in self._mailbox.list_uids(scope))

    def close(self) -> None:
        self._mailbox.close()
