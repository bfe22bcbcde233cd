"""Headers that every page carries, and the host that shows nothing but what strangers sent."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{frames}; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'{frames}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'"
)


_STRANGERS = ("/b/", "/i/", "/r/", "/l/", "/f/", "/p/", "/e/")  # the only paths of the content host, and only there


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def content_origin() -> str:
    """Where mail bodies are shown when BALAS_CONTENT_URL is set, else ""."""
    return origin_of(settings.BALAS.content_url)


class ContentHost:
    """Nobody signs in and nothing is done on the host that shows what strangers sent; here nothing of it is shown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = urlsplit(content_origin()).netloc.lower()
        if host and (request.get_host().lower() == host) is not request.path.startswith(_STRANGERS):
            return HttpResponse(status=404)
        return self.get_response(request)


class PlainParameters:
    """No browser sends a NUL; what does is looking for trouble, and a database would answer it with an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        for values in (*request.GET.lists(), *request.POST.lists()):
            if any("\0" in value for value in (values[0], *values[1])):
                raise BadRequest


class ContentSecurityPolicy:
    """Sets the page policy unless the view (a mail body, say) has set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        elsewhere = content_origin()
        policy = PAGE_POLICY.format(frames=f" {elsewhere}" if elsewhere else "")
        response.headers.setdefault("Content-Security-Policy", policy)
        # What customers wrote must not lie about in a browser's store after somebody has signed out.
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        return response
