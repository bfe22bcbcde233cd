"""Bodies of mail that want to run, to call home, to lead away or to lie, each named by its CVE or its class.

RUN stands for a script, SINK for an address that must never be asked, NAME for a host that must never be looked up.
The cases follow what changelogs, advisories and the HTML standard say may load or run; the words are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Hostile:
    name: str
    html: str
    does: str  # runs | calls | leads | clicked | lies: what it is after where nothing holds it


_PICTURED = str.maketrans({"⏎": "\n", "␀": "\0", "␋": "\x0b", "␌": "\x0c"})
_SECTIONS = {"mutations": "runs", "carriers": "lies", "names": "calls"}


def _written() -> Iterator[Hostile]:
    does = ""
    for line in Path(__file__).with_suffix(".txt").read_text("utf-8").split("\n")[1:]:
        if line.startswith("[") and line.endswith("]"):
            does = _SECTIONS.get(line[1:-1], line[1:-1])
        elif line:
            name, _, html = line.partition(" | ")
            yield Hostile(name.strip(), html.translate(_PICTURED), does)


_HANDLED = [
    *("onabort", "onbeforetoggle", "oncanplay", "onclose", "oncuechange", "ondurationchange", "onemptied", "onended"),
    *("onerror", "onfocus", "onfocusin", "onload", "onloadeddata", "onloadstart", "onpageshow", "onreadystatechange"),
    *("onscrollend", "onslotchange", "onstalled", "onsuspend", "ontimeupdate", "ontoggle", "ontransitionend"),
    *("onunload", "onwaiting", "onwebkitanimationend", "onwebkitanimationstart", "onwheel", "onpointerrawupdate"),
]
HANDLERS = [
    Hostile(
        f"handler {name}",
        f"<video src=x {name}=RUN></video><details open {name}=RUN></details><img src=x {name}=RUN>"
        f"<input autofocus {name}=RUN><svg {name}=RUN></svg><style>@keyframes k{{}}</style>"
        f"<p {name}=RUN style='animation:k 1ms'>x</p>",
        "lies",
    )
    for name in _HANDLED
]


def _encodings(url: str) -> dict[str, str]:
    """The same script address in every dress that a browser looks through, and some that it does not."""
    hexed = "".join(f"&#x{ord(one):x};" for one in url[:11])
    return {
        "plain": url,
        "upper case": url.replace("javascript", "JAVASCRIPT"),
        "mixed case": url.replace("javascript", "jAvAsCrIpT"),
        "tab": url.replace("java", "java&Tab;"),
        "newline": url.replace("java", "java&NewLine;"),
        "carriage return": url.replace("java", "java&#13;"),
        "raw tab": url.replace("java", "ja\tva"),
        "raw newline": url.replace("java", "ja\nva"),
        "leading space": "  " + url,
        "leading control": "&#1;&#14;" + url,
        "decimal entities": "".join(f"&#{ord(one)};" for one in url[:11]) + url[11:],
        "padded entities": "".join(f"&#{ord(one):07d};" for one in url[:11]) + url[11:],
        "entities without ends": "".join(f"&#{ord(one):07d}" for one in url[:10]) + url[10:],
        "hexadecimal entities": hexed + url[11:],
        "named colon": url.replace(":", "&colon;", 1),
        "percent": url[:11] + quote(url[11:]),
        "comment line": url.replace(":", "://%0a", 1),
        "view-source": "view-source:" + url,
        "feed": "feed:" + url,
        "zero width": "java\u200bscript:" + url[11:],
        "soft hyphen": "java\u00adscript:" + url[11:],
        "full width": "ｊavascript:" + url[11:],
        "vbscript": "vbscript:msgbox(1)//" + url[11:],
        "data HTML": f"data:text/html,{escape('<script>' + url[11:] + '</script>')}",
        "data XHTML": f"data:application/xhtml+xml,{escape('<script>' + url[11:] + '</script>')}",
    }


ADDRESSES = [
    Hostile(f"iframe with a script address: {name}", f'<iframe src="{url}"></iframe>', "lies")
    for name, url in _encodings("javascript:RUN").items()
]
PRESSED = [
    Hostile(
        f"link with a script address: {name}", f'<a href="{url}" style="font-size:99px">press here now</a>', "clicked"
    )
    for name, url in _encodings("javascript:RUN").items()
]


def _huge() -> list[Hostile]:
    return [
        Hostile("deep: 20,000 open divisions", "<div>" * 20_000 + "<img src=x onerror=RUN>", "lies"),
        Hostile("deep: 3,000 tables", "<table><tr><td>" * 3000 + "<img src=x onerror=RUN>", "lies"),
        Hostile("deep: 2,000 of bold and italic", "<b><i>" * 2000 + "<img src=x onerror=RUN>", "lies"),
        Hostile("deep: 600 svg in foreignObject", "<svg><foreignObject>" * 600 + "<img src=x onerror=RUN>", "lies"),
        Hostile("huge: 100,000 ampersands", "&" * 100_000 + "<img src=x onerror=RUN>", "lies"),
        Hostile("huge: 20,000 attributes", "<p " + "a=1 " * 20_000 + "><img src=x onerror=RUN>", "lies"),
        Hostile("huge: 50,000 unclosed comments", "<!--" * 50_000 + "--><img src=x onerror=RUN>", "lies"),
        Hostile("huge: a style of 500 KB", f"<p style='{'color:red;' * 50_000}'>x<img src=x onerror=RUN></p>", "lies"),
        Hostile("huge: 5,000 links", "<a href=https://evil.example/x>paypal.com</a>" * 5000, "lies"),
        Hostile("huge: a word of a megabyte", "x" * 1_000_000 + "<img src=x onerror=RUN>", "lies"),
    ]


_ALL = [*_written(), *HANDLERS, *ADDRESSES, *PRESSED, *_huge()]
BODIES = [replace(one, name=f"{one.name} ({one.does})") for one in _ALL]
