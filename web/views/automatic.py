"""Settings: which automatic mail stands aside, one switch per class for the whole home."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inbox import offers
from inbox.automatic import classes_aside, set_classes_aside
from inbox.rules.automatic import MailClass
from web import access
from web.access import SignedIn, needs


def class_rows() -> list[dict[str, Any]]:
    """Each class with its words and whether it stands aside."""
    words = {
        MailClass.AUTO_REPLY: (_("Automatic answers"), _("Out of office, “we have received your message”.")),
        MailClass.BOUNCE: (
            _("Delivery reports"),
            _("Mail that came back. A reply of ours that came back returns to the queue in any case."),
        ),
        MailClass.NEWSLETTER: (_("Newsletters"), _("Sent to many at once, with a way to unsubscribe.")),
        MailClass.LIST: (_("Mailing lists"), _("What a list hands on to its readers.")),
        MailClass.REPORT: (
            _("Reports"),
            _("Complaints about spam, read receipts, and what other servers say of our mail."),
        ),
        MailClass.GROUP: (
            _("Our own groups"),
            _("A person wrote to a group of ours, such as a Google Group, that hands it on to a mailbox here."),
        ),
    }
    aside = classes_aside()
    return [
        {"name": str(one), "word": word, "hint": hint, "is_aside": one in aside} for one, (word, hint) in words.items()
    ]


@needs("accounts")
@require_POST
def drop_relay(request: SignedIn, id: int) -> HttpResponse:
    """The Reply-To of a form's mail names the writer no longer."""
    account = access.get_account(request.user, id)
    address = request.POST.get("address", "").strip()[:320]
    offers.drop_relay(account.id, address, request.user, timezone.now())
    messages.success(request, _("Kept. Mail from %(address)s counts as its sender's again.") % {"address": address})
    return redirect("settings")


@needs("accounts")
@require_POST
def automatic(request: SignedIn) -> HttpResponse:
    set_classes_aside(request.POST.getlist("aside")[:20], request.user, timezone.now())
    messages.success(request, _("Kept. It holds for mail that arrives from now on."))
    return redirect("settings")
