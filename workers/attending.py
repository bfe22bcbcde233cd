"""One account's doorbell, for as long as the account is read: opened, listened to, opened again when it is lost.

It says three things to whoever started it: this account rings, this is how its doorbell stands, and this host has
fallen silent. Whether credentials are refused is for the poll to decide, so a refusal here only rings.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from connectors.base import AuthFailed, ConnectorError, Doorbell, Unsupported
from inbox.doorbells import Change
from inbox.rules.polling import retry_seconds
from inbox.rules.states import DoorbellState
from inbox.sealing import KeyMissing
from workers.probing import Probes

log = logging.getLogger(__name__)

HANDSHAKES = 16  # at once
STEADY_SECONDS = 60.0  # a doorbell that is lost sooner counts as one that could not be opened
REFUSED_SECONDS = 300.0
MISSING_SECONDS = 3600.0
RING_PAUSE = 0.25  # news that follow each other are one ring


@dataclass(slots=True)
class Floor:
    """What the attendants of one process share."""

    open_doorbell: Callable[[int], Awaitable[Doorbell]]
    ring: Callable[[int], None]
    tell: Callable[[Change], None]
    silence: Callable[[str], None]  # nothing was heard from this host though it was asked
    handshakes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HANDSHAKES))  # being opened
    probes: Probes = field(default_factory=Probes)


class Attendant:
    """`bell` is None while there is none."""

    __slots__ = ("_failures", "_floor", "_mark", "account_id", "bell", "is_probing")

    def __init__(self, account_id: int, is_probing: bool, floor: Floor) -> None:
        self.account_id = account_id
        self.is_probing = is_probing
        self.bell: Doorbell | None = None
        self._floor = floor
        self._failures = 0
        self._mark: tuple[int, ...] | None = None

    async def run(self) -> None:
        """For ever, until it is cancelled."""
        try:
            while True:
                pause = await self._attend()
                await asyncio.sleep(pause)
        finally:
            self._floor.probes.forget(self.account_id)

    async def _attend(self) -> float:
        """One doorbell from its opening to its end; seconds until the next one."""
        began = asyncio.get_running_loop().time()
        state, pause = DoorbellState.AWAY, None
        try:
            await self._open()
            await self._listen()
        except Unsupported as error:
            state, sentence, pause = DoorbellState.MISSING, error.sentence, MISSING_SECONDS
        except AuthFailed as error:
            self._floor.ring(self.account_id)
            sentence, pause = error.sentence, REFUSED_SECONDS
        except ConnectorError as error:
            sentence = error.sentence
            if self.bell is not None and isinstance(error.__cause__, TimeoutError):
                self._floor.silence(self.bell.host)
        except KeyMissing as error:
            sentence, pause = str(error), REFUSED_SECONDS
        except Exception as error:  # our own mistake must not end the listening of this account for good
            log.exception("account %s: listening stumbled", self.account_id)
            sentence = f"Something unexpected went wrong ({type(error).__name__}); it is tried again."
        finally:
            lived = asyncio.get_running_loop().time() - began
            self._failures = 0 if self.bell is not None and lived > STEADY_SECONDS else self._failures + 1
            self._close()
        self._floor.tell(Change(self.account_id, state, sentence))
        if pause is not None:
            return pause * random.uniform(1.0, 1.2)
        return retry_seconds(self._failures, random.random())

    def _close(self) -> None:
        if self.bell is not None:
            self.bell.close()
            self.bell = None

    async def _open(self) -> None:
        async with self._floor.handshakes:
            self.bell = await self._floor.open_doorbell(self.account_id)
        self._floor.tell(Change(self.account_id, DoorbellState.LIVE, is_whole=self.bell.is_whole))
        # What came while nobody listened is looked for, unless the place is as it was left.
        if self.bell.mark is None or self.bell.mark != self._mark:
            self._floor.ring(self.account_id)
        self._mark = self.bell.mark
        self._floor.probes.stir(self.account_id) if self.is_probing else None

    async def _listen(self) -> None:
        assert self.bell is not None
        while True:
            if self.is_probing and self._floor.probes.is_hot(self.account_id):
                await self._floor.probes.turn()
                is_news = await self.bell.look()
            else:
                is_news = await self.bell.wait()
            if is_news:
                self._floor.ring(self.account_id)
                self._mark = None
                if self.is_probing:
                    self._floor.probes.stir(self.account_id)
                await asyncio.sleep(RING_PAUSE)
