"""Asking a server of one's own many times a second, where the owner switched it on.

Dovecot tells of new mail half a second late while IDLE waits, and at once when it is asked. So a few mailboxes that
had news lately are asked in turn; all of them together at most twenty times a second.
"""

from __future__ import annotations

import asyncio
import heapq

PROBES_A_SECOND = 20
HOT_SECONDS = 900.0
MOST_HOT = 5  # more would be asked so rarely each that waiting is as quick


class Probes:
    """The turns of one process. Times are the loop's."""

    def __init__(self) -> None:
        self._stirred_at: dict[int, float] = {}
        self._next_turn = 0.0

    def stir(self, account_id: int) -> None:
        """It had news, or has just been connected."""
        self._stirred_at[account_id] = asyncio.get_running_loop().time()

    def forget(self, account_id: int) -> None:
        self._stirred_at.pop(account_id, None)

    def is_hot(self, account_id: int) -> bool:
        stirred_at = self._stirred_at.get(account_id)
        if stirred_at is None or asyncio.get_running_loop().time() - stirred_at > HOT_SECONDS:
            return False
        return stirred_at >= min(heapq.nlargest(MOST_HOT, self._stirred_at.values()))

    async def turn(self) -> None:
        """Waits until it may ask."""
        now = asyncio.get_running_loop().time()
        self._next_turn = max(now, self._next_turn + 1 / PROBES_A_SECOND)
        await asyncio.sleep(self._next_turn - now)
