"""From the demo to its simulated networks, where a visitor can be a customer."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from web.access import needs
from web.network import is_direct_loopback
from web.rehearsal import find_control
from web.views.page import organisation


@needs("read")
@never_cache
@require_safe
def simulated_networks(request: HttpRequest) -> HttpResponse:
    """Only in the demo and only on this machine."""
    address = find_control() if organisation().is_demo and is_direct_loopback(request) else None
    if address is None:
        raise Http404
    return redirect(address)
