"""Reply templates: choosing one while writing, and keeping them in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inbox import templates as replies
from inbox.models import Conversation, ReplyTemplate, ReplyTemplateVersion
from inbox.rules import templates as rules
from web import access
from web.access import SignedIn, needs
from web.languages import language_word
from web.views.page import organisation, render, render_part

_MAX_BODY = 20_000
_MAX_LIST = 50
_MAX_GREETING = 60


def _beginning(body: str, limit: int) -> str:
    """At most `limit` characters of a template, without the greeting that all of them share."""
    greeting, _gap, rest = body.strip().partition("\n\n")
    words = " ".join((rest if rest and len(greeting) <= _MAX_GREETING else body).split())
    words = words[:1].upper() + words[1:]
    return words if len(words) <= limit else words[: limit - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…"


# --- While writing --------------------------------------------------------------------------------------------------


def _language(request: SignedIn, conversation: Conversation) -> str:
    """What the writer chose, else what the customer writes in."""
    chosen = request.GET.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return conversation.language or conversation.customer.language or "en"


@needs("answer")
@require_GET
def insertable(request: SignedIn, id: int) -> HttpResponse:
    """The templates that fit a conversation, in its customer's language first, narrowed by what was typed."""
    conversation = access.get_conversation(request.user, id)
    wanted = request.GET.get("q", "").strip().lower()[:80]
    language = _language(request, conversation)
    found = replies.list_for(language, conversation.kind)
    rows = [
        {
            "id": version.template_id,
            "name": version.template.name,
            "shortcut": version.template.shortcut,
            "language": language_word(version.language),
            "start": _beginning(version.body, 90),
        }
        for version in found
        if wanted in f"{version.template.name} {version.template.shortcut} {version.body}".lower()
    ]
    context = {"rows": rows[:_MAX_LIST], "id": id, "wanted": wanted, "language": language, "languages": languages()}
    return render_part(request, "fragments/insertable.html", context)


@needs("answer")
@require_GET
def insert(request: SignedIn, id: int, template: int) -> HttpResponse:
    """A template filled in for this conversation; what is missing stands in it as a blank."""
    conversation = access.get_conversation(request.user, id)
    row = access.get_reply_template(template)
    try:
        found = replies.insert(
            row, conversation, request.user, timezone.now(), language=_language(request, conversation)
        )
    except replies.TemplateProblem as problem:
        return JsonResponse({"problem": str(problem)}, status=422)
    return JsonResponse({"body": found.body, "version": str(found.version_id), "missing": list(found.missing)})


# --- Keeping them ---------------------------------------------------------------------------------------------------


def _newest(template: ReplyTemplate) -> list[ReplyTemplateVersion]:
    """The newest version of each language, by language."""
    newest: dict[str, ReplyTemplateVersion] = {}
    for version in template.versions.order_by("language", "number"):
        newest[version.language] = version
    return list(newest.values())


def languages() -> list[tuple[str, str]]:
    return [(code, language_word(code)) for code, _name in settings.LANGUAGES]


@needs("read")
@require_GET
def templates(request: SignedIn) -> HttpResponse:
    found = access.reply_templates().prefetch_related("versions")[:500]
    rows = []
    for template in found:
        newest = {version.language: version for version in sorted(template.versions.all(), key=lambda one: one.number)}
        first = next(iter(newest.values()), None)
        rows.append(
            {
                "template": template,
                "languages": [language_word(code) for code in sorted(newest)],
                "start": _beginning(first.body, 140) if first else "",
            }
        )
    return render(request, "settings/templates.html", {"rows": rows}, here="templates")


def variables() -> list[tuple[str, str]]:
    words = {
        "customer.name": _("the customer's whole name"),
        "customer.first_name": _("their first name, if it is known"),
        "agent.name": _("whoever writes the reply"),
        "agent.first_name": _("their first name"),
        "organisation.name": _("the organisation"),
        "conversation.subject": _("what it is about"),
        "conversation.number": _("the number of the conversation"),
        "today": _("the date of the day"),
    }
    return [(name, words.get(name, "")) for name in rules.VARIABLES]


