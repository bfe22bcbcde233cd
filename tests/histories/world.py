"""One history: a mailbox on the model server, our reader of it, and what the ledger owes at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from connectors.base import PlacesMissing, RetryLater
from connectors.mail import EmailConnector
from connectors.mail.imap import Deadlines
from connectors.messages import Scope, Wish
from connectors.registry import AccountSettings, SecretText
from inbox import completeness, reconciliation, shelf
from inbox.models import Account, RawItem
from tests.servers.model_imap import Folder, Mail, ModelImap, Standing

BEGINNING: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FOLDERS: Final = ("INBOX", "Clients")
_MOST_POLLS: Final = 14
_now = BEGINNING


class PatientConnector(EmailConnector):
    """The real connector with the history's clock, and deadlines that a test can wait for."""

    deadlines = Deadlines(connect=5, read=0.12, answer=20, clock=lambda: _now)


@dataclass
class World:
    standing: Standing
    account: Account
    seed: int
    has_proof: bool = True  # False: nothing but the polls may find what is there
    model: ModelImap = field(init=False)
    ever: dict[int, Mail] = field(default_factory=dict)  # every mail that was ever on the server
    owed: set[int] = field(default_factory=set)  # those that were there while nothing went wrong, until all was quiet
    validity: int = 1000
    _connector: EmailConnector | None = None

    def __post_init__(self) -> None:
        global _now
        _now = BEGINNING
        self.model = ModelImap(random=Random(self.seed))
        self.model.folders = {name: Folder(self.new_validity()) for name in FOLDERS}
        self.standing.model = self.model

    # --- The server ---------------------------------------------------------------------------------------------------

    def new_validity(self) -> int:
        self.validity += 1
        return self.validity

    def write_mail(self) -> Mail:
        """A mail that was never there before, of a size of its own."""
        number = len(self.ever) + 1
        at = BEGINNING + timedelta(seconds=61 * number)
        head = (
            f"From: c{number}@shop.example\r\nTo: help@balas.example\r\nSubject: Mail {number}\r\n"
            f"Message-ID: <{number}.{self.account.id}@shop.example>\r\nDate: {at:%a, %d %b %Y %H:%M:%S} +0000\r\n\r\n"
        )
        mail = Mail(number, (head + "x" * number + "\r\n").encode(), at.strftime("%d-%b-%Y %H:%M:%S +0000").encode())
        self.ever[number] = mail
        return mail

    def pass_time(self, length: timedelta) -> None:
        global _now
        _now += length

    # --- Our side -----------------------------------------------------------------------------------------------------

    @property
    def connector(self) -> EmailConnector:
        if self._connector is None:
            imap = {"scheme": "imap", "host": "127.0.0.1", "port": self.standing.port, "user": "u"}
            settings = AccountSettings("email", "help@balas.example", {"imap": imap, "folders": list(FOLDERS)}, Path())
            self._connector = PatientConnector(settings, {"password": SecretText("p")})
        return self._connector

    def drop_connection(self) -> None:
        if self._connector is not None:
            self._connector.close()
        self._connector = None

    def poll(self, most_pages: int | None = None) -> tuple[bool, int]:
        """As workers.jobs.poll does: (whether it went well, how many new items). `most_pages`: then we are killed."""
        new = pages = 0
        try:
            for page in self.connector.fetch(shelf.known(self.account.id), Wish(page_items=4)):
                new += shelf.put(self.account.id, page, held=None, now=_now).new
                pages += 1
                if pages == most_pages:
                    self.drop_connection()
                    return False, new
        except PlacesMissing:
            pass
        except RetryLater:
            self.drop_connection()
            return False, new
        return True, new

    def prove(self) -> int:
        """As workers.proving does: how many were missing, 1 where the listing did not come to its end."""
        missing = 0
        try:
            for row in completeness.current_scopes(self.account.id):
                if row.place in self.model.folders:
                    scope = Scope(row.place, row.epoch)
                    listing = self.connector.list_ids(scope)
                    missing += reconciliation.prove(self.account.id, scope, listing, held=None, now=_now).missing
        except RetryLater:
            self.drop_connection()
            return 1
        return missing

    def rest(self) -> None:
        """Nothing goes wrong any more: polls until all is quiet and a listing agrees. What is there then is owed."""
        self.model.calm()
        is_proved = False
        for number in range(_MOST_POLLS):
            is_well, new = self.poll()
            self.pass_time(timedelta(minutes=3) if number < 6 else timedelta(hours=7))
            if not is_well or new or self._troubled():
                is_proved = False
            elif is_proved:
                break
            else:
                is_proved = not self.has_proof or not self.prove()
        read = [folder for name, folder in self.model.folders.items() if name in FOLDERS]
        self.owed |= {mail.number for folder in read for mail in folder.mails.values()}
        problem = self.problem()
        assert not problem, problem

    def _troubled(self) -> bool:
        known = shelf.known(self.account.id).scopes
        return any(one.troubled for one in known if one.scope.place in self.model.folders)

    # --- The ledger ---------------------------------------------------------------------------------------------------

    def problem(self) -> str:
        """What is not as it must be once all is quiet; "" when the ledgers agree."""
        numbers = {mail.content: mail.number for mail in self.ever.values()}
        here: dict[tuple[str, str], dict[int, int]] = {}
        items = RawItem.objects.filter(account=self.account)
        for place, epoch, uid, content in items.values_list("place", "epoch", "external_id", "rawbody__content"):
            number = numbers.get(bytes(content or b""))
            if number is None:
                return f"{place} {epoch} {uid} is no mail that was ever there"
            here.setdefault((place, epoch), {})[int(uid)] = number
        stored = {number for items in here.values() for number in items.values()}
        if lost := self.owed - stored:
            return f"lost: {sorted(lost)}"
        scopes = completeness.current_scopes(self.account.id)
        troubles = completeness.open_troubles(scopes)
        for scope in scopes:
            folder = self.model.folders.get(scope.place)
            if folder is None:
                continue
            known = here.get((scope.place, scope.epoch), {})
            there = {uid: mail.number for uid, mail in folder.mails.items()}
            if wrong := {uid: number for uid, number in there.items() if known.get(uid) != number}:
                return f"{scope.place} {scope.epoch}: {wrong} are on the server, the ledger has {known}"
            said = completeness.complete_of(scope, troubles[scope.id])
            if (said.on_server, said.complete, said.excluded) != (len(there), True, {}):
                return f"{len(there)} on the server, and it is said: {said}"
        return f"commands that write: {self.model.writes}" if self.model.writes else ""


Act = Callable[[World, int], None]
