"""Brings a whole mailbox into an embedded home: SETTINGS PASSWORD [profile]."""

from __future__ import annotations

import cProfile
import pstats
import sys

from benchmarks.inside import setup
from inbox.ingest import parsing
from inbox.models import Conversation, Message
from search.backend import get_backend
from web.cli.mail import _poll_one


def main() -> None:
    account = setup.connect(sys.argv[1], sys.argv[2])
    profile = cProfile.Profile() if len(sys.argv) > 3 else None
    peak, watch = setup.Peak(), setup.Watch()
    if profile:
        profile.enable()
    result = _poll_one(account, True, False)
    if profile:
        profile.disable()
    parsing.close()  # its time counts, and a child's is known when it has ended
    found = watch.read() | peak.read()
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats(sys.argv[3]).print_stats(45)
        profile.dump_stats("/tmp/bench.prof")
    newest = Message.objects.order_by("-id").first()
    hits = get_backend().search(newest.author_address, accounts=None, limit=50) if newest else None
    found |= {
        "mails": Message.objects.count(),
        "fetched": result["fetched"],
        "due": Conversation.objects.exclude(due_at=None).count(),
        "hits": len(hits.hits) if hits else 0,
    }
    setup.answer(found)


if __name__ == "__main__":
    main()
