"""Somebody at the pages without a browser: cookies, forms with their hidden fields, redirects."""

from __future__ import annotations

import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Every form with the values that it would post as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._writing: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(facts.get("action", "")))
        elif not self.forms or "name" not in facts:
            return
        elif tag == "input" and facts.get("type", "text") not in {"file", "submit", "button"}:
            if facts.get("type") not in {"checkbox", "radio"} or "checked" in facts:
                self.forms[-1].fields[facts["name"]] = facts.get("value", "")
        elif tag == "textarea":
            self._writing = facts["name"]
            self.forms[-1].fields[self._writing] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._writing = None

    def handle_data(self, data: str) -> None:
        if self._writing is not None:
            self.forms[-1].fields[self._writing] += data


class Visitor:
    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        """The page, redirects followed. Raises HTTPError for what is not there."""
        with self._opener.open(urllib.parse.urljoin(self.address, path), timeout=30) as answer:
            return str(answer.read().decode())

    def submit(self, path: str, action: str, **fields: str) -> str:
        """Opens a page, fills in its form whose action is `action` ("" = the page's own), posts it; the page after."""
        parser = _Forms()
        parser.feed(self.get(path))
        form = next(form for form in parser.forms if form.action in {action, action or path})
        body = urllib.parse.urlencode({**form.fields, **fields}).encode()
        url = urllib.parse.urljoin(self.address, form.action or path)
        request = urllib.request.Request(url, body, {"Referer": url})
        with self._opener.open(request, timeout=30) as answer:
            return str(answer.read().decode())