def _example() -> dict[str, Any]:
    return {
        "customer": {"name": "Ilinca Bratu", "first_name": "Ilinca"},
        "agent": {"name": "Mihai Toma", "first_name": "Mihai"},
        "organisation": {"name": organisation().name or "Balas"},
        "conversation": {"subject": _("My order"), "number": "20418"},
        "today": timezone.localdate(),
    }


def _check(bodies: Iterable[str]) -> None:
    """Raises TemplateProblem for the first text that could not be rendered: before anything is written."""
    for body in bodies:
        problems = rules.check_source(body)
        if problems:
            raise replies.TemplateProblem(replies.sentence_of(problems[0]), tuple(problems))


def _form(request: SignedIn, template: ReplyTemplate | None, values: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {"template": template, "languages": languages(), "variables": variables(), "problem": "", **values}
    return render(request, "settings/template.html", context, here="templates", status=status)


def _typed(request: SignedIn) -> dict[str, Any]:
    bodies = {
        code: request.POST.get(f"body_{code}", "").replace("\r\n", "\n")[:_MAX_BODY] for code, _name in languages()
    }
    return {
        "name": request.POST.get("name", "").strip()[:80],
        "shortcut": request.POST.get("shortcut", "").strip().lstrip("/")[:40],
        "bodies": bodies,
    }


def _write(request: SignedIn, template: ReplyTemplate, bodies: dict[str, str]) -> None:
    """A new version for each language whose words changed. Raises TemplateProblem."""
    known = {version.language: version.body for version in _newest(template)}
    for language, body in bodies.items():
        if body.strip() and body != known.get(language):
            replies.write_version(template, request.user, timezone.now(), language=language, body=body)


@needs("templates")
@require_http_methods(["GET", "POST"])
def new(request: SignedIn) -> HttpResponse:
    if request.method == "GET":
        return _form(request, None, {"name": "", "shortcut": "", "bodies": {}})
    typed = _typed(request)
    try:
        if not any(body.strip() for body in typed["bodies"].values()):
            raise replies.TemplateProblem(_("Write the text in at least one language."))
        _check(typed["bodies"].values())
        template = replies.create(typed["name"], request.user, timezone.now(), shortcut=typed["shortcut"])
        _write(request, template, typed["bodies"])
    except replies.TemplateProblem as problem:
        return _form(request, None, {**typed, "problem": str(problem)}, 422)
    messages.success(request, _("The template “%(name)s” can be used now.") % {"name": template.name})
    return redirect("templates")


@needs("templates")
@require_http_methods(["GET", "POST"])
def edit(request: SignedIn, id: int) -> HttpResponse:
    template = access.get_reply_template(id)
    if request.method == "GET":
        bodies = {version.language: version.body for version in _newest(template)}
        return _form(request, template, {"name": template.name, "shortcut": template.shortcut, "bodies": bodies})
    typed = _typed(request)
    try:
        _check(typed["bodies"].values())
        replies.rename(template, request.user, timezone.now(), name=typed["name"], shortcut=typed["shortcut"])
        _write(request, template, typed["bodies"])
    except replies.TemplateProblem as problem:
        return _form(request, template, {**typed, "problem": str(problem)}, 422)
    messages.success(request, _("The template “%(name)s” is kept. Replies already written do not change.") % typed)
    return redirect("templates")


@needs("templates")
@require_POST
def archive(request: SignedIn, id: int) -> HttpResponse:
    template = access.get_reply_template(id)
    replies.archive(template, request.user, timezone.now())
    messages.success(request, _("The template “%(name)s” is no longer offered.") % {"name": template.name})
    return redirect("templates")


@needs("templates")
@require_POST
def preview(request: SignedIn) -> HttpResponse:
    """What a text looks like with example values; JSON for the page beside it."""
    body = request.POST.get("body", "")[:_MAX_BODY]
    problems = rules.check_source(body)
    if problems:
        return JsonResponse({"problem": replies.sentence_of(problems[0])})
    try:
        return JsonResponse({"text": rules.render(body, _example()).text})
    except rules.TemplateProblem as error:
        return JsonResponse({"problem": replies.sentence_of(error.problem)})
