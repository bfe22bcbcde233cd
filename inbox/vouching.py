"""Which server vouches for the senders of a mailbox: learnt from its first mails, and used once a person confirms it.

Nothing counts by being seen often: a name that a stranger writes into every mail would be seen often, too. The mails
only say which name to ask about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from connectors.mail.trust import judge_kept
from connectors.messages import Flag, SenderCheck
from inbox import accounts, people
from inbox.models import Account, Identity, Message, User

LOOKED_AT = 200  # newest mails of an account
LEAST_MAILS = 5
LEAST_DOMAINS = 3  # of writers: one stranger is no proof of a server
LEAST_SHARE = 0.8  # of the mails that somebody judged
JUDGED_AGAIN = 5000


@dataclass(frozen=True, slots=True)
class Candidate:
    """`server` stood on top of `mails` of the newest mails, from writers of `domains` domains."""

    server: str
    mails: int
    domains: int


def server_of(account: Account) -> str:
    """The confirmed one; "" while nobody vouches."""
    return str(account.settings.get("authserv_id") or "")


def find_candidate(account: Account) -> Candidate | None:
    """Whom to ask about. None when one is confirmed, and when no name stands out or the one that does was declined."""
    if server_of(account):
        return None
    rows = Message.objects.filter(account_id=account.id, direction="inbound", authentication__isnull=False)
    seen: Counter[str] = Counter()
    domains: dict[str, set[str]] = defaultdict(set)
    newest = rows.order_by("-id").values_list("authentication", "author_address")[:LOOKED_AT]
    for kept, author in newest:
        server = str((kept or {}).get("server", ""))
        seen[server] += 1
        domains[server].add(author.rpartition("@")[2].lower())
    if not seen:
        return None
    server, mails = seen.most_common(1)[0]
    is_clear = mails >= max(LEAST_MAILS, LEAST_SHARE * seen.total()) and len(domains[server]) >= LEAST_DOMAINS
    if not is_clear or server in account.settings.get("declined_authserv_ids", ()):
        return None
    return Candidate(server, mails, len(domains[server]))


def confirm(account: Account, server: str, user: User, now: datetime) -> int:
    """From now on this server's word counts; mails that it vouched for before are verified too. How many those are.

    What it said against earlier mails changes nothing any more: they lie where they lie.
    """
    with transaction.atomic():
        accounts.remember(account.id, authserv_id=server)
        people.audit("sender-check.confirmed", f"account:{account.id}", user, now, {"server": server})
        changed = []
        for message in _unjudged(account, server):
            message.verified = True
            message.authentication = {**(message.authentication or {}), "is_trusted": True}
            changed.append(message)
        Message.objects.bulk_update(changed, ["verified", "authentication"], batch_size=200)
        Identity.objects.filter(message__in=[message.id for message in changed]).update(verified=True)
    return len(changed)


def _unjudged(account: Account, server: str) -> Iterator[Message]:
    rows = Message.objects.filter(
        account_id=account.id, direction="inbound", verified=None, authentication__isnull=False
    ).only("id", "authentication", "author_address", "flags")
    unclear = {Flag.SEVERAL_FROM.value, Flag.AMBIGUOUS_FROM.value, Flag.VIA_RELAY.value, Flag.NO_FROM.value}
    for message in rows.order_by("-id")[:JUDGED_AGAIN]:
        check = kept_check(message.authentication)
        domain = message.author_address.rpartition("@")[2].lower()
        if check and check.server == server and not unclear & set(message.flags) and judge_kept(check, domain):
            yield message


def kept_check(kept: Any) -> SenderCheck | None:
    """As it was stored beside the message."""
    if not isinstance(kept, dict):
        return None
    results = tuple((str(method), str(result), str(of)) for method, result, of in kept.get("results", ()))
    return SenderCheck(str(kept.get("server", "")), bool(kept.get("is_trusted")), results)


def decline(account: Account, server: str, user: User, now: datetime) -> None:
    """It is not asked about again."""
    declined = [*account.settings.get("declined_authserv_ids", ()), server][-20:]
    with transaction.atomic():
        accounts.remember(account.id, declined_authserv_ids=declined)
        people.audit("sender-check.declined", f"account:{account.id}", user, now, {"server": server})


def stop(account: Account, user: User, now: datetime) -> None:
    """Nobody vouches any more; what was verified stays so."""
    with transaction.atomic():
        accounts.remember(account.id, authserv_id="")
        people.audit("sender-check.stopped", f"account:{account.id}", user, now, {"server": server_of(account)})
