"""Pages for what is not there, not allowed, or broken: each says what is true and what to do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from web.views.page import language


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(title, status=status, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        render_to_string("error.html", {**language(), "title": title, "text": text}, request), status=status
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, _("This request could not be understood"), _("Go back and try it once more."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = _("Managers and owners can. Ask one of them, or go back to the queue.")
    return _page(request, 403, _("This is not for your role"), text)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = _("The page was open for too long, or cookies are off. Load it again; what you wrote is kept.")
    return _page(request, 403, _("This page is too old to send from"), text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = _("It does not exist, or it lies in a mailbox that you may not read.")
    return _page(request, 404, _("There is nothing here"), text)


def broken(request: HttpRequest) -> HttpResponse:
    """No database here: it may be what is broken."""
    text = _("Nothing you wrote is lost. Try again in a moment; if it stays like this, tell whoever runs Balas.")
    if request.headers.get("HX-Request"):
        return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")
    return HttpResponse(render_to_string("broken.html", {"title": _("Something broke"), "text": text}), status=500)
