"""Which servers a mail address probably has: a table of large providers, then the usual names."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import idna

from connectors.mail.endpoint import Endpoint, tls_context
from connectors.mail.sentences import network_error


@dataclass(frozen=True, slots=True)
class ServerGuess:
    """One way to reach a mailbox. `imap` and `smtp` go into an account's settings as they are."""

    provider: str
    imap: dict[str, str | int]
    smtp: dict[str, str | int]
    note: str = ""  # what the user must do first, such as making an app password
    files_sent_itself: bool = False


@dataclass(frozen=True, slots=True)
class _Provider:
    name: str
    domains: tuple[str, ...]
    imap: str
    smtp: str
    smtp_scheme: str = "smtps"
    note: str = ""
    files_sent_itself: bool = False
    endings: tuple[str, ...] = field(default=())


_APP_PASSWORD = "Needs two-step verification and an app password, or signing in with the provider."
_PROVIDERS = (
    _Provider(
        "Gmail", ("gmail.com", "googlemail.com"), "imap.gmail.com", "smtp.gmail.com", "smtps", _APP_PASSWORD, True
    ),
    _Provider(
        "Microsoft 365 and Outlook",
        (
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "hotmail.co.uk",
            "hotmail.fr",
            "hotmail.de",
            "outlook.de",
        ),
        "outlook.office365.com",
        "smtp.office365.com",
        "smtp+starttls",
        "Microsoft takes no passwords for IMAP any more; it needs signing in with Microsoft.",
        True,
        (".onmicrosoft.com",),
    ),
    _Provider(
        "Yahoo",
        ("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.co.id", "yahoo.ro", "yahoo.de", "yahoo.fr"),
        "imap.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        "smtps",
        _APP_PASSWORD,
        True,
    ),
    _Provider(
        "iCloud",
        ("icloud.com", "me.com", "mac.com"),
        "imap.mail.me.com",
        "smtp.mail.me.com",
        "smtp+starttls",
        "Needs an app-specific password.",
    ),
    _Provider(
        "Fastmail",
        ("fastmail.com", "fastmail.fm", "messagingengine.com"),
        "imap.fastmail.com",
        "smtp.fastmail.com",
        "smtps",
        "Needs an app password.",
    ),
    _Provider("GMX", ("gmx.net", "gmx.de", "gmx.at", "gmx.ch"), "imap.gmx.net", "mail.gmx.net"),
    _Provider("WEB.DE", ("web.de",), "imap.web.de", "smtp.web.de"),
    _Provider("Zoho", ("zoho.com", "zohomail.com"), "imap.zoho.com", "smtp.zoho.com"),
    _Provider("mailbox.org", ("mailbox.org",), "imap.mailbox.org", "smtp.mailbox.org"),
    _Provider("Posteo", ("posteo.de", "posteo.net"), "posteo.de", "posteo.de"),
    _Provider("Yandex", ("yandex.ru", "yandex.com", "ya.ru"), "imap.yandex.com", "smtp.yandex.com", "smtps", "", True),
    _Provider("AOL", ("aol.com",), "imap.aol.com", "smtp.aol.com", "smtps", _APP_PASSWORD, True),
)
_HOSTED = (_PROVIDERS[0], _PROVIDERS[1])  # providers that many organisations use under a domain of their own


def guess_servers(address: str) -> list[ServerGuess]:
    """Likely servers for an address, the likeliest first; empty when it is no address."""
    local, at, domain = address.strip().rpartition("@")
    if not local or not at or "." not in domain:
        return []
    try:
        domain = idna.encode(domain.lower(), uts46=True).decode("ascii")
    except idna.IDNAError:
        return []
    for provider in _PROVIDERS:
        if domain in provider.domains or domain.endswith(provider.endings or ("\0",)):
            return [_from_provider(provider, address)]
    own = [
        _generic(address, f"imap.{domain}", f"smtp.{domain}"),
        _generic(address, f"mail.{domain}", f"mail.{domain}"),
        _generic(address, f"mail.{domain}", f"mail.{domain}", starttls=True),
        _generic(address, f"imap.{domain}", f"smtp.{domain}", starttls=True),
        _generic(address, domain, domain),
    ]
    return [*own, *(_from_provider(provider, address) for provider in _HOSTED)]


def _server(scheme: str, host: str, user: str) -> dict[str, str | int]:
    ports = {"imaps": 993, "imap+starttls": 143, "smtps": 465, "smtp+starttls": 587}
    return {"scheme": scheme, "host": host, "port": ports[scheme], "user": user}


def _from_provider(provider: _Provider, address: str) -> ServerGuess:
    return ServerGuess(
        provider.name,
        _server("imaps", provider.imap, address),
        _server(provider.smtp_scheme, provider.smtp, address),
        provider.note,
        provider.files_sent_itself,
    )


def _generic(address: str, imap: str, smtp: str, starttls: bool = False) -> ServerGuess:
    if starttls:
        return ServerGuess("", _server("imap+starttls", imap, address), _server("smtp+starttls", smtp, address))
    return ServerGuess("", _server("imaps", imap, address), _server("smtps", smtp, address))


def probe(guess: ServerGuess, seconds: float = 5, ca_file: str = "") -> str:
    """Whether both servers of a guess greet within `seconds` each: "" when they do, else why not, in a sentence.

    Nothing is logged in and no password is needed.
    """
    for server in (guess.imap, guess.smtp):
        endpoint = Endpoint(
            str(server["scheme"]), str(server["host"]), int(server["port"]), str(server["user"]), ca_file
        )
        try:
            _greet(endpoint, seconds)
        except OSError as error:
            return network_error(endpoint, error).sentence
    return ""


def _greet(endpoint: Endpoint, seconds: float) -> None:
    with socket.create_connection((endpoint.host, endpoint.port), timeout=seconds) as plain:
        sock = plain
        if endpoint.is_tls_from_start:
            sock = tls_context(endpoint.ca_file).wrap_socket(plain, server_hostname=endpoint.host)
        with sock:
            sock.settimeout(seconds)
            if not sock.recv(512).startswith((b"* ", b"220")):
                raise ConnectionError("it is no mail server")
