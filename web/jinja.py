"""The Jinja environment of our pages."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags import static as static_files
from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from web.formatting import file_size, initials, linkified, paragraphs


def url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args or None, kwargs=kwargs or None)


@cache
def _version(path: str) -> str:
    found = finders.find(path)
    if not isinstance(found, str):
        raise FileNotFoundError(f"There is no static file {path}.")
    with Path(found).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:10]


def static(path: str) -> str:
    """The address of a static file; it changes with the file's content, so that browsers may keep it for ever."""
    version = _version.__wrapped__(path) if settings.DEBUG else _version(path)
    return f"{static_files.static(path)}?v={version}"


@cache
def icon(name: str, turns: bool = False) -> Markup:
    """An icon of the sprite. `turns` mirrors it where the page reads from right to left."""
    kind = "icon turns" if turns else "icon"
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        kind, static("vendor/icons.svg"), name
    )


def environment(**options: Any) -> Environment:
    options.setdefault("undefined", StrictUndefined)
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, **options)
    environment.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    environment.globals.update(url=url, static=static, icon=icon)
    environment.filters.update(file_size=file_size, initials=initials, linked=linkified, paragraphs=paragraphs)
    return environment
