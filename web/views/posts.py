"""Pictures of posts: fetched by Balas when somebody asks, drawn anew, never by the reader's browser."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from inbox import pictures
from inbox.models import Message
from web import access
from web.access import SignedIn, needs
from web.mailbody import Gone, is_remembered, remote_image
from web.posts import MAX_SHOWN, picture_of, post_behind, shown_post
from web.views.mail import picture
from web.views.page import clock_of, is_fragment, render_part


@needs("read")
@require_GET
def post_picture(request: SignedIn, id: int, number: int) -> HttpResponse:
    """One picture of a post, by its place there. That somebody asks for it is the consent."""
    post = post_behind(access.get_message(request.user, id))
    address = picture_of(post.media[number]) if post is not None and number < min(len(post.media), MAX_SHOWN) else ""
    if not address:
        raise Http404
    try:
        response = picture(*remote_image(address))
    except Gone:
        raise Http404 from None
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@needs("answer")
@require_http_methods(["GET", "POST"])
def post_pictures(request: SignedIn, id: int) -> HttpResponse:
    """GET shows them this once; POST remembers, or forgets, that this author's are loaded without asking."""
    message, now = access.get_message(request.user, id), timezone.now()
    if post_behind(message) is None:
        raise Http404
    if request.POST.get("act") == "forget":
        pictures.forget(message, request.user, now)
    elif request.method == "POST":
        pictures.remember(message, request.user, now)
    return _pictures(request, message) if is_fragment(request) else _back(request, message)


def _pictures(request: SignedIn, message: Message) -> HttpResponse:
    post = post_behind(message)
    context = {
        "id": message.id,
        "post": shown_post(post, message.kind, clock_of(request.user)) if post is not None else None,
        "is_remembered": is_remembered(message),
        "may_remember": message.author_id is not None and message.direction == "inbound",
    }
    return render_part(request, "fragments/post_pictures.html", context)


def _back(request: SignedIn, message: Message) -> HttpResponse:
    holds = access.conversations(request.user).filter(strand_links__strand_id=message.strand_id).first()
    return redirect("conversation", holds.id) if holds else redirect("home")
