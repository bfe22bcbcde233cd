"""The demo's mail provider with its customers: real IMAP and SMTP on loopback, and a world that writes and answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from connectors.simulators.demo.content import ADDRESSES
from connectors.simulators.demo.hours import find_local_zone
from connectors.simulators.demo.world import DemoWorld, utc_now
from connectors.simulators.mailserver import MailServers
from connectors.simulators.smtp_server import SentMail

SEED = 2026
PACE = (45.0, 120.0)
ANSWER_DELAY = (10.0, 40.0)
LONGEST_SLEEP = 2.0


class DemoServers(MailServers):
    """`with DemoServers(folder, quiet=True) as servers:`

    quiet: nothing happens by itself; `arrive()` brings the next mail, `answer_all()` lets the customers answer.
    empty: the mailbox starts without the three weeks of opening mail.
    zone: the shop's time zone by name, by which the opening mails are timed; the machine's own when not given.
    pace, answer_delay: seconds, from and to.
    """

    def __init__(
        self,
        folder: Path,
        *,
        imap_port: int = 0,
        smtp_port: int = 0,
        seed: int = SEED,
        pace: tuple[float, float] = PACE,
        answer_delay: tuple[float, float] = ANSWER_DELAY,
        zone: str = "",
        quiet: bool = False,
        empty: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(folder, ADDRESSES[0], imap_port=imap_port, smtp_port=smtp_port)
        self.addresses = ADDRESSES
        self.world = DemoWorld(folder, self._deliver, seed=seed, zone=zone or find_local_zone(), clock=clock)
        self._pace = pace
        self._answer_delay = answer_delay
        self._clock = clock
        self._is_quiet = quiet
        self._is_empty = empty
        self._life: asyncio.Task[None] | None = None

    def _deliver(self, content: bytes, received_at: datetime) -> None:
        self.deliver(content, received_at=received_at)

    async def _start(self) -> None:
        if not self.world.is_open:
            self._open()
        await super()._start()
        if not self._is_quiet:
            self._life = asyncio.get_running_loop().create_task(self._live())

    async def _stop(self) -> None:
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life
        await super()._stop()

    def _open(self) -> None:
        for name in ("INBOX", "Sent"):  # what a killed first start has left
            self.store.expunge(name, list(self.store.get(name).mails))
        for arrival in () if self._is_empty else self.world.opening().arrivals():
            self.deliver(arrival.content, arrival.mailbox, flags=arrival.flags, received_at=arrival.received_at)
        self.world.mark_open()

    async def _live(self) -> None:
        next_arrival = self._clock() + timedelta(seconds=self.world.pause_before_next(self._pace))
        while True:
            now = self._clock()
            try:
                self.world.answer_due(now)
                if now >= next_arrival:
                    next_arrival = now + timedelta(seconds=self.world.pause_before_next(self._pace))
                    self.world.arrive()
            except Exception:  # one mail that cannot be made must not end the demo
                logging.getLogger(__name__).exception("The demo could not write a mail")
            await asyncio.sleep(self._sleep(next_arrival))

    def _sleep(self, next_arrival: datetime) -> float:
        """Short enough to notice what SMTP brings meanwhile."""
        upcoming = [next_arrival, *filter(None, [self.world.next_pending_at()])]
        return max(0.05, min(LONGEST_SLEEP, *((moment - self._clock()).total_seconds() for moment in upcoming)))

    def on_accepted(self, mail: SentMail, kept: Path) -> None:
        try:
            self.world.hear(mail, kept, self._answer_delay)
        except Exception:  # the mail is kept and was promised a 250, whatever the customers make of it
            logging.getLogger(__name__).exception("The demo could not read a mail that it accepted")

    def arrive(self, count: int = 1) -> None:
        for _ in range(count):
            self.world.arrive()

    def answer_all(self) -> int:
        """Let every customer who owes an answer write it now. Returns how many mails came in."""
        return self.world.answer_due()
