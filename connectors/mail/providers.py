"""What each large mail provider is like: servers, log-in, what its owner must do first, and its habits.

A table of data and no code: a provider is added by adding its lines. Facts from the providers' own help pages, which
`link` names; `first` and `first_oauth` are sentences for the owner, in the order in which they are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Means(StrEnum):
    """How an account may log in."""

    OAUTH = "oauth"
    APP_PASSWORD = "app-password"
    PASSWORD = "password"


@dataclass(frozen=True, slots=True)
class Profile:
    """One provider. Domains are whole mail domains, `endings` and `mx` ends of names."""

    key: str
    name: str
    imap: str
    smtp: str
    smtp_scheme: str = "smtps"
    domains: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    means: tuple[Means, ...] = (Means.PASSWORD,)  # the best first
    issuer: str = ""  # who hands out its access tokens (inbox.issuers)
    first: tuple[str, ...] = ()  # before a password works
    first_oauth: tuple[str, ...] = ()  # before signing in works
    link: str = ""  # the provider's own page about it
    link_oauth: str = ""
    files_sent_itself: bool = False  # what goes out by its SMTP lies in Sent without our doing
    folders: tuple[str, ...] = ("INBOX",)  # read at first, beside Sent
    repeats: tuple[str, ...] = ()  # folders whose mail lies in others too: reading them costs much and brings little
    about_folders: str = ""  # what is special about its folders, for people
    idle_minutes: int = 29  # how long the server lets an IDLE stand (RFC 2177: at least 30 before log-out)
    connections: int = 10  # allowed for one account at once


GMAIL = Profile(
    key="gmail",
    name="Gmail",
    imap="imap.gmail.com",
    smtp="smtp.gmail.com",
    domains=("gmail.com", "googlemail.com"),
    mx=(".google.com", ".googlemail.com"),
    means=(Means.OAUTH, Means.APP_PASSWORD),
    issuer="google",
    first=(
        "Switch on 2-Step Verification for the Google account.",
        "Make an app password and give its 16 letters here instead of your own password.",
    ),
    first_oauth=("Sign in with the Google account of this mailbox and allow reading and sending.",),
    link="https://support.google.com/accounts/answer/185833",
    link_oauth="https://support.google.com/accounts/answer/3466521",
    files_sent_itself=True,
    repeats=("\\all", "\\important", "\\flagged"),
    about_folders=(
        "Gmail shows labels as folders: a mail with three labels lies in three of them, and in All Mail. Balas shows "
        "it once all the same. Mail that a filter archives is not in INBOX: choose its label, or All Mail alone."
    ),
    idle_minutes=9,
    connections=15,
)
MICROSOFT = Profile(
    key="microsoft365",
    name="Microsoft 365 and Outlook.com",
    imap="outlook.office365.com",
    smtp="smtp.office365.com",
    smtp_scheme="smtp+starttls",
    domains=(
        *("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.fr", "hotmail.de"),
        *("hotmail.it", "hotmail.es", "live.nl", "live.co.uk", "outlook.de", "outlook.fr", "outlook.co.id"),
    ),
    endings=(".onmicrosoft.com",),
    mx=(".protection.outlook.com", ".olc.protection.outlook.com", ".mx.microsoft"),
    means=(Means.OAUTH,),
    issuer="microsoft",
    first_oauth=(
        "For an organisation: an administrator switches on IMAP and authenticated SMTP for this mailbox.",
        "Sign in with the Microsoft account of this mailbox and allow reading and sending.",
    ),
    link_oauth=(
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission"
    ),
    files_sent_itself=True,
    about_folders="The archive is a folder called Archive; a shared mailbox is another user name at the same servers.",
    idle_minutes=29,
    connections=20,
)
YAHOO = Profile(
    key="yahoo",
    name="Yahoo",
    imap="imap.mail.yahoo.com",
    smtp="smtp.mail.yahoo.com",
    domains=(
        *("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.co.id", "yahoo.ro", "yahoo.de"),
        *("yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.co.in", "yahoo.ca"),
    ),
    mx=(".yahoodns.net",),
    means=(Means.APP_PASSWORD,),
    first=("In the account's security settings make an app password and give it here instead of your own.",),
    link="https://help.yahoo.com/kb/SLN15241.html",
    files_sent_itself=True,
    about_folders="The archive is a folder called Archive; junk is called Bulk Mail.",
    idle_minutes=29,
    connections=5,
)
ICLOUD = Profile(
    key="icloud",
    name="iCloud",
    imap="imap.mail.me.com",
    smtp="smtp.mail.me.com",
    smtp_scheme="smtp+starttls",
    domains=("icloud.com", "me.com", "mac.com"),
    mx=(".mail.icloud.com",),
    means=(Means.APP_PASSWORD,),
    first=(
        "Switch on two-factor authentication for the Apple Account.",
        "Make an app-specific password and give it here instead of your own.",
    ),
    link="https://support.apple.com/102654",
    about_folders="Sent is called Sent Messages, the archive Archive.",
    idle_minutes=29,
    connections=10,
)
FASTMAIL = Profile(
    key="fastmail",
    name="Fastmail",
    imap="imap.fastmail.com",
    smtp="smtp.fastmail.com",
    domains=("fastmail.com", "fastmail.fm", "messagingengine.com", "fastmail.net", "sent.com"),
    mx=(".messagingengine.com",),
    means=(Means.APP_PASSWORD,),
    first=("Under Settings, Privacy & Security, make an app password for mail (IMAP and SMTP) and give it here.",),
    link="https://www.fastmail.help/hc/en-us/articles/360058752854",
    about_folders="The archive is a folder called Archive. Labels, if you use them, appear as folders.",
    idle_minutes=29,
    connections=10,
)
GENERIC = Profile(
    key="generic",
    name="Another provider",
    imap="",
    smtp="",
    means=(Means.PASSWORD, Means.OAUTH),
    first=("Your provider's help page names the servers; some want an app password, or IMAP switched on first.",),
)
_SWITCH_ON = "In the mailbox's settings, allow access by POP3 and IMAP; it is off at first."

PROFILES: tuple[Profile, ...] = (
    GMAIL,
    MICROSOFT,
    YAHOO,
    ICLOUD,
    FASTMAIL,
    Profile(
        *("gmx", "GMX", "imap.gmx.net", "mail.gmx.net"),
        domains=("gmx.net", "gmx.de", "gmx.at", "gmx.ch"),
        mx=(".gmx.net",),
        first=(_SWITCH_ON,),
    ),
    Profile(*("webde", "WEB.DE", "imap.web.de", "smtp.web.de"), domains=("web.de",), first=(_SWITCH_ON,)),
    Profile(
        *("zoho", "Zoho", "imap.zoho.com", "smtp.zoho.com"), domains=("zoho.com", "zohomail.com"), mx=(".zoho.com",)
    ),
    Profile(
        *("mailboxorg", "mailbox.org", "imap.mailbox.org", "smtp.mailbox.org"),
        domains=("mailbox.org",),
        mx=(".mailbox.org",),
    ),
    Profile(*("posteo", "Posteo", "posteo.de", "posteo.de"), domains=("posteo.de", "posteo.net")),
    Profile(
        *("yandex", "Yandex", "imap.yandex.com", "smtp.yandex.com"),
        domains=("yandex.ru", "yandex.com", "ya.ru"),
        mx=(".yandex.net", ".yandex.ru"),
        means=(Means.APP_PASSWORD,),
        first=("Switch on IMAP in the mailbox's settings and make an app password for mail.",),
        link="https://yandex.com/support/mail/mail-clients/others.html",
        files_sent_itself=True,
    ),
    Profile(
        *("aol", "AOL", "imap.aol.com", "smtp.aol.com"),
        domains=("aol.com",),
        means=(Means.APP_PASSWORD,),
        first=("In the account's security settings make an app password and give it here instead of your own.",),
        link="https://help.aol.com/articles/Create-and-manage-app-password",
        files_sent_itself=True,
    ),
    GENERIC,
)
OFFERED = (GMAIL, MICROSOFT, YAHOO, ICLOUD, FASTMAIL, GENERIC)
"""What a person may choose from when the guess was wrong."""


def find_profile(key: str) -> Profile | None:
    return next((profile for profile in PROFILES if profile.key == key), None)


def profile_of_domain(domain: str) -> Profile | None:
    """`domain` in lower case, as ASCII."""
    for profile in PROFILES:
        if domain in profile.domains or domain.endswith(profile.endings or ("\0",)):
            return profile
    return None


def profile_of_exchangers(hosts: list[str]) -> Profile | None:
    """The provider that takes a domain's mail, by the names in its MX records, the preferred first."""
    for host in hosts:
        for profile in PROFILES:
            if host.lower().rstrip(".").endswith(profile.mx or ("\0",)):
                return profile
    return None
