"""Writing: the composer's form, its draft and files, templates, and sending with an undo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from inbox import conversations, drafts, replies
from inbox.models import User
from web import access
from web.access import SignedIn, needs
from web.composing import BadAddress, Form, keep, posted, proposed, send
from web.gates import GateWords, gate_words
from web.rows import channel_of
from web.speech import mended, mends_of, speech_for
from web.views.page import Notice, clock_of, is_fragment, render_part


def mode_of(request: HttpRequest) -> str:
    return "note" if request.GET.get("compose") == "note" or request.GET.get("mode") == "note" else "reply"


def composer_context(
    user: User, conversation_id: int, form: Form | None = None, mode: str = "reply", visibility: str = ""
) -> dict[str, Any]:
    """`visibility`: chosen before anything is written, where what is proposed is refused."""
    form = form or proposed(conversation_id, user, mode)
    form = replace(form, visibility=visibility[:20]) if visibility else form
    speech = speech_for(form, conversation_id, user)
    channel = speech.channel if speech else channel_of(access.get_conversation(user, conversation_id).kind)
    return {"id": conversation_id, "form": form, "speech": speech, "mends": mends_of(speech), "channel": channel}


def _composer(request: SignedIn, conversation_id: int, form: Form, status: int = 200) -> HttpResponse:
    context = {"composer": composer_context(request.user, conversation_id, form), "tab": request.GET.get("tab", "open")}
    return render_part(request, "fragments/composer.html", context, status=status)


def _with_choices(form: Form, conversation_id: int, user: User) -> Form:
    """A posted form names no accounts and holds no files: they come from the rows again."""
    base = proposed(conversation_id, user, form.mode)
    known = {id for id, _name, _address in base.accounts}
    account_id = form.account_id if form.account_id in known else base.account_id
    return replace(form, accounts=base.accounts, files=base.files, handles=base.handles, account_id=account_id)


@needs("answer")
@require_GET
def composer(request: SignedIn, id: int) -> HttpResponse:
    access.get_conversation(request.user, id)
    form = proposed(id, request.user, mode_of(request))
    if wanted := request.GET.get("visibility", ""):
        form = replace(form, visibility=wanted[:20])
    return _composer(request, id, form)


@needs("answer")
@require_POST
def draft(request: SignedIn, id: int) -> HttpResponse:
    """Autosave, as JSON: when it was kept, and whether somebody wrote meanwhile."""
    access.get_conversation(request.user, id)
    form, now = posted(request.POST, ()), timezone.now()
    try:
        kept = keep(form, id, request.user, now)
    except drafts.DraftProblem as problem:
        return JsonResponse({"problem": str(problem)}, status=422)
    is_stale = not form.is_note and drafts.is_stale(kept)
    return JsonResponse({"kept_at": clock_of(request.user).local(now).strftime("%H:%M:%S"), "is_stale": is_stale})


@needs("answer")
@require_POST
def measure(request: SignedIn, id: int) -> HttpResponse:
    """What the platform makes of the words so far: the counter, the price and what stands in the way."""
    access.get_conversation(request.user, id)
    form = posted(request.POST, ())
    draft = drafts.find_draft(id, request.user)
    files = tuple(draft.attachments.select_related("file").order_by("id")) if draft else ()
    speech = speech_for(replace(form, files=files), id, request.user)
    if speech is None:
        return HttpResponse(status=204)
    return render_part(request, "fragments/measured.html", {"speech": speech})


@needs("answer")
@require_POST
def discard(request: SignedIn, id: int) -> HttpResponse:
    access.get_conversation(request.user, id)
    mode = "note" if request.POST.get("mode") == "note" else "reply"
    drafts.discard(id, request.user, is_note=mode == "note")
    if not is_fragment(request):
        return redirect("conversation", id)
    return _composer(request, id, proposed(id, request.user, mode))


@needs("answer")
@require_POST
def attach(request: SignedIn, id: int) -> HttpResponse:
    """Adds the files of the form to the draft; gives the list of files back."""
    access.get_conversation(request.user, id)
    problem = _attach_files(request, id)
    form = replace(proposed(id, request.user, "reply"), problem=problem)
    context = {"composer": composer_context(request.user, id, form)}
    return render_part(request, "fragments/composer_files.html", context, status=422 if problem else 200)


def _attach_files(request: SignedIn, conversation_id: int) -> str:
    """Keeps the uploaded files with the draft; "" or the sentence that says what went wrong."""
    for file in request.FILES.getlist("files"):
        if file.size is not None and file.size > drafts.MAX_FILE_BYTES:
            return _("“%(name)s” is too large to be sent by mail.") % {"name": file.name}
        try:
            drafts.attach(
                conversation_id,
                request.user,
                timezone.now(),
                name=file.name or "",
                content_type=file.content_type or "application/octet-stream",
                content=file.read(),
            )
        except drafts.DraftProblem as problem:
            return str(problem)
    return ""


@needs("answer")
@require_POST
def detach(request: SignedIn, id: int) -> HttpResponse:
    """`id` is the draft attachment's; only its own writer may take it off."""
    conversation_id = access.get_draft_file(request.user, id).draft.conversation_id
    drafts.detach(id, request.user)
    if not is_fragment(request):
        return redirect(f"{reverse('conversation', args=[conversation_id])}?compose=1")
    form = proposed(conversation_id, request.user, "reply")
    context = {"composer": composer_context(request.user, conversation_id, form)}
    return render_part(request, "fragments/composer_files.html", context)


