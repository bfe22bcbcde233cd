"""The e-mail channel: IMAP in, SMTP out, assembled into the connector contract.

Settings of an account (all optional but the hosts):

    imap, smtp       {scheme, host, port, user}: imaps | imap+starttls | imap, smtps | smtp+starttls | smtp
    folders          read besides Sent, default ["INBOX"]
    sent_folder      default: the folder marked \\Sent, or one with a usual name
    file_sent        put a copy of each sent mail into Sent, for providers that do not do it themselves
    relays           addresses for which Reply-To names the author, such as a contact form's sender
    authserv_id      the receiving server's name in Authentication-Results
    insecure         allow an unencrypted connection to another machine
    ca_file          a private certificate authority; certificates are always verified
    display_name     our name in From
    mark_seen        once mail is stored, mark it as read there; off unless set
    move_to          once mail is stored, move it to this folder; off unless set
    max_mail_bytes   larger mail is kept as its header only, default 100 MiB

Secrets: `password`, and `smtp_password` where it differs; or `AccountSettings.tokens`, for XOAUTH2 at both. One object
keeps its connections between calls: one for IMAP, one for IDLE while somebody listens, up to four for SMTP. `send` may
be called from several threads at once, everything else from one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from connectors.base import ConnectorError, Refused
from connectors.mail.compose import compose_reply, new_message_id
from connectors.mail.credential import Credential
from connectors.mail.discover import ServerGuess, guess_of, guess_servers
from connectors.mail.endpoint import Endpoint, read_endpoint
from connectors.mail.identity import identity_key
from connectors.mail.idling import MailDoorbell, open_doorbell
from connectors.mail.imap import Deadlines, FolderMissing
from connectors.mail.mailbox import Mailbox, MailboxSettings
from connectors.mail.parse import parse_mail
from connectors.mail.providers import OFFERED, find_profile
from connectors.mail.salvage import SALVAGE_BYTES, bare_sha256, salvage
from connectors.mail.smtp import Timeouts
from connectors.mail.submission import Submission
from connectors.messages import (
    Address,
    Flag,
    Known,
    Limits,
    Listing,
    OutboundMessage,
    Page,
    Parsed,
    ParsedMessage,
    Party,
    RawItem,
    Receipt,
    Reply,
    Scope,
    Tended,
    Wish,
)
from connectors.registry import AccountSettings, SecretText
from connectors.social import KindCard

MAX_MAIL_BYTES = 100 * 1024 * 1024
_USUAL_LIMIT = 25 * 1024 * 1024
_MAX_RECIPIENTS = 100


class EmailConnector:
    kind: ClassVar[str] = "email"
    card: ClassVar[KindCard] = KindCard(
        "E-mail",
        icon="mail",
        is_social=False,
        has_subject=True,
        has_recipients=True,
        quotes_history=True,
        answers_within=None,
    )
    deadlines: ClassVar[Deadlines] = Deadlines()
    timeouts: ClassVar[Timeouts] = Timeouts()

    def __init__(self, account: AccountSettings, secrets: Mapping[str, SecretText]) -> None:
        self._account = account
        self._settings = account.settings
        password = secrets.get("password") or SecretText("")
        self._credential = Credential(password, account.tokens)
        self._smtp_credential = Credential(secrets.get("smtp_password") or password, account.tokens)
        self._made_mailbox: Mailbox | None = None
        self._made_submission: Submission | None = None

    # Each side is made on first use, so that an account whose other side is not set up yet still works.

    @property
    def _imap(self) -> Endpoint:
        return read_endpoint(self._settings, "imap", self._account.address)

    @property
    def _mailbox(self) -> Mailbox:
        if self._made_mailbox is None:
            settings = MailboxSettings(
                folders=tuple(self._settings.get("folders") or ("INBOX",)),
                sent_folder=str(self._settings.get("sent_folder") or ""),
                spool=self._account.spool,
                max_bytes=int(self._settings.get("max_mail_bytes") or MAX_MAIL_BYTES),
            )
            self._made_mailbox = Mailbox(self._imap, self._credential, settings, self.deadlines)
        return self._made_mailbox

    @property
    def _submission(self) -> Submission:
        if self._made_submission is None:
            endpoint = read_endpoint(self._settings, "smtp", self._account.address)
            self._made_submission = Submission(endpoint, self._smtp_credential, self.timeouts)
        return self._made_submission

    def check(self) -> Party:
        """Log in to both servers and open every folder. Raises a ConnectorError that names what failed."""
        session = self._mailbox.open_session()
        places = self._mailbox.places()
        sent = self._mailbox.find_sent_folder()
        for place in places:
            try:
                session.examine(place)
            except FolderMissing as error:
                raise Refused(error.sentence) from error
        notes = list(self._submission.check())
        if sent is None:
            notes.append("No folder for sent mail was found: replies written elsewhere will not be seen.")
        name = str(self._settings.get("display_name") or "")
        return Party(self._account.address, name, tuple(places), sent or "", tuple(notes))

    def limits(self) -> Limits:
        """Attachments grow by 37 % on the wire, so less than the server's own limit fits."""
        server = self._made_submission.max_size if self._made_submission else 0
        room = int((server or _USUAL_LIMIT) / 1.4)
        return Limits(
            max_attachment_bytes=room,
            max_recipients=_MAX_RECIPIENTS,
            files_sent_itself=not self._settings.get("file_sent"),
        )

    def fetch(self, known: Known, wish: Wish) -> Iterator[Page]:
        return self._mailbox.fetch(known, wish)

    def list_ids(self, scope: Scope) -> Listing:
        uids, told = self._mailbox.list_uids(scope)
        return Listing((str(uid) for uid in uids), told)

    async def open_doorbell(self) -> MailDoorbell:
        """IDLE on the first folder, over a connection of its own."""
        folders = [str(folder) for folder in self._settings.get("folders") or ("INBOX",)]
        return await open_doorbell(self._imap, folders, self._credential)

    def parse(self, item: RawItem) -> Parsed:
        message = parse_mail(
            _content(item),
            fallback_date=item.received_at,
            relays=tuple(self._settings.get("relays") or ()),
            authserv_id=str(self._settings.get("authserv_id") or ""),
            raw_sha256=item.sha256,
        )
        return _marked_too_large(message) if item.too_large else message

    def salvage(self, item: RawItem) -> Parsed:
        """What can be told of a mail that cannot be read, from its first 64 KB alone (its hashes are of all of it)."""
        message = salvage(item.content or b"", item.received_at)
        if item.content is None and item.path is not None:
            with item.path.open("rb") as file:
                message = salvage(file.read(SALVAGE_BYTES), item.received_at)
                file.seek(0)
                whole = bare_sha256(iter(partial(file.read, SALVAGE_BYTES), b""))
            message = replace(message, stable_sha256=whole, raw_sha256=item.sha256)
        return _marked_too_large(message) if item.too_large else message

    @staticmethod
    def guess_settings(address: str) -> list[dict[str, Any]]:
        """Likely settings for an address, best first; the form is that of `profile_settings`. May ask DNS."""
        return [_described(guess) for guess in guess_servers(address)]

    @staticmethod
    def profile_settings(key: str, address: str) -> dict[str, Any] | None:
        """A provider's settings for an address, and what it asks of its owner; None for an unknown provider."""
        profile = find_profile(key)
        return _described(guess_of(profile, address)) if profile else None

    @staticmethod
    def profiles() -> list[tuple[str, str]]:
        """(key, name) of the providers that a person may choose from."""
        return [(profile.key, profile.name) for profile in OFFERED]

    def list_places(self) -> list[tuple[str, frozenset[str]]]:
        found = self._mailbox.open_session().folders()
        return [(name, frozenset(flags)) for flags, name in found if not flags & {"\\noselect", "\\nonexistent"}]

    def tend(self, scope: Scope, items: Sequence[tuple[str, datetime]], *, mark_seen: bool, move_to: str) -> Tended:
        return self._mailbox.tend(scope, items, mark_seen=mark_seen, move_to=move_to)

    def identity_key(self, address: Address) -> str:
        return identity_key(address.address)

    def new_key(self) -> str:
        return new_message_id(self._account.address.rpartition("@")[2] or "localhost")

    def compose(self, reply: Reply) -> OutboundMessage:
        """The whole RFC 5322 message. Raises Refused for a value that cannot stand in a header."""
        content = compose_reply(
            message_id=reply.idempotency_key,
            sender=reply.sender,
            to=reply.to,
            cc=reply.cc,
            subject=reply.subject,
            text=reply.text,
            quoted=reply.quoted or None,
            intro=reply.quoted_intro,
            in_reply_to=reply.in_reply_to,
            references=reply.references,
            date=reply.written_at,
            attachments=reply.files,
            language=reply.language,
            is_automatic=reply.is_automatic,
        )
        recipients = tuple(dict.fromkeys(person.address for person in (*reply.to, *reply.cc)))
        # RFC 3834 §3.3: nobody is to be told that an automatic mail did not arrive.
        sender = "" if reply.is_automatic else reply.sender.address
        return OutboundMessage(reply.idempotency_key, sender, recipients, content)

    def send(self, message: OutboundMessage, commit: Callable[[], None]) -> Receipt:
        return self._submission.send(message, commit)

    def send_together(
        self,
        messages: Sequence[OutboundMessage],
        commit: Callable[[list[int]], None],
        meanwhile: Callable[[], None] | None = None,
    ) -> list[Receipt | ConnectorError]:
        """Several messages side by side with one `commit` for each few: see Submission.send_together."""
        return self._submission.send_together(messages, commit, meanwhile)

    def find_sent(self, message: OutboundMessage) -> Receipt | None:
        """Evidence in Sent: the provider files there only what it has accepted."""
        found = self._mailbox.find_by_message_id(message.idempotency_key)
        if found is None:
            return None
        return Receipt(outcomes=(), external_id=found, sentence=f"Found in the folder for sent mail ({found}).")

    def file_sent(self, message: OutboundMessage) -> None:
        if self._settings.get("file_sent"):
            self._mailbox.file(message.idempotency_key, message.content)

    def close(self) -> None:
        if self._made_mailbox is not None:
            self._made_mailbox.close()
        if self._made_submission is not None:
            self._made_submission.close()


def _described(guess: ServerGuess) -> dict[str, Any]:
    profile = guess.profile
    return {
        "profile": profile.key,
        "label": profile.name,
        "means": [str(means) for means in profile.means],
        "issuer": profile.issuer,
        "first": list(profile.first),
        "first_oauth": list(profile.first_oauth),
        "link": profile.link,
        "link_oauth": profile.link_oauth,
        "about_folders": profile.about_folders,
        "repeats": list(profile.repeats),
        "folders": list(profile.folders),
        "imap": guess.imap,
        "smtp": guess.smtp,
        "file_sent": not profile.files_sent_itself,
    }


def _content(item: RawItem) -> bytes:
    if item.content is not None:
        return item.content
    return item.path.read_bytes() if item.path else b""


def _marked_too_large(message: ParsedMessage) -> ParsedMessage:
    return replace(message, flags=tuple(dict.fromkeys([*message.flags, Flag.TOO_LARGE])))
