"""Names of languages, in the reader's own."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from inbox.rules.languages import UNKNOWN


def language_word(code: str) -> str:
    base = code.split("-")[0].lower()
    words = {
        "en": _("English"), "id": _("Indonesian"), "ro": _("Romanian"), "de": _("German"), "fr": _("French"),
        "es": _("Spanish"), "it": _("Italian"), "nl": _("Dutch"), "pt": _("Portuguese"), "ms": _("Malay"),
        "no": _("Norwegian"), "zh": _("Chinese"), "tl": _("Filipino"), "mt": _("Maltese"),
    }  # fmt: skip
    if base in words:
        return words[base]
    try:
        return str(get_language_info(base)["name_translated"])
    except KeyError:
        return code


def find_language(entry: dict[str, Any]) -> str:
    """The language of a message as far as it could be told, else ""."""
    code: str = entry.get("language") or ""
    return "" if code == UNKNOWN else code


def language_words(entry: dict[str, Any]) -> str:
    """What a message's details say of it; "" while nobody has looked."""
    if entry.get("language") == UNKNOWN:
        return _("could not be told")
    code, share = find_language(entry), float(entry.get("language_confidence") or 0.0)
    if not code or not share:
        return language_word(code) if code else ""
    values = {"language": language_word(code), "share": min(99, round(share * 100))}
    return _("%(language)s, told from its words, %(share)s%% certain") % values
