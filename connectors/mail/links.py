"""Where the links of a mail lead: the host a browser would go to, and whether their own words name another.

    links, html = show_hosts(html, mark)    # every link gets its host as a title that begins with `mark`

It runs before the cleaning, which is the last step and lets only titles with the mark stay on links: a sender who
does not know the mark cannot name a host of their own there.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import idna
from selectolax.lexbor import LexborHTMLParser

from connectors.mail.lookalikes import is_foreign

MAX_TEXT = 300

_SPACES = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_WEB = re.compile(r"(https?):[/\\]*([^/\\?#]*)", re.I)
_NAMED = re.compile(
    r"(?:(?P<scheme>https?:[/\\]{0,3})|(?<![\w@.-]))(?P<host>(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.)+[^\W\d_][\w-]{1,62})(?P<rest>[\S]*)",
    re.I,
)
# Endings that are files far more often than they are names of hosts.
_FILE_NAMES = (
    "pdf doc docx xls xlsx ppt pptx odt ods txt csv png jpg jpeg gif svg webp html htm php zip rar gz exe js py md xml"
    " json mp3 mp4 log"
)
_FILES = frozenset(_FILE_NAMES.split())
_SPOKEN = frozenset(("com", "net", "org", "info", "biz", "edu", "gov"))  # a host's name within a sentence ends so


@dataclass(frozen=True, slots=True)
class Link:
    """`host` is as people read it; `named` is the other host that the link's own words name, "" when they do not."""

    href: str
    host: str
    text: str
    named: str = ""
    is_disguised: bool = False  # the address itself puts another name before its host, or mixes alphabets in it

    @property
    def is_misleading(self) -> bool:
        return bool(self.named) or self.is_disguised


def host_of(href: str) -> str:
    """The host a browser goes to, in ASCII; "" for what is no web address. No tab, backslash or user hides it."""
    found = _WEB.match(_SPACES.sub("", href[:4096]))
    if found is None:
        return ""
    name = found.group(2).rpartition("@")[2]
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return ascii_host(name.partition(":")[0])


def ascii_host(name: str) -> str:
    name = unicodedata.normalize("NFKC", name).strip(".").lower()
    if name.isascii():
        return name[:253]
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return name[:253].encode("punycode", "replace").decode("ascii", "replace")


def readable_host(host: str) -> str:
    """The name as it would look, with its ASCII form when that is another: nobody can type the first from sight."""
    if "xn--" not in host:
        return host
    try:
        shown = idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host
    return f"{shown} ({host})"


def named_host(text: str) -> str:
    """The host that a link's words name: a web address, or nothing but a host's name; "" when they name none."""
    text = " ".join(text.split())[:MAX_TEXT]
    found = _NAMED.search(text)
    if found is None:
        return ""
    host = found.group("host")
    stands_alone = not text[: found.start()].strip(" ('\"‹«<[:→") and " " not in found.group("rest")
    if not found.group("scheme") and not host.lower().startswith("www."):
        if host.rpartition(".")[2].lower() in _FILES or "@" in text:
            return ""
        is_alone = stands_alone and len(text) <= len(host) + len(found.group("rest")) + 4
        if not is_alone and host.rpartition(".")[2].lower() not in _SPOKEN:
            return ""
    return ascii_host(host)


def is_same_host(one: str, other: str) -> bool:
    """Equal, or one is a part of the other's domain: www.shop.example belongs to shop.example."""
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def look_at(href: str, text: str) -> Link | None:
    """None for what leads nowhere on the web."""
    host = host_of(href)
    if not host:
        return None
    text = " ".join(text.split())[:MAX_TEXT]
    named = named_host(text)
    before = _WEB.match(_SPACES.sub("", href[:4096]))
    user = before.group(2).rpartition("@")[0] if before else ""
    is_disguised = "." in user or is_foreign(host)
    return Link(href, readable_host(host), text, named if named and not is_same_host(named, host) else "", is_disguised)


def show_hosts(html: str, mark: str) -> tuple[list[Link], str]:
    """The links of a page, and the page with their hosts as titles. The depth scan has been asked before."""
    page = LexborHTMLParser(html)
    found: list[Link] = []
    for node in page.css("a[href]"):
        link = look_at(node.attributes.get("href") or "", node.text(deep=True) or "")
        if link is None:
            continue
        found.append(link)
        node.attrs["title"] = mark + link.host
    body = page.body
    return found, (body.html or html) if body is not None else html
