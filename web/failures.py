"""Why a mail did not reach somebody, in words an agent can act on."""

from __future__ import annotations

from django.utils.translation import gettext as _

from inbox.rules.delivery import Failure, why_failed


def failure_words(failure: Failure | str) -> str:
    """One sentence: what happened, and what helps."""
    words = {
        Failure.NO_SUCH_PERSON: _("nobody has this address. Check how it is written, or ask for another one."),
        Failure.NO_SUCH_DOMAIN: _("the part after the @ does not exist. Check how it is written."),
        Failure.CLOSED: _("the mailbox is closed and takes no mail. Ask for another address."),
        Failure.FULL: _("the mailbox is full. Try again later, or write to another address."),
        Failure.TOO_LARGE: _("the mail is too large for this mailbox. Send it with smaller files."),
        Failure.SPAM: _("their server took the mail for spam. Write it differently, or reach them another way."),
        Failure.SENDER_CHECK: _("their server could not confirm that it is from us. Tell who looks after our domain."),
        Failure.NOT_ALLOWED: _("their server does not take mail from us. Reach them another way."),
        Failure.RATE: _("their server had too much mail from us at once. Try again later."),
        Failure.UNREACHABLE: _("their server could not be reached. Try again later."),
        Failure.EXPIRED: _("their server could not be reached for days. Check the address, or try again later."),
        Failure.LOOP: _("their mail is forwarded in a circle. Reach them another way."),
        Failure.CONTENT: _("their server cannot take a mail of this form. Send it as plain text without files."),
        Failure.OTHER: _("their server did not take it."),
    }
    known = set(Failure)
    return words[Failure(failure) if failure in known else Failure.OTHER]


def refused_words(recipient: dict[str, str]) -> str:
    """Of a recipient whom a mail did not reach: the address, the sentence, and what the server said."""
    code, said = recipient.get("code") or "", recipient.get("sentence") or ""
    sentence = f"{recipient['address']}: {failure_words(why_failed(code, said))}"
    told = said or code
    return _("%(sentence)s The server said: %(told)s") % {"sentence": sentence, "told": told} if told else sentence
