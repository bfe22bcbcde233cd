"""Mail HTML made safe to show: an allow-list by nh3, after the depth scan, before nothing.

Cleaning is the last step. The result is served as it is, from its own route with its own policy, and is never edited,
joined or parsed again as a string. A page that is too large or too deep to be parsed is shown as its text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from urllib.parse import unquote

import nh3

from connectors.mail.links import Link, show_hosts
from connectors.mail.markup import strip_tags
from connectors.mail.nesting import looks_deeper_than_allowed

MAX_HTML = 1024 * 1024
MAX_AMPERSANDS = 50_000  # nh3 takes quadratic time over them: a megabyte of them 18 seconds
MAX_DATA_URL = 200_000
MAX_LISTED = 500

_TAG_NAMES = (
    "a abbr address article b bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em"
    " figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section"
    " small span strike strong sub sup table tbody td tfoot th thead tr tt u ul wbr"
)
_TAGS = set(_TAG_NAMES.split())
_DROPPED_NAMES = (
    "script style title template svg math noscript iframe frameset object applet embed xmp textarea select option"
    " audio video noembed noframes plaintext canvas"
)
_DROPPED = set(_DROPPED_NAMES.split())
_SIZED = {"width", "height"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"align", "valign", "dir", "lang", "title", "style"},
    "a": {"href"},
    "img": {"src", "alt", "border", *_SIZED},
    "table": {"border", "cellpadding", "cellspacing", "bgcolor", "summary", *_SIZED},
    "td": {"colspan", "rowspan", "bgcolor", "nowrap", *_SIZED},
    "th": {"colspan", "rowspan", "bgcolor", "nowrap", "scope", *_SIZED},
    "tr": {"bgcolor"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value"},
    "font": {"color", "face", "size"},
    "hr": {"width", "size", "color", "noshade"},
}
_PROPERTY_NAMES = (
    "background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width border-collapse"
    " border-color border-left border-left-color border-left-style border-left-width border-radius border-right"
    " border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color"
    " border-top-style border-top-width border-width clear color direction display float font font-family font-size"
    " font-style font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom"
    " margin-left margin-right margin-top max-height max-width min-height min-width padding padding-bottom"
    " padding-left padding-right padding-top table-layout text-align text-decoration text-indent text-transform"
    " vertical-align white-space width word-break word-spacing word-wrap overflow-wrap"
)
_PROPERTIES = frozenset(_PROPERTY_NAMES.split())
_SAFE_VALUE = re.compile(r"(?:(?:rgb|rgba|hsl|hsla)\([\d\s.,%/]*\)|[\w\s#%.,+\-!'\"])*+", re.I)
_NEGATIVE = re.compile(r"-\s*\d")
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.I)
_URL_NOISE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")


@dataclass(frozen=True, slots=True)
class CleanHtml:
    """`html` is safe to serve in a sandboxed frame. `is_text`: the page was too much to parse, its text is shown."""

    html: str
    blocked_images: int = 0
    is_text: bool = False
    remote_images: tuple[str, ...] = ()  # their addresses, whether they were left or taken out; MAX_LISTED at most
    links: tuple[Link, ...] = ()


class _Filter:
    """Decides every attribute that nh3 lets through; counts the remote images it takes away."""

    __slots__ = ("blocked", "cid_url", "known", "led", "mark", "remote", "remote_url")

    def __init__(
        self, cid_url: Callable[[str], str | None], remote_url: Callable[[str], str] | None, mark: str
    ) -> None:
        self.cid_url = cid_url
        self.remote_url = remote_url
        self.mark = mark
        self.known: set[str] = set()  # addresses of links that were looked at
        self.led: dict[str, str] = {}  # misleading address → the page that says so
        self.remote: dict[str, None] = {}
        self.blocked = 0

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return clean_style(value) or None
        if attribute == "src":
            return self._image(value)
        if attribute == "href":
            start = _URL_NOISE.sub("", value[:64]).lower()
            if not start.startswith(("http://", "https://", "mailto:", "tel:")):
                return None
            if start.startswith("http") and self.mark and value not in self.known:
                return None  # the two parsers read it differently: nobody can say where it would lead
            return self.led.get(value, value)
        if attribute == "title" and tag == "a" and self.mark:
            return value.removeprefix(self.mark) if value.startswith(self.mark) else None
        return value

    def _image(self, value: str) -> str | None:
        start = _URL_NOISE.sub("", value[:64]).lower()
        if start.startswith("cid:"):
            return self.cid_url(unquote(value.strip()[4:]).strip("<> "))
        if start.startswith(("http://", "https://")):
            if len(self.remote) < MAX_LISTED:
                self.remote[value] = None
            if self.remote_url is not None:
                return self.remote_url(value)
            self.blocked += 1
            return None
        if start.startswith("data:image/") and len(value) <= MAX_DATA_URL and _DATA_IMAGE.fullmatch(value.strip()):
            return value
        return None


def clean_style(style: str) -> str:
    """Declarations of the allow-list whose values hold nothing but words, numbers, colours and quoted names.

    No parenthesis but those of colours, no backslash, no comment, no at-rule: so no url(), var(), expression().
    """
    kept: list[str] = []
    for declaration in style[:10_000].split(";")[:200]:
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or name not in _PROPERTIES or not value or not _SAFE_VALUE.fullmatch(value):
            continue
        if value.count('"') % 2 or value.count("'") % 2:
            continue
        if name.startswith(("margin", "text-indent", "letter-spacing", "word-spacing")) and _NEGATIVE.search(value):
            continue  # nothing may be pushed out of its place over something else
        kept.append(f"{name}:{value}")
    return ";".join(kept)


def clean_html(
    html: str,
    *,
    cid_url: Callable[[str], str | None],
    remote_url: Callable[[str], str] | None = None,
    leaving_url: Callable[[Link], str] | None = None,
) -> CleanHtml:
    """Sanitise a mail's HTML. `cid_url` gives the address of an inline image by its Content-ID, None when unknown.

    Remote images are taken out and counted, or get the address that `remote_url` gives. With `leaving_url` every link
    tells its host as its title, and one whose words name another host leads to the page that this function names.
    Never raises; bounded by MAX_HTML and the scan.
    """
    html = html.replace("\x00", "")
    if len(html) > MAX_HTML or html.count("&") > MAX_AMPERSANDS or looks_deeper_than_allowed(html):
        return CleanHtml(_as_text(html), 0, is_text=True)
    chosen = _Filter(cid_url, remote_url, secrets.token_hex(8) if leaving_url else "")
    links: list[Link] = []
    if leaving_url is not None:
        links, html = show_hosts(html, chosen.mark)
        misleading = {link.href: link for link in links if link.is_misleading}
        chosen.led = {href: leaving_url(link) for href, link in list(misleading.items())[:MAX_LISTED]}
        chosen.known = {link.href for link in links} - (misleading.keys() - chosen.led.keys())
    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        attribute_filter=chosen,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "img": {"loading": "lazy"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        # Every address that may stay is chosen by the filter above, which lets no relative one pass; "deny" would
        # only take away what the functions above gave.
        url_relative="pass_through",
    )
    return CleanHtml(cleaned, chosen.blocked, False, tuple(chosen.remote), tuple(links))


def _as_text(html: str) -> str:
    text = escape(strip_tags(html[:MAX_HTML]))
    return '<pre style="white-space:pre-wrap">' + text + "</pre>" if text else ""
