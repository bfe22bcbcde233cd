"""Reply templates: frozen versions per language and channel, and their insertion with values.

A version is never changed: editing writes the next one, and a sent reply names the one it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from inbox.models import Conversation, Organisation, ReplyTemplate, ReplyTemplateVersion, User
from inbox.people import Actor, audit
from inbox.rules import templates as rules
from inbox.rules.templates import Problem, ProblemCode

FALLBACK_LANGUAGE = "en"
MAX_TEMPLATES = 1000


@dataclass(frozen=True, slots=True)
class Inserted:
    """`body` is ready to be edited; a value that is missing stands in it as ⟦name⟧ and is named in `missing`."""

    version_id: int
    language: str
    subject: str
    body: str
    missing: tuple[str, ...]


class TemplateProblem(Exception):
    """str() is one sentence for the author; `problems` are the single findings with their lines."""

    def __init__(self, sentence: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(sentence)
        self.problems = problems


# --- Writing --------------------------------------------------------------------------------------------------------


def create(name: str, actor: Actor, now: datetime, *, shortcut: str = "") -> ReplyTemplate:
    """A template without a version yet. Raises TemplateProblem for an empty or taken name."""
    name = _free_name(name, None)
    with transaction.atomic():
        template = ReplyTemplate.objects.create(name=name, shortcut=_plain_shortcut(shortcut))
        audit("template.created", f"template:{template.id}", actor, now, {"name": name})
    return template


def rename(template: ReplyTemplate, actor: Actor, now: datetime, *, name: str, shortcut: str = "") -> None:
    """Raises TemplateProblem."""
    template.name, template.shortcut = _free_name(name, template.id), _plain_shortcut(shortcut)
    with transaction.atomic():
        template.save(update_fields=["name", "shortcut"])
        audit("template.renamed", f"template:{template.id}", actor, now, {"name": template.name})


def _free_name(name: str, own_id: int | None) -> str:
    name = " ".join(name.split())[:80]
    if not name or ReplyTemplate.objects.filter(name__iexact=name).exclude(id=own_id or 0).exists():
        raise TemplateProblem(_("A template needs a name that no other template has."))
    return name


def _plain_shortcut(shortcut: str) -> str:
    return "".join(char for char in shortcut.strip().lstrip("/").lower() if char.isalnum() or char in "-_")[:40]


def write_version(
    template: ReplyTemplate,
    actor: Actor,
    now: datetime,
    *,
    language: str,
    body: str,
    channel: str = "",
    subject: str = "",
) -> ReplyTemplateVersion:
    """The next frozen version for a language and a channel ("" serves every channel).

    Raises TemplateProblem when it could not be rendered or names what does not exist. The same text writes nothing.
    """
    problems = (*rules.check_source(subject), *rules.check_source(body))
    if not body.strip():
        raise TemplateProblem(_("Write the text of the template first."))
    if problems:
        raise TemplateProblem(sentence_of(problems[0]), problems)
    with transaction.atomic():
        ReplyTemplate.objects.select_for_update().get(id=template.id)
        same = template.versions.filter(language=language, channel=channel)
        newest = same.order_by("-number").first()
        if newest is not None and (newest.body, newest.subject) == (body, subject):
            return newest
        version = ReplyTemplateVersion.objects.create(
            template=template,
            language=language,
            channel=channel,
            number=newest.number + 1 if newest else 1,
            subject=subject,
            body=body,
            author=actor if isinstance(actor, User) else None,
            created_at=now,
        )
        data = {"version": str(version.id), "language": language, "channel": channel}
        audit("template.written", f"template:{template.id}", actor, now, data)
    return version


def archive(template: ReplyTemplate, actor: Actor, now: datetime) -> None:
    """No longer offered; what was sent from it still names it."""
    with transaction.atomic():
        template.archived_at = now
        template.save(update_fields=["archived_at"])
        audit("template.archived", f"template:{template.id}", actor, now)


def restore(template: ReplyTemplate, actor: Actor, now: datetime) -> None:
    with transaction.atomic():
        template.archived_at = None
        template.save(update_fields=["archived_at"])
        audit("template.restored", f"template:{template.id}", actor, now)


def sentence_of(problem: Problem) -> str:
    """What is wrong with a template, in one sentence."""
    name, nearest = problem.data.get("name", ""), problem.data.get("nearest", "")
    sentences = {
        ProblemCode.TOO_LONG: _("This template is too long: %(bytes)s of at most %(limit)s bytes."),
        ProblemCode.SYNTAX: _("Line %(line)s cannot be read as a template: %(message)s"),
        ProblemCode.UNKNOWN_VARIABLE: _("Line %(line)s names “%(name)s”, which does not exist."),
        ProblemCode.UNKNOWN_FILTER: _("Line %(line)s uses the filter “%(name)s”, which does not exist."),
        ProblemCode.LIMIT: _("This template does more than a reply needs: %(message)s"),
    }
    said = sentences[problem.code] % {"line": problem.line, "message": "", **problem.data, "name": name}
    return f"{said} {_('Did you mean “%(nearest)s”?') % {'nearest': nearest}}" if nearest else said


# --- Choosing and inserting -----------------------------------------------------------------------------------------


def newest_versions() -> list[ReplyTemplateVersion]:
    """The newest version of every language and channel of every template that is offered."""
    newest = (
        ReplyTemplateVersion.objects.filter(template__archived_at=None)
        .order_by()
        .values("template_id", "language", "channel")
        .annotate(number=Max("number"))
    )
    wanted = {(row["template_id"], row["language"], row["channel"], row["number"]) for row in newest}
    versions = ReplyTemplateVersion.objects.filter(template__archived_at=None).select_related("template")
    rows = versions.order_by("template__name", "language", "channel", "-number")
    keys = ((row, (row.template_id, row.language, row.channel, row.number)) for row in rows.iterator(chunk_size=500))
    return [row for row, key in keys if key in wanted]


def list_for(language: str, channel: str) -> list[ReplyTemplateVersion]:
    """One version of each template, by name: the one that fits the language and the channel best.

    `template` is loaded with each. Only what would be inserted is listed: another channel's text never is.
    """
    best: dict[int, ReplyTemplateVersion] = {}
    for version in newest_versions():
        if version.channel not in ("", channel):
            continue
        known = best.get(version.template_id)
        if known is None or _fit(version, language) < _fit(known, language):
            best[version.template_id] = version
    return sorted(best.values(), key=lambda version: version.template.name.casefold())[:MAX_TEMPLATES]


def _fit(version: ReplyTemplateVersion, language: str) -> tuple[int, int]:
    wanted = [language, language.partition("-")[0], FALLBACK_LANGUAGE]
    order = wanted.index(version.language) if version.language in wanted else len(wanted)
    return order, 0 if version.channel else 1


def insert(
    template: ReplyTemplate, conversation: Conversation, user: User, now: datetime, *, language: str = ""
) -> Inserted:
    """The template's best version for this conversation, filled. Raises TemplateProblem when it has none that fits."""
    language = language or conversation.language or conversation.customer.language or FALLBACK_LANGUAGE
    chosen = next((one for one in list_for(language, conversation.kind) if one.template_id == template.id), None)
    if chosen is None:
        raise TemplateProblem(_("This template has no text for this channel."))
    values = values_for(conversation, user, now)
    try:
        subject, body = rules.render(chosen.subject, values), rules.render(chosen.body, values)
    except rules.TemplateProblem as error:
        raise TemplateProblem(sentence_of(error.problem), (error.problem,)) from error
    missing = tuple(dict.fromkeys([*subject.missing, *body.missing]))
    return Inserted(chosen.id, chosen.language, subject.text, body.text, missing)


def values_for(conversation: Conversation, user: User, now: datetime) -> dict[str, Any]:
    """Everything that rules.templates.VARIABLES names, for one conversation and one agent."""
    organisation = Organisation.objects.filter(id=1).first() or Organisation()
    zone = ZoneInfo(user.zone or organisation.zone)
    return {
        "customer": {"name": conversation.customer.name, "first_name": _first_name(conversation.customer.name)},
        "agent": {"name": user.name, "first_name": _first_name(user.name)},
        "organisation": {"name": organisation.name},
        "conversation": {"subject": conversation.subject, "number": str(conversation.id)},
        "today": now.astimezone(zone).date(),
    }


def _first_name(name: str) -> str:
    """The first word of a name that is a person's; "" where a guess would read wrongly, as for an address."""
    name = name.strip()
    if "@" in name or any(char.isdigit() for char in name):
        return ""
    # "Ionescu, Maria" is how directories write it.
    last, comma, first = name.partition(",")
    words = (first if comma and first.strip() else last).split()
    return words[0] if words else ""
