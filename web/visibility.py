"""Who can read something, in a word, in a sentence and as a shape: square for everyone, round for only them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from connectors.social import Visibility

PUBLIC = frozenset({Visibility.PUBLIC, Visibility.UNLISTED})
"""What everyone can read, found by searching or by its link."""

_ICONS = {
    Visibility.PUBLIC: "globe",
    Visibility.UNLISTED: "link-2",
    Visibility.FOLLOWERS: "users",
    Visibility.DIRECT: "lock",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the visibilities that an answer may have."""

    value: str
    word: str
    sentence: str
    icon: str
    is_public: bool


def find_visibility(value: object) -> Visibility | None:
    try:
        return Visibility(str(value))
    except ValueError:
        return None


def visibility_word(visibility: Visibility) -> str:
    """As it stands behind the channel's name: "X, public"."""
    words = {
        Visibility.PUBLIC: _("public"),
        Visibility.UNLISTED: _("unlisted"),
        Visibility.FOLLOWERS: _("for followers"),
        Visibility.DIRECT: _("direct"),
    }
    return words[visibility]


def choice_of(visibility: Visibility, people: Sequence[str]) -> Choice:
    """`people`: the handles that a direct one goes to, with their @."""
    words = {
        Visibility.PUBLIC: _("Public reply"),
        Visibility.UNLISTED: _("Unlisted"),
        Visibility.FOLLOWERS: _("Followers"),
        Visibility.DIRECT: _("Direct"),
    }
    return Choice(
        value=str(visibility),
        word=words[visibility],
        sentence=who_reads(visibility, people),
        icon=_ICONS[visibility],
        is_public=visibility in PUBLIC,
    )


def who_reads(visibility: Visibility, people: Sequence[str]) -> str:
    """The consequence, said where the choice is made."""
    if visibility is Visibility.PUBLIC:
        return _("Everyone can read it")
    if visibility is Visibility.UNLISTED:
        return _("Everyone can read it; no public list shows it")
    if visibility is Visibility.FOLLOWERS:
        return _("Your followers can read it")
    if not people:
        return _("Only they can read it")
    return _("Only %(names)s can read it") % {"names": ", ".join(people[:3])}
