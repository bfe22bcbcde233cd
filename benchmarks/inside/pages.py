"""Times and counts pages through Django's handler: REPEATS ADDRESS…, as an agent whose rights are rows."""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.inside import setup

from django.db import connection  # isort: skip
from django.test import Client  # isort: skip
from inbox.models import User  # isort: skip

_COUNTED = re.compile(r"\bCOUNT\(", re.IGNORECASE)
_STEPS = 20  # of SQLite's virtual machine between two calls of the handler


class Statements:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.texts.append(sql)
        return execute(sql, params, many, context)


def main() -> None:
    repeats, addresses = int(sys.argv[1]), sys.argv[2:]
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(email="agent@bench.example"))
    for address in addresses * 3:  # templates compiled, the page seen, caches warm
        _get(client, address)
    times: dict[str, list[float]] = {address: [] for address in addresses}
    for _ in range(repeats):
        for address in addresses:
            started = time.perf_counter()
            _get(client, address)
            times[address].append(time.perf_counter() - started)
    setup.answer(
        {address: {"ms": statistics.median(times[address]) * 1e3, **_exact(client, address)} for address in addresses}
    )


def _get(client: Client, address: str) -> bytes:
    response = client.get(address)
    if response.status_code != 200:
        raise AssertionError(f"{address}: {response.status_code}")
    return response.content


def _exact(client: Client, address: str) -> dict[str, Any]:
    said, steps = Statements(), 0

    def step() -> int:
        nonlocal steps
        steps += _STEPS
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(step, _STEPS)
    try:
        with connection.execute_wrapper(said):
            body = _get(client, address)
    finally:
        connection.connection.set_progress_handler(None, 0)
    counted = [text for text in said.texts if _COUNTED.search(text)]
    return {
        "statements": len(said.texts),
        "counted": len(counted),
        "steps": steps,
        "bytes": len(body),
        "sql": said.texts,
    }


if __name__ == "__main__":
    main()
