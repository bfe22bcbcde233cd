"""Mail as it was sent: bodies in a frame of their own, their images, and what its reader should know of it first."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from inbox import pictures
from inbox.models import Message
from web import access
from web.access import SignedIn, anyone, needs
from web.mailbody import Gone, body_policy, inline_image, look_into, remote_image, render_body
from web.mailbody import leaving_words as words_of_leaving
from web.middleware import content_origin, origin_of
from web.passes import make_pass, read_pass
from web.views.page import is_fragment, render_part

_FRAME_STYLE = (
    "<style>:root{color-scheme:light}body{margin:0;padding:12px;background:#fff;color:#1f2328;"
    "font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}img{max-inline-size:100%;height:auto}"
    "table{max-inline-size:100%}pre{white-space:pre-wrap}blockquote{margin-inline:0;padding-inline-start:12px;"
    "border-inline-start:1px solid #bbb}.balas-note{font:12px/1.4 system-ui,sans-serif;color:#555;"
    "background:#f4f4f2;border-radius:6px;padding:6px 10px;margin:0 0 12px}"
    "a[title]{position:relative}a[title]:is(:hover,:focus-visible)::after{content:attr(title);position:absolute;"
    "inset-block-start:100%;inset-inline-start:0;z-index:9;padding:2px 8px;border-radius:4px;background:#1f2328;"
    "color:#fff;font:12px/1.5 system-ui,sans-serif;white-space:nowrap;text-decoration:none}</style>"
)


def _shown(request: HttpRequest, message: Message, session_key: str, with_images: bool) -> HttpResponse:
    try:
        found = render_body(message, session_key, with_images)
        html, blocked, shows_images = found.html, found.blocked_images, found.shows_images
    except Gone:
        html, blocked = f"<p>{escape(_('This mail cannot be shown as it was sent. Its text stands above.'))}</p>", 0
        shows_images = False
    note = ""
    if blocked:
        words = ngettext(
            "%(n)d image from elsewhere is not loaded: it would tell the sender that you read this.",
            "%(n)d images from elsewhere are not loaded: they would tell the sender that you read this.",
            blocked,
        )
        note = f'<p class="balas-note">{escape(words % {"n": blocked})}</p>'
    page = f'<!doctype html><html><head><meta charset="utf-8">{_FRAME_STYLE}</head><body>{note}{html}</body></html>'
    response = HttpResponse(page)
    framed_by = origin_of(settings.BALAS.public_url) if content_origin() else "'self'"
    sources = ["inline-image", "remote-image"] if shows_images else ["inline-image"]
    images = [request.build_absolute_uri(reverse(name, args=["-"])).removesuffix("-") for name in sources]
    response.headers["Content-Security-Policy"] = body_policy(" ".join(images), framed_by)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-DNS-Prefetch-Control"] = "off"  # even a name that is looked up tells that this was read
    return response


@needs("read")
@require_GET
def body(request: SignedIn, id: int) -> HttpResponse:
    """The mail for its frame; where a host for strangers' content is set, a pass to it there."""
    message, session_key = access.get_message(request.user, id), request.session.session_key or ""
    with_images = request.GET.get("images") == "1"
    if elsewhere := content_origin():
        names = (message.id, "images") if with_images else (message.id,)
        return redirect(elsewhere + reverse("shown-body", args=[make_pass(session_key, "body", *names)]))
    return _shown(request, message, session_key, with_images)


@anyone
@require_GET
def shown_body(request: HttpRequest, token: str) -> HttpResponse:
    message, session_key, names = by_pass(token, "body")
    return _shown(request, message, session_key, "images" in names)


def by_pass(token: str, purpose: str) -> tuple[Message, str, list[str | int]]:
    """The message that a pass opens, its session and what else it names. Raises Http404."""
    found = read_pass(token, purpose)
    user = access.find_session_user(found[0]) if found else None
    if found is None or user is None:
        raise Http404
    return access.get_message(user, int(found[1][0])), found[0], found[1][1:]


def picture(kind: str, content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@anyone
@require_GET
def image(request: HttpRequest, token: str) -> HttpResponse:
    """An image inside a mail."""
    message, _session, names = by_pass(token, "image")
    try:
        return picture(*inline_image(message, str(names[0])))
    except Gone:
        raise Http404 from None


@anyone
@require_GET
def remote(request: HttpRequest, token: str) -> HttpResponse:
    """An image from elsewhere, which Balas asks for. The pass was made when somebody pressed for it."""
    _message, _session, names = by_pass(token, "remote")
    try:
        return picture(*remote_image(str(names[0])))
    except Gone:
        raise Http404 from None


@anyone
@require_GET
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Between a link that names one host and the other one where it leads."""
    _message, _session, names = by_pass(token, "leave")
    title, sentence, host, address = words_of_leaving(str(names[0]), str(names[1]))
    button = _("Open %(host)s all the same") % {"host": host}
    page = (
        f'<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>:root{{color-scheme:light dark}}body{{margin:12vh auto;max-width:34rem;"
        "padding:0 1.25rem;font:17px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}h1{font-size:1.5rem;"
        "line-height:1.25;font-weight:600}code{font:13px/1.5 ui-monospace,monospace;opacity:.75}a{display:inline-block;"
        "margin-block-start:1rem;padding:.5rem 1rem;border:1px solid;border-radius:8px;color:inherit}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>{escape(sentence)}</p><p><code>{escape(address)}</code></p>"
        f'<p><a href="{escape(address)}" rel="noopener noreferrer nofollow">{escape(button)}</a></p></body></html>'
    )
    response = HttpResponse(page)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


# --- Beside the frame -----------------------------------------------------------------------------------------------


def _look(request: SignedIn, message: Message) -> HttpResponse:
    try:
        found = look_into(message)
    except Gone:
        return HttpResponse("")
    context = {"id": message.id, "look": found, "sender": message.author_address}
    context["may_remember"] = message.author_id is not None and message.verified is not False
    return render_part(request, "fragments/mail_look.html", context)


@needs("read")
@require_GET
def look(request: SignedIn, id: int) -> HttpResponse:
    """What a mail would load and where its links would mislead; asked for when its frame is opened."""
    return _look(request, access.get_message(request.user, id))


@needs("answer")
@require_POST
def images(request: SignedIn, id: int) -> HttpResponse:
    """Remembers, or forgets, that this sender's images are loaded without asking."""
    message, now = access.get_message(request.user, id), timezone.now()
    if request.POST.get("act") == "forget":
        pictures.forget(message, request.user, now)
    else:
        pictures.remember(message, request.user, now)
    if is_fragment(request):
        response = _look(request, message)
        response.headers["HX-Trigger"] = f'{{"balas:reload": {{"name": "mail-{message.id}"}}}}'
        return response
    holds = access.conversations(request.user).filter(strand_links__strand_id=message.strand_id).first()
    return redirect("conversation", holds.id) if holds else redirect("home")
