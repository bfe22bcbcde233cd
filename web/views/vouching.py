"""The question whether a server is ours and may vouch for senders, and its answer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from inbox import vouching
from inbox.models import Account
from web import access
from web.access import SignedIn, needs
from web.trust import server_word


def vouching_row(account: Account) -> dict[str, Any]:
    """What the pages tell of one mailbox: who vouches, or whom to ask about."""
    found = vouching.find_candidate(account)
    server = vouching.server_of(account)
    return {
        "id": account.id,
        "name": account.name,
        "server": server_word(server) if server else "",
        "candidate": found.server if found else "",
        "candidate_word": server_word(found.server) if found else "",
        "mails": found.mails if found else 0,
        "domains": found.domains if found else 0,
    }


@needs("accounts")
@require_POST
def sender_check(request: SignedIn, id: int) -> HttpResponse:
    """Confirms or declines the server that was shown, or stops trusting the one that was confirmed."""
    row, now, act = access.get_account(request.user, id), timezone.now(), request.POST.get("act", "")
    if act == "stop":
        vouching.stop(row, request.user, now)
        messages.success(request, _("Nobody vouches for the senders of %(name)s any more.") % {"name": row.name})
        return redirect("settings")
    found = vouching.find_candidate(row)
    if act not in ("confirm", "decline") or found is None or found.server != request.POST.get("server"):
        if act not in ("confirm", "decline"):
            raise Http404
        messages.error(request, _("That has changed meanwhile. Look at it again."))
    elif act == "confirm":
        count = vouching.confirm(row, found.server, request.user, now)
        told = ngettext(
            "%(server)s vouches for the senders of %(name)s from now on, and for %(num)s earlier mail.",
            "%(server)s vouches for the senders of %(name)s from now on, and for %(num)s earlier mails.",
            count,
        )
        values = {"server": server_word(found.server), "name": row.name, "num": f"{count:,}"}
        messages.success(request, told % values)
    else:
        vouching.decline(row, found.server, request.user, now)
        messages.success(request, _("%(server)s is not trusted.") % {"server": server_word(found.server)})
    return redirect("settings")
