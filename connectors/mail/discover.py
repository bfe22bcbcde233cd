"""Which provider a mail address has, and its servers: by its domain, by who takes the domain's mail, by usual names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import idna

from connectors.mail.exchangers import find_exchangers
from connectors.mail.providers import GENERIC, Profile, profile_of_domain, profile_of_exchangers

_USUAL_PORTS = {"imaps": 993, "imap+starttls": 143, "smtps": 465, "smtp+starttls": 587}


@dataclass(frozen=True, slots=True)
class ServerGuess:
    """One way to reach a mailbox. `imap` and `smtp` go into an account's settings as they are."""

    profile: Profile
    imap: dict[str, str | int]
    smtp: dict[str, str | int]

    @property
    def files_sent_itself(self) -> bool:
        return self.profile.files_sent_itself


def guess_servers(address: str, exchangers: Callable[[str], list[str]] = find_exchangers) -> list[ServerGuess]:
    """Likely servers for an address, the likeliest first; empty when it is no address.

    A domain that is in no table is looked up once (`exchangers`): many organisations have theirs at a large provider.
    """
    domain = _domain(address)
    if not domain:
        return []
    if profile := profile_of_domain(domain):
        return [guess_of(profile, address)]
    usual = [
        _generic(address, f"imap.{domain}", f"smtp.{domain}"),
        _generic(address, f"mail.{domain}", f"mail.{domain}"),
        _generic(address, f"mail.{domain}", f"mail.{domain}", starttls=True),
        _generic(address, f"imap.{domain}", f"smtp.{domain}", starttls=True),
        _generic(address, domain, domain),
    ]
    hosted = profile_of_exchangers(exchangers(domain))
    return [guess_of(hosted, address), *usual] if hosted else usual


def guess_of(profile: Profile, address: str) -> ServerGuess:
    """A provider's servers for an address; for GENERIC the usual names."""
    if not profile.imap:
        domain = _domain(address)
        return _generic(address, f"imap.{domain}" if domain else "", f"smtp.{domain}" if domain else "")
    return ServerGuess(
        profile, _server("imaps", profile.imap, address), _server(profile.smtp_scheme, profile.smtp, address)
    )


def _domain(address: str) -> str:
    """In ASCII and lower case; "" when there is none."""
    local, at, domain = address.strip().rpartition("@")
    if not local or not at or "." not in domain:
        return ""
    try:
        return idna.encode(domain.lower(), uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def _server(scheme: str, host: str, user: str) -> dict[str, str | int]:
    return {"scheme": scheme, "host": host, "port": _USUAL_PORTS[scheme], "user": user}


def _generic(address: str, imap: str, smtp: str, starttls: bool = False) -> ServerGuess:
    if starttls:
        return ServerGuess(GENERIC, _server("imap+starttls", imap, address), _server("smtp+starttls", smtp, address))
    return ServerGuess(GENERIC, _server("imaps", imap, address), _server("smtps", smtp, address))
