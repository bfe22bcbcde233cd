"""Run as a program in a home of its own: several processes deliver the same mail at the same time.

BALAS_HOME=… python -m tests.inbox.racing PROCESSES MAILS SEED   → one JSON object
"""

from __future__ import annotations

import json
import os
import random
import sys


def main(processes: int, mails: int, seed: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from tests.builders import make_account, make_mail

    call_command("migrate", verbosity=0)
    accounts = [make_account(f"box{n}", f"box{n}@balas.example") for n in range(2)]
    contents = [
        make_mail(
            f"Mail {n}\n",
            author=f"person{n % 40}@r.example",
            message_id=f"{n}@r.example" if n % 10 else "",
            in_reply_to=f"{n - 40}@r.example" if n % 3 == 0 and n >= 40 else "",
        )
        for n in range(mails)
    ]
    connections.close_all()
    children = []
    for number in range(processes):
        child = os.fork()
        if not child:
            os._exit(_deliver(contents, accounts, random.Random(seed * 100 + number)))
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    _report(codes)


def _deliver(contents: list[bytes], accounts: list[object], chance: random.Random) -> int:
    from tests.builders import digest_all, make_item, put

    order = list(range(len(contents)))
    chance.shuffle(order)
    try:
        while order:
            some, order = order[:40], order[40:]
            for account in accounts:
                put(account, *(make_item(contents[n], uid=n + 1) for n in some))
            digest_all(limit=chance.choice([10, 30, 100]))
        while digest_all(limit=50).taken:
            pass
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _report(codes: list[int]) -> None:
    from inbox import counters
    from inbox.models import Conversation, Delivery, LiveEvent, Message, RawItem, SlaEvent

    numbers = list(LiveEvent.objects.order_by("number").values_list("number", flat=True))
    facts = {
        "codes": codes,
        "messages": Message.objects.count(),
        "different": Message.objects.values("stable_sha256").distinct().count(),
        "deliveries": Delivery.objects.count(),
        "raw": RawItem.objects.count(),
        "waiting": RawItem.objects.exclude(state="digested").count(),
        "conversations": Conversation.objects.count(),
        "clocks": SlaEvent.objects.count(),
        "counters": counters.kept() == counters.recount(),
        "events": numbers == list(range(1, len(numbers) + 1)),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
