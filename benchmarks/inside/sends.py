"""Sends over four reused connections to one SMTP server: bare PORT COUNT | balas PORT COUNT."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

CONNECTIONS = 4
_BODY = "Thank you for your letter. Your parcel left today and will be with you tomorrow. " * 40  # about 4 KB in all


def main() -> None:
    name, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({"bare": bare, "balas": balas}[name](port, count)), flush=True)


def _timed(work: Any, count: int) -> dict[str, float]:
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"count": count, "seconds": seconds, "cpu": cpu}


def bare(port: int, count: int) -> dict[str, float]:
    """aiosmtplib alone, connections reused, nothing durable."""
    from aiosmtplib import SMTP

    content = (
        "From: help@example.org\r\nTo: customer@mail.example\r\nSubject: Re: Parcel\r\n"
        f"Message-ID: <bench@example.org>\r\n\r\n{_BODY}\r\n"
    ).encode()

    async def lane(messages: int) -> None:
        client = SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        await client.connect()
        for _ in range(messages):
            await client.sendmail("help@example.org", ["customer@mail.example"], content)
        await client.quit()

    async def lanes() -> None:
        await asyncio.gather(*(lane(count // CONNECTIONS) for _ in range(CONNECTIONS)))

    return _timed(lambda: asyncio.run(lanes()), count)


def balas(port: int, count: int) -> dict[str, float]:
    """Queued replies from the outbox: claimed, committed, sent, recorded."""
    from benchmarks.inside import setup

    from benchmarks.filling import Filler  # isort: skip
    from connectors.messages import Address  # isort: skip
    from django.utils import timezone  # isort: skip
    from inbox import people, replies  # isort: skip
    from inbox.models import Conversation, Envelope, IdentityLink  # isort: skip
    from inbox.rules.states import Role  # isort: skip
    from workers import jobs  # isort: skip
    from inbox.interpreter import spare_the_loaded  # isort: skip

    smtp = {"scheme": "smtp", "host": "127.0.0.1", "port": port, "user": ""}
    imap = {"scheme": "imap", "host": "127.0.0.1", "port": 1, "user": "u"}
    account = setup.connect(json.dumps({"imap": imap, "smtp": smtp}), "unused")
    Filler(account).fill(2_000 + count * 12)
    user = people.create_user("agent@bench.example", Role.OWNER, timezone.now(), name="Agent")
    for number, id in enumerate(Conversation.objects.order_by("id").values_list("id", flat=True)[:count]):
        link = IdentityLink.objects.select_related("identity").get(customer__conversations=id)
        queued = replies.queue_reply(
            conversation_id=id,
            user=user,
            request_id=f"bench-{number}",
            text=_BODY,
            to=[Address(link.identity.address)],
            now=timezone.now(),
            with_quote=False,
            seen_message=1 << 62,
        )
        assert isinstance(queued, replies.Queued), queued

    spare_the_loaded()  # as every process does that delivers

    def deliver() -> None:
        while jobs.deliver():
            pass

    found = _timed(deliver, count)
    sent = Envelope.objects.filter(state="sent").count()
    if sent != count:
        raise AssertionError(f"{sent} of {count} were sent")
    return found


if __name__ == "__main__":
    main()
