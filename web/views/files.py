"""Files that strangers sent: always kept, never opened by their type; of pictures a small drawing of our own."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from inbox.models import Attachment, Message
from web import access, mailbody
from web.access import SignedIn, anyone, needs
from web.filenames import safe_name
from web.mailbody import Gone
from web.middleware import content_origin
from web.passes import make_pass, read_pass
from web.views.mail import by_pass, picture


def _download(content: bytes, name: str) -> HttpResponse:
    """As bytes: a browser that knows the type, such as message/rfc822, must not open it."""
    response = HttpResponse(content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(True, safe_name(name)) or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _elsewhere(request: SignedIn, name: str, purpose: str, id: int) -> HttpResponse | None:
    """Where a host for strangers' content is set, the way to it: a pass of this session."""
    host = content_origin()
    if not host:
        return None
    return redirect(host + reverse(name, args=[make_pass(request.session.session_key or "", purpose, id)]))


def _attachment_by(token: str, purpose: str) -> Attachment:
    found = read_pass(token, purpose)
    user = access.find_session_user(found[0]) if found else None
    if found is None or user is None:
        raise Http404
    return access.get_attachment(user, int(found[1][0]))


def _file(row: Attachment) -> HttpResponse:
    try:
        return _download(mailbody.attachment_bytes(row), row.name)
    except Gone:
        raise Http404 from None


def _source(message: Message) -> HttpResponse:
    try:
        return _download(mailbody.raw_bytes(message), f"{message.subject[:60] or 'mail'}.eml")
    except Gone:
        raise Http404 from None


def _preview(row: Attachment) -> HttpResponse:
    try:
        return picture(*mailbody.preview(row))
    except Gone:
        raise Http404 from None


@needs("read")
@require_GET
def attachment(request: SignedIn, id: int) -> HttpResponse:
    row = access.get_attachment(request.user, id)
    return _elsewhere(request, "handed-file", "file", row.id) or _file(row)


@anyone
@require_GET
def handed_file(request: HttpRequest, token: str) -> HttpResponse:
    return _file(_attachment_by(token, "file"))


@needs("read")
@require_GET
def preview(request: SignedIn, id: int) -> HttpResponse:
    row = access.get_attachment(request.user, id)
    return _elsewhere(request, "shown-preview", "preview", row.id) or _preview(row)


@anyone
@require_GET
def shown_preview(request: HttpRequest, token: str) -> HttpResponse:
    return _preview(_attachment_by(token, "preview"))


@needs("read")
@require_GET
def raw(request: SignedIn, id: int) -> HttpResponse:
    """The source of a mail."""
    message = access.get_message(request.user, id)
    return _elsewhere(request, "handed-source", "source", message.id) or _source(message)


@anyone
@require_GET
def handed_source(request: HttpRequest, token: str) -> HttpResponse:
    return _source(by_pass(token, "source")[0])
