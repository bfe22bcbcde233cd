"""Whether a sender looks like somebody we know: our own domains and names, and those of customers."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.mail.identity import identity_key
from connectors.mail.lookalikes import Mark, Seeming, plain_forms, seemings
from inbox.models import Account, Customer, Identity, IdentityLink, Organisation

_SHORTEST_NAME = 8  # a mailbox called "Support" is not the only one in the world
MAX_FORMS = 4


@dataclass(frozen=True, slots=True)
class Ours:
    """What a stranger could pretend to be: our domains in ASCII, and the names that customers know us by."""

    domains: frozenset[str]
    names: frozenset[str]


def ours() -> Ours:
    domains: set[str] = set()
    names: set[str] = set()
    rows = Account.objects.filter(removed_at=None).values_list("address", "own_addresses", "display_name")
    for address, own, display_name in rows:
        domains |= {one.rpartition("@")[2].lower() for one in (*own, identity_key(address))}
        names.add(display_name)
    organisation = Organisation.objects.filter(id=1).values_list("name", flat=True).first()
    names.add(organisation or "")
    names = {name for name in names if len(name) >= _SHORTEST_NAME or " " in name.strip()}
    return Ours(frozenset(domains - {""}), frozenset(names))


def marks_of(kind: str, name: str, address: str, known: Ours) -> list[Seeming]:
    """What about this sender is made to look like something else; rows are asked only for names that could be."""
    if not address and not name:
        return []
    key = identity_key(address) or address
    found = seemings(name, key, known.domains, known.names)
    if any(one.mark is Mark.LIKE_OURS for one in found):
        return found
    domain = key.rpartition("@")[2]
    for form in plain_forms(domain)[:MAX_FORMS]:
        if Identity.objects.filter(kind=kind, key__endswith=f"@{form}", is_own=False).exists():
            return [*found, Seeming(Mark.LIKE_CUSTOMER, form)]
    for form in plain_forms(name)[:MAX_FORMS]:
        if not name.isascii() and (known_as := Customer.objects.filter(name__iexact=form).first()):
            return [*found, Seeming(Mark.LIKE_CUSTOMER, known_as.name)]
    return found


def find_namesake(kind: str, name: str, address: str) -> str | None:
    """The address of somebody else who is known by exactly this name; None for single words and for nobody."""
    name = " ".join(name.split())
    if " " not in name:
        return None
    key = identity_key(address) or address
    links = IdentityLink.objects.filter(ended_at=None, customer__name=name, identity__kind=kind)
    others = links.exclude(identity__key=key).exclude(customer__links__identity__key=key)
    found: str | None = others.order_by("id").values_list("identity__address", flat=True).first()
    return found