@needs("answer")
@require_POST
def reply(request: SignedIn, id: int) -> HttpResponse:
    """Sends what stands in the composer, or keeps a note. What stands in the way comes back with the text untouched."""
    access.get_conversation(request.user, id)
    user, form = request.user, posted(request.POST, request.POST.getlist("confirm"))
    if form.is_note:
        return _note(request, id, form)
    problem = _attach_files(request, id)
    if mend := request.POST.get("mend", ""):
        return _blocked(request, id, replace(mended(form, mend, id, user), problem=problem))
    gates: tuple[GateWords, ...] = ()
    if not problem:
        try:
            outcome = send(form, id, user, timezone.now())
        except (BadAddress, replies.SendProblem) as refused:
            problem = str(refused)
        else:
            if isinstance(outcome, replies.Queued):
                return _sent(request, id, outcome)
            gates = tuple(gate_words(gate) for gate in outcome)
    return _blocked(request, id, replace(form, problem=problem, gates=gates))


def _blocked(request: SignedIn, id: int, form: Form) -> HttpResponse:
    try:
        keep(form, id, request.user, timezone.now())
    except drafts.DraftProblem as problem:
        form = replace(form, problem=form.problem or str(problem))
    if is_fragment(request):
        return _composer(request, id, _with_choices(form, id, request.user), status=422)
    for sentence in [form.problem, *(gate.sentence for gate in form.gates)]:
        if sentence:
            messages.error(request, sentence)
    return redirect(f"{reverse('conversation', args=[id])}?compose=1#composer")


def _sent(request: SignedIn, id: int, queued: replies.Queued) -> HttpResponse:
    from_now = max(0.0, (queued.send_at - timezone.now()).total_seconds())
    undo = reverse("send-act", args=[queued.envelope_id, "undo"])
    text = _("Sending your reply")
    if not is_fragment(request):
        messages.success(request, text, extra_tags=undo)
        return redirect("conversation", id)
    notice = Notice(text, undo=undo, until=queued.send_at.timestamp(), seconds=max(1, round(from_now)))
    return after_writing(request, id, notice)


def _note(request: SignedIn, id: int, form: Form) -> HttpResponse:
    try:
        conversations.add_note(id, request.user, timezone.now(), text=form.text)
    except conversations.Refusal as refusal:
        return _blocked(request, id, replace(form, problem=str(refusal)))
    drafts.discard(id, request.user, is_note=True)
    if not is_fragment(request):
        return redirect("conversation", id)
    return after_writing(request, id, Notice(_("Note kept. Only your colleagues can read it.")))


def after_writing(request: SignedIn, id: int, notice: Notice) -> HttpResponse:
    """An empty composer in place of the one that was sent, and the notice; the page then asks what is new."""
    form = proposed(id, request.user, "reply")
    context = {"composer": composer_context(request.user, id, form), "notice": notice, "tab": "open"}
    response = render_part(request, "fragments/written.html", context)
    response.headers["HX-Trigger"] = f'{{"balas:changed": {{"id": "{id}", "scroll": true}}}}'
    return response
