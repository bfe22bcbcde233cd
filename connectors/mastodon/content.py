"""The HTML of a status, a bio or a field as text.

Servers send sanitised HTML (https://docs.joinmastodon.org/spec/activitypub/#sanitization): p, br, a, span, lists,
quotes, code. Addresses are shown in full, though the page hides parts of them in spans ("invisible", "ellipsis");
custom emoji stay as :shortcode:. One pass over bounded input, no parser of pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

MAX_HTML = 512 * 1024
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]{0,20})(?P<rest>(?:[^<>\"']|\"[^\"<]{0,4000}\"|'[^'<]{0,4000}')*)>"
    r"|<[^<>]{0,4000}>"
)
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANKS = re.compile(r"\n{3,}")
_SPACED = frozenset({"p", "ul", "ol", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = frozenset({"div", "li", "tr"})
_HIDDEN = frozenset({"script", "style", "head", "title", "template", "svg", "iframe"})


def to_text(html: str, mentions: Mapping[str, str] | None = None, drops_quote_link: bool = False) -> str:
    """`mentions`: address of a profile → handle, for mentions that are shown without their server.

    `drops_quote_link`: leave out the "RE: …" paragraph that stands for a quote which is told apart from the text.
    """
    writer = _Writer(mentions or {}, drops_quote_link)
    html = html[:MAX_HTML]
    at = 0
    for match in _TAG.finditer(html):
        writer.words(html[at : match.start()])
        at = match.end()
        name = (match["name"] or "").lower()
        if name and match["close"]:
            writer.leave(name)
        elif name:
            rest = match["rest"] or ""
            writer.enter(name, _attributes(rest), is_empty=rest.endswith("/"))
    writer.words(html[at:])
    return writer.text()


def _attributes(rest: str) -> dict[str, str]:
    return {name.lower(): unescape(double or single or bare) for name, double, single, bare in _ATTRIBUTE.findall(rest)}


class _Writer:
    def __init__(self, mentions: Mapping[str, str], drops_quote_link: bool) -> None:
        self.pieces: list[str] = []
        self.mentions = mentions
        self.drops_quote_link = drops_quote_link
        self.links: list[tuple[int, dict[str, str]]] = []
        self.lists: list[int] = []  # the next number, 0 without numbers
        self.quotes: list[int] = []  # where open quotes begin
        self.hidden = ""  # the tag that hides what it holds
        self.keeps_space = 0

    def words(self, text: str) -> None:
        if self.hidden or not text:
            return
        text = unescape(text)
        if not self.keeps_space:
            text = _SPACE.sub(" ", text)
            if not self.pieces or self.pieces[-1].endswith(("\n", " ")):
                text = text.lstrip(" ")
        if text:
            self.pieces.append(text.replace("\xa0", " "))

    def enter(self, name: str, attributes: Mapping[str, str], is_empty: bool) -> None:
        if self.hidden:
            return
        classes = attributes.get("class", "").split()
        if (name in _HIDDEN and not is_empty) or (
            self.drops_quote_link and "quote-inline" in classes and name in {"p", "span"}
        ):
            self.hidden = name
        elif name == "br":
            self.pieces.append("\n")
        elif name == "img":
            self.words(attributes.get("alt") or attributes.get("title") or "")
        elif name == "a":
            self.links.append((len(self.pieces), dict(attributes)))
        elif name in _SPACED or name in _LINES:
            self._block(name)

    def _block(self, name: str) -> None:
        self._line(2 if name in _SPACED else 1)
        if name in {"ul", "ol"}:
            self.lists.append(1 if name == "ol" else 0)
        elif name == "li":
            number = self.lists[-1] if self.lists else 0
            self.pieces.append(f"{number}. " if number else "- ")
            if number:
                self.lists[-1] += 1
        elif name == "blockquote":
            self.quotes.append(len(self.pieces))
        elif name == "pre":
            self.keeps_space += 1

    def leave(self, name: str) -> None:
        if self.hidden:
            if name == self.hidden:
                self.hidden = ""
            return
        if name == "a" and self.links:
            self._leave_link(*self.links.pop())
        elif name in {"ul", "ol"} and self.lists:
            self.lists.pop()
        elif name == "pre" and self.keeps_space:
            self.keeps_space -= 1
        elif name == "blockquote" and self.quotes:
            start = self.quotes.pop()
            quoted = "".join(self.pieces[start:]).strip("\n ")
            self.pieces[start:] = ["\n".join(f"> {line}" for line in quoted.split("\n"))]
        if name in _SPACED or name in _LINES:
            self._line(2 if name in _SPACED else 1)

    def _line(self, breaks: int) -> None:
        """So many line ends before what comes next, unless they are there or nothing is."""
        tail = "".join(self.pieces[-3:])
        if tail.strip("\n ") or len(self.pieces) > 3:
            has = len(tail) - len(tail.rstrip("\n"))
            self.pieces.append("\n" * max(0, breaks - has))

    def _leave_link(self, start: int, attributes: Mapping[str, str]) -> None:
        shown = "".join(self.pieces[start:]).strip()
        href = attributes.get("href", "").strip()
        if not href.lower().startswith(("http://", "https://", "mailto:", "gemini://", "xmpp:")) or len(href) > 4096:
            return
        classes = attributes.get("class", "").split()
        if "mention" in classes and shown.startswith("@"):
            handle = self.mentions.get(href)
            if handle:
                self.pieces[start:] = [f"@{handle}"]
        elif "hashtag" in classes or shown.startswith("#"):
            return
        elif _is_same(shown, href):
            self.pieces[start:] = [href]
        else:
            self.pieces[start:] = [f"{shown} <{href}>" if shown else href]

    def text(self) -> str:
        lines = "".join(self.pieces).split("\n")
        return _BLANKS.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _is_same(shown: str, href: str) -> bool:
    """Whether a link shows its own address, whole or cut, with or without its scheme."""
    bare = href.partition("://")[2].removeprefix("www.").rstrip("/").lower()
    cut = shown.partition("://")[2] if "://" in shown else shown
    cut = cut.removeprefix("www.").rstrip("/").lower()
    return cut == bare or (cut.endswith(("…", "...")) and bare.startswith(cut.rstrip("….")))
