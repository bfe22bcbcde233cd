"""What strangers sent: mail bodies in a frame of their own, files as downloads, the source byte for byte."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from inbox.models import Message
from web import access
from web.access import SignedIn, anyone, needs
from web.mailbody import BODY_POLICY, Gone, attachment_bytes, inline_image, raw_bytes, read_image_token, render_body
from web.mailbody import safe_name as safe

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


@needs("read")
@require_GET
def body(request: SignedIn, id: int) -> HttpResponse:
    message = access.get_message(request.user, id)
    try:
        found = render_body(message)
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
    response.headers["Content-Security-Policy"] = BODY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@anyone
@require_GET
def image(request: HttpRequest, token: str) -> HttpResponse:
    """An image inside a mail. The frame sends no cookies: the signature is the permission, and lasts an hour."""
    named = read_image_token(token)
    message = Message.objects.filter(id=named[0]).select_related("raw_item").first() if named else None
    if named is None or message is None:
        raise Http404
    try:
        kind, data = inline_image(message, named[1])
    except Gone:
        raise Http404 from None
    response = HttpResponse(data, content_type=kind)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
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
