"""Polls a known mailbox through a counting proxy: SETTINGS PASSWORD PORT."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from benchmarks.inside import setup
from benchmarks.wire import Wire, counting_proxy
from workers import connections, jobs

_BODY = re.compile(rb"BODY\[[^\]]*\](?:<\d+>)? (?:\{|\")")


def main() -> None:
    settings, password, port = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with counting_proxy(port) as wire:
        settings["imap"]["port"] = wire.port
        account = setup.connect(json.dumps(settings), password)
        first = _until_complete(account.id, wire)
        _until_complete(account.id, wire)
        idle = [_until_complete(account.id, wire) for _ in range(3)]
        connections.close_all()
        again = _until_complete(account.id, wire)
    setup.answer({"first": first, "idle": idle, "again": again})


def _until_complete(account_id: int, wire: Wire) -> dict[str, Any]:
    wire.reset()
    new = 0
    while True:
        polled = jobs.poll(account_id)
        new += polled.new
        if polled.sentence:
            raise AssertionError(polled.sentence)
        if polled.is_complete:
            break
    return {
        "new": new,
        "sent": wire.sent,
        "received": wire.received,
        "round_trips": wire.round_trips,
        "bodies": len(_BODY.findall(bytes(wire.answers))),
        "said": wire.answers[:300].decode("ascii", "replace"),
    }


if __name__ == "__main__":
    main()
