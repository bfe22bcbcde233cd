"""What strangers sent: mail bodies in a frame of their own, files as downloads, the source byte for byte."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from inbox.models import Message
from web import access
from web.access import SignedIn, anyone, needs
from web.mailbody import Gone, attachment_bytes, body_policy, inline_image, raw_bytes, render_body
from web.mailbody import safe_name as safe
from web.middleware import content_origin, origin_of
from web.passes import make_pass, read_pass

_FRAME_STYLE = (
    "<style>:root{color-scheme:light}body{margin:0;padding:12px;background:#fff;color:#1f2328;"
    "font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}img{max-inline-size:100%;height:auto}"
    "table{max-inline-size:100%}pre{white-space:pre-wrap}blockquote{margin-inline:0;padding-inline-start:12px;"
    "border-inline-start:1px solid #bbb}.balas-note{font:12px/1.4 system-ui,sans-serif;color:#555;"
    "background:#f4f4f2;border-radius:6px;padding:6px 10px;margin:0 0 12px}</style>"
)


def _download(content: bytes, name: str, kind: str = "application/octet-stream") -> HttpResponse:
    """Nothing that came from outside is ever shown by its type: it is kept as a file."""
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(True, safe(name)) or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _shown(request: HttpRequest, message: Message, session_key: str) -> HttpResponse:
    try:
        found = render_body(message, session_key)
        html, blocked = found.html, found.blocked_images
    except Gone:
        html, blocked = f"<p>{escape(_('This mail cannot be shown as it was sent. Its text stands above.'))}</p>", 0
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
    images = request.build_absolute_uri(reverse("inline-image", args=["-"])).removesuffix("-")
    response.headers["Content-Security-Policy"] = body_policy(images, framed_by)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@needs("read")
@require_GET
def body(request: SignedIn, id: int) -> HttpResponse:
    """The mail for its frame; where a host for strangers' content is set, a pass to it there."""
    message, session_key = access.get_message(request.user, id), request.session.session_key or ""
    if elsewhere := content_origin():
        return redirect(elsewhere + reverse("shown-body", args=[make_pass(session_key, "body", message.id)]))
    return _shown(request, message, session_key)


@anyone
@require_GET
def shown_body(request: HttpRequest, token: str) -> HttpResponse:
    message, session_key, _names = _by_pass(token, "body")
    return _shown(request, message, session_key)


def _by_pass(token: str, purpose: str) -> tuple[Message, str, list[str | int]]:
    """The message that a pass opens, its session and what else it names. Raises Http404."""
    found = read_pass(token, purpose)
    user = access.find_session_user(found[0]) if found else None
    if found is None or user is None:
        raise Http404
    return access.get_message(user, int(found[1][0])), found[0], found[1][1:]


@anyone
@require_GET
def image(request: HttpRequest, token: str) -> HttpResponse:
    """An image inside a mail."""
    message, _session, names = _by_pass(token, "image")
    try:
        kind, data = inline_image(message, str(names[0]))
    except Gone:
        raise Http404 from None
    response = HttpResponse(data, content_type=kind)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@needs("read")
@require_GET
def attachment(request: SignedIn, id: int) -> HttpResponse:
    row = access.get_attachment(request.user, id)
    try:
        return _download(attachment_bytes(row), row.name)
    except Gone:
        raise Http404 from None


@needs("read")
@require_GET
def raw(request: SignedIn, id: int) -> HttpResponse:
    """The source of a mail. As bytes: a browser that knows message/rfc822 must not open it."""
    message = access.get_message(request.user, id)
    try:
        return _download(raw_bytes(message), f"{message.subject[:60] or 'mail'}.eml")
    except Gone:
        raise Http404 from None
