"""From the demo to one's own inbox: starts the real home beside it and leads there."""

from __future__ import annotations

import json
import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from web.access import anyone
from web.network import is_direct_loopback
from web.views.page import organisation, render_outside
from workers.bells import SocketBell


def _find_door() -> str | None:
    """The way into the real home, once its own parent process has opened it."""
    try:
        door = json.loads((settings.BALAS_HOME.parent / "door.json").read_text())
        os.kill(int(door["pid"]), 0)
        return str(door["link"])
    except (OSError, ValueError, KeyError):
        return None


@anyone
@never_cache
@require_http_methods(["GET", "POST"])
def own_home(request: HttpRequest) -> HttpResponse:
    """Only in the demo and only on this machine. The page asks again each second until the door is open."""
    if not (organisation().is_demo and is_direct_loopback(request)):
        raise Http404
    if request.method == "POST":
        SocketBell().ring("own-home")
    # Never straight from the POST: the page policy's form-action would forbid leaving for another port.
    elif door := _find_door():
        return redirect(door)
    return render_outside(request, "signin/opening.html", {})
