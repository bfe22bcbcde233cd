"""The composer of a social platform: how long it is, who reads it, what it costs and whether it is taken, in words.

Asked again with every pause in typing: rows are read, nothing is written, nobody is asked over the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from connectors.base import Connector
from connectors.registry import card_of
from connectors.social import Measure, Outline, OutlinedFile, Visibility
from inbox import metering, speaking
from inbox.accounts import bare_connector
from inbox.budgets import dollars
from inbox.models import Account, DraftAttachment, User
from inbox.rules.gates import Gate, GateCode
from inbox.speaking import Spoken
from web import access
from web.composing import Form
from web.gates import gate_words
from web.posts import at_handle, host_in, safe_url
from web.rows import Channel, channel_of
from web.visibility import Choice, choice_of

_A_LINK = " https://example.org/"
_NEAR = 20


@dataclass(frozen=True, slots=True)
class Speech:
    channel: Channel
    sender: str
    to: str
    choices: tuple[Choice, ...]
    chosen: str  # of `choices`
    warning: str
    has_warning: bool
    takes_files: bool
    limit: int
    left: int
    percent: int  # of the limit, for the ring
    stage: str  # "" | near | over
    count_words: str
    excess_at: int | None
    cost: str
    refusal: str  # why it may not be answered like this, "" when it may be tried
    may_go_direct: bool  # it is refused for everybody to read, and may be said in private
    caution: str
    objections: tuple[str, ...]
    exposed: str
    url: str
    host: str

    @property
    def is_blocked(self) -> bool:
        return bool(self.refusal or self.objections or self.stage == "over")


def outlined(files: Iterable[DraftAttachment]) -> list[OutlinedFile]:
    return [OutlinedFile(one.name, one.content_type, one.file.size, one.alt) for one in files]


def find_speech(
    conversation_id: int,
    account: Account,
    *,
    text: str,
    to: tuple[str, ...],
    seen_message: int = 0,
    visibility: str = "",
    warning: str | None = None,
    files: Iterable[DraftAttachment] = (),
) -> Speech | None:
    """None for a kind without rules of its own (mail). `to`: the handles that it answers."""
    held = outlined(files)
    spoken = speaking.outline(
        conversation_id,
        account,
        text=text,
        seen_message=seen_message,
        visibility=visibility,
        warning=warning,
        files=held,
    )
    if spoken is None:
        return None
    is_refused = spoken.permission.allowed is False
    people, connector = [at_handle(one) for one in to], bare_connector(account)
    url = safe_url(spoken.answers.url) if spoken.answers else ""
    permission = spoken.permission
    return Speech(
        channel=channel_of(account.kind, str(spoken.visibility or "")),
        sender=account.address if card_of(account.kind).has_recipients else at_handle(account.address),
        to=", ".join(people[:3]),
        # Always in the same order, whatever is proposed: hands know where each one lies.
        choices=tuple(choice_of(one, people) for one in Visibility if one in spoken.visibilities),
        chosen=str(spoken.visibility or ""),
        warning=spoken.warning,
        has_warning=_takes_warning(connector, spoken),
        takes_files=connector.limits().max_files > 0,
        limit=spoken.measure.limit,
        left=spoken.measure.left,
        percent=_percent(spoken.measure),
        stage=_stage(spoken.measure),
        count_words=count_words(spoken.measure),
        excess_at=spoken.measure.excess_at,
        cost=_cost(account, connector, spoken, text, held),
        refusal=(permission.sentence or _("This post cannot be answered.")) if is_refused else "",
        may_go_direct=is_refused and _may_go_direct(conversation_id, account, seen_message, spoken),
        caution=permission.sentence if permission.allowed is None else "",
        objections=_objections(spoken) if text.strip() else (),  # without words nothing is wrong yet
        exposed=_exposed(spoken),
        url=url,
        host=host_in(url),
    )


def _may_go_direct(conversation_id: int, account: Account, seen_message: int, spoken: Spoken) -> bool:
    if spoken.visibility is Visibility.DIRECT or Visibility.DIRECT not in spoken.visibilities:
        return False
    direct = speaking.outline(
        conversation_id, account, text="", seen_message=seen_message, visibility=str(Visibility.DIRECT)
    )
    return direct is not None and direct.permission.allowed is not False


def speech_for(form: Form, conversation_id: int, user: User) -> Speech | None:
    """What stands in a composer, judged; None for a note, for mail, and where nothing can be sent from."""
    account = access.accounts(user).filter(id=form.account_id).first() if not form.is_note else None
    if account is None:
        return None
    return find_speech(
        conversation_id,
        account,
        text=form.text,
        to=form.handles,
        seen_message=form.seen_message,
        visibility=form.visibility,
        warning=form.warning,
        files=form.files,
    )


def mended(form: Form, name: str, conversation_id: int, user: User) -> Form:
    """The reply with what one press changes about it (`mends_of`)."""
    if name == "direct":
        return replace(form, visibility=str(Visibility.DIRECT))
    account = access.accounts(user).filter(id=form.account_id).first()
    spoken = (
        speaking.outline(
            conversation_id,
            account,
            text=form.text,
            seen_message=form.seen_message,
            visibility=form.visibility,
            warning=form.warning,
        )
        if account is not None and name == "remove"
        else None
    )
    text = form.text
    for one in reversed(spoken.exposed if spoken else ()):
        # Without the space before it, so that no hole is left in the sentence.
        text = text[: one.start].rstrip(" ") + text[one.end :]
    return replace(form, text=text)


def _percent(measure: Measure) -> int:
    return min(100, round(100 * measure.count / measure.limit)) if measure.limit else 0


def _stage(measure: Measure) -> str:
    if not measure.limit:
        return ""
    if measure.left < 0:
        return "over"
    return "near" if measure.left <= _NEAR else ""


def count_words(measure: Measure) -> str:
    words = {
        "bytes": _("bytes left of %(limit)d"),
        "graphemes": _("characters left of %(limit)d"),
    }
    return words.get(measure.unit, _("characters left of %(limit)d")) % {"limit": measure.limit}


def _objections(spoken: Spoken) -> tuple[str, ...]:
    found = list(spoken.objections)
    if spoken.visibility is not None and spoken.visibility not in spoken.visibilities:
        found.insert(0, _("More people could read this than what it answers."))
    return tuple(found)


def _exposed(spoken: Spoken) -> str:
    found = spoken.exposed
    if not found:
        return ""
    what, words = dict.fromkeys(str(one.what) for one in found), dict.fromkeys(one.text for one in found)
    data = {"what": list(what), "found": list(words)}
    return gate_words(Gate(GateCode.PUBLIC_PERSONAL_DATA, data=data)).sentence


def mends_of(speech: Speech | None) -> dict[str, tuple[tuple[str, str], ...]]:
    """Gate → what one press changes about the reply: (name, words) in the order of their keys."""
    if speech is None:
        return {}
    found = [("remove", _("Remove"))]
    if any(choice.value == Visibility.DIRECT != speech.chosen for choice in speech.choices):
        found.append(("direct", _("Go direct")))
    return {GateCode.PUBLIC_PERSONAL_DATA: tuple(found)}


def _takes_warning(connector: Connector, spoken: Spoken) -> bool:
    """Where the platform knows content warnings; one that is answered is kept in any case."""
    return bool(spoken.warning) or connector.card.has_warning


def _cost(account: Account, connector: Connector, spoken: Spoken, text: str, files: list[OutlinedFile]) -> str:
    """What this reply costs, and that a link makes it dearer: "$0.015; a link makes it $0.20"."""
    draft = Outline(text, spoken.answers, spoken.visibility, spoken.warning, tuple(files))

    def price(words: str) -> int | None:
        found = metering.price_of(account, connector, replace(draft, text=words))
        return found.micros if found is not None else None

    now = price(text)
    if now is None:
        return ""
    plain, linked = price("."), price(f"{text}{_A_LINK}")
    if plain is not None and plain < now:
        return _("%(plain)s; the link makes it %(now)s") % {"plain": dollars(plain), "now": dollars(now)}
    if linked is not None and linked > now:
        return _("%(now)s; a link makes it %(linked)s") % {"now": dollars(now), "linked": dollars(linked)}
    return dollars(now) if now else ""
