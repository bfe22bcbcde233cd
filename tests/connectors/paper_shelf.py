"""A shelf on paper: keeps the promises of the real one in a few lines, so that connector tests need no database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.mail import EmailConnector
from connectors.mail.imap import Deadlines
from connectors.mail.listing import merge
from connectors.mail.smtp import Timeouts
from connectors.messages import Known, KnownScope, Page, RawItem, Scope, Wish
from connectors.registry import AccountSettings, SecretText
from tests.servers.dovecot import Dovecot


class QuickConnector(EmailConnector):
    """The real connector with deadlines that a test can wait for."""

    deadlines = Deadlines(connect=3, read=1, answer=10)
    timeouts = Timeouts(connect=3, greeting=0.5, mail=0.5, recipient=0.5, data=0.5, block=0.5, dot=0.5)


class PaperShelf:
    """Refuses what the real shelf's constraints refuse: an item twice, an item without bytes."""

    def __init__(self) -> None:
        self.items: dict[tuple[Scope, str], RawItem] = {}
        self.pages = 0
        self.counts: dict[Scope, int] = {}
        self.retired: list[Scope] = []
        self.gone: list[tuple[Scope, str]] = []
        self.reasons: dict[tuple[Scope, str], str] = {}
        self._scopes: dict[Scope, KnownScope] = {}

    def put(self, page: Page) -> None:
        self.pages += 1
        self.retired.extend(page.retired)
        for scope in page.retired:
            self._scopes.pop(scope, None)
        for item in page.items:
            key = (item.scope, item.external_id)
            assert key not in self.items, f"{key} came twice"
            assert (item.content is None) != (item.path is None)
            self.items[key] = item
        scopes = {*(covered.scope for covered in page.covered), *(trouble.scope for trouble in page.troubles)}
        scopes |= {*page.state, *(item.scope for item in page.items), *(scope for scope, _ in page.gone)}
        for scope in scopes:
            self._update(scope, page)
        self.counts |= {count.scope: count.on_server for count in page.counts}
        self.gone.extend(page.gone)

    def _update(self, scope: Scope, page: Page) -> None:
        before = self._scopes.get(scope, KnownScope(scope))
        ranges = merge([*before.ranges, *((one.low, one.high) for one in page.covered if one.scope == scope)])
        settled = {item.external_id for item in page.items if item.scope == scope}
        settled |= {uid for owner, uid in page.gone if owner == scope}
        new = {trouble.external_id: trouble.reason for trouble in page.troubles if trouble.scope == scope}
        self.reasons |= {(scope, uid): reason for uid, reason in new.items()}
        troubled = ({*before.troubled} - settled) | {*new}
        self._scopes[scope] = KnownScope(scope, ranges, tuple(sorted(troubled)), page.state.get(scope, before.state))

    def known(self) -> Known:
        return Known(tuple(self._scopes.values()))

    def of(self, place: str) -> KnownScope:
        found = self.known().of(place)
        assert found is not None
        return found

    def fetch(self, connector: EmailConnector, wish: Wish | None = None) -> int:
        """Take everything; returns how many new items came."""
        before = len(self.items)
        for page in connector.fetch(self.known(), wish or Wish()):
            self.put(page)
        return len(self.items) - before

    def uids(self, place: str = "INBOX") -> list[int]:
        return sorted(int(uid) for scope, uid in self.items if scope.place == place)

    def contents(self, place: str = "INBOX") -> Iterator[bytes]:
        for (scope, _), item in self.items.items():
            if scope.place == place:
                yield item.content if item.content is not None else item.path.read_bytes()  # type: ignore[union-attr]


def imap_account(port: int, spool: Path, *, user: str = "ana", **settings: object) -> AccountSettings:
    """An account that reads over plain IMAP on loopback."""
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": port, "user": user}
    return AccountSettings("email", f"{user}@example.org", {"imap": imap, **settings}, spool)


def dovecot_connector(
    server: Dovecot, user: str, spool: Path, kind: type[EmailConnector] = QuickConnector, **settings: object
) -> EmailConnector:
    account = imap_account(server.port, spool, user=user, **settings)
    return kind(account, {"password": SecretText(server.password)})


def mail(number: int, text: str = "Good morning.") -> bytes:
    """A small distinct mail with CRLF line ends, as a server hands it out."""
    return (
        f"From: Customer {number} <customer{number}@example.net>\r\nTo: ana@example.org\r\n"
        f"Subject: Question {number}\r\nMessage-ID: <q{number}@example.net>\r\n\r\n{text} {number}\r\n"
    ).encode()
