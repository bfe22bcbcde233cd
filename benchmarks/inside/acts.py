"""What one act writes, on a short and on a long conversation: SHORT LONG (ids)."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.inside import setup

from django.db import connection  # isort: skip
from inbox import conversations  # isort: skip
from inbox.models import Conversation, User  # isort: skip

_INDEX = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(?:search_\w+|inbox_indexchange)\b', re.IGNORECASE)
_WRITE = re.compile(r"^\s*(?:INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


class Writes:
    """Statements, the writing ones, and rows written to an index (full-text table or noted changes)."""

    def __init__(self) -> None:
        self.statements = self.writes = self.index_rows = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        self.statements += 1
        self.writes += bool(_WRITE.match(sql))
        if _INDEX.match(sql):
            self.index_rows += max(context["cursor"].cursor.rowcount, 0)
        return result


def measured(act: Callable[[], object]) -> dict[str, int]:
    counted = Writes()
    with connection.execute_wrapper(counted):
        act()
    return {"statements": counted.statements, "writes": counted.writes, "index_rows": counted.index_rows}


def main() -> None:
    user = User.objects.get(email="agent@bench.example")

    now = datetime.now(UTC)
    short, long = map(int, sys.argv[1:])
    warm = Conversation.objects.exclude(id__in=(short, long)).filter(status="open").latest("id").id
    found = {}
    for name, id in (("warm", warm), ("short", short), ("long", long)):  # the first fills what a process remembers
        acts: dict[str, Callable[[], object]] = {
            "assign": partial(conversations.assign, id, user, now, owner=user),
            "resolve": partial(conversations.resolve, id, user, now),
            "reopen": partial(conversations.reopen, id, user, now + timedelta(seconds=1)),
            "tag": partial(conversations.tag, id, user, now, name="urgent"),
        }
        found[name] = {act: measured(run) for act, run in acts.items()}
    setup.answer(found)


if __name__ == "__main__":
    main()
