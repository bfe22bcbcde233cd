"""One suite for every kind (test_contract.py), and what each kind brings to it: one file here.

    tests/connectors/contract/of_mastodon.py

        class Harness(NetworkHarness):
            kind = "mastodon"
            read_route = "GET /api/v1/notifications"       # the first request of a fetch
            create_route = "POST /api/v1/statuses"         # the request that creates a post
            def make_server(self): return MastodonServer()
            def settings(self): return {"base_url": self.server.base_url, …}
            secrets = {"access_token": "…"}                # what the simulator lets in

A network's simulator is a `SimulatedServer` that keeps `connectors.simulators.control.Controllable`; then everything
else below is done already, and only what differs is overridden. A kind that is no network writes a `Harness` of its
own (of_email.py does). The suite finds the harness of each registered kind by its name; a kind without one is red.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from connectors.base import Connector
from connectors.registry import AccountSettings, SecretText, make_connector
from connectors.simulators.faults import Fault


class Break(StrEnum):
    """What goes wrong from now on, until `mend`. In brackets what must come of it."""

    AWAY = "away"  # nobody listens [fetch, check, send: RetryLater; nothing posted]
    LOG_IN = "log-in"  # the credentials are refused for good [AuthFailed]
    THROTTLED = "throttled"  # [RetryLater with `after`]
    TROUBLE = "trouble"  # 503 or the like on reading [RetryLater]
    PAGE = "page"  # a web page instead of data, with status 200, on reading [RetryLater]
    HUGE = "huge"  # 50 MB where a page is due [RetryLater, without much memory]
    CUT = "cut"  # an answer to reading ends in its middle [RetryLater]
    REFUSES = "refuses"  # the post is refused for good, by its content [send: Refused or Unsupported; nothing posted]
    LOST = "lost"  # the post is created, and the answer gets lost [send: OutcomeUnknown; find_sent finds it]
    DROPPED = "dropped"  # the request to create is cut off and nothing created [OutcomeUnknown; find_sent: None]


class Harness(Protocol):
    """A provider on loopback with one account of ours. A context manager; used once."""

    kind: ClassVar[str]
    secrets: Mapping[str, str]  # of the account; values of 8 characters and more must never show anywhere
    lacks: frozenset[Break]  # what this kind cannot know
    our_id: str  # the stable id of our account there, "" where there is none

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def account(self, spool: Path) -> AccountSettings:
        """With settings that read and send at the provider; `tokens` and `meter` as the kind needs them."""
        ...

    def arrive(self, count: int) -> None:
        """So many new messages of at least two strangers to us, some of them answers to others. Oldest first."""
        ...

    def posted(self) -> Sequence[str]:
        """The texts of all that we have said there, as the provider shows them."""
        ...

    def break_(self, how: Break) -> None: ...

    def mend(self) -> None: ...


def open_connector(harness: Harness, spool: Path) -> Connector:
    secrets = {name: SecretText(value) for name, value in harness.secrets.items()}
    return make_connector(harness.account(spool), secrets)


class NetworkHarness:
    """Everything that the simulators of social networks have in common."""

    kind: ClassVar[str]
    secrets: Mapping[str, str] = {}
    lacks: frozenset[Break] = frozenset()
    read_route: ClassVar[str]
    create_route: ClassVar[str]
    people = ("ana", "bogdan", "chidi")

    def make_server(self) -> Any:
        """Not started; people as in `people` are there and follow nobody."""
        raise NotImplementedError

    def settings(self) -> Mapping[str, Any]:
        return {"base_url": self.server.base_url}

    def __init__(self) -> None:
        self.server: Any = None
        self._open = ExitStack()
        self._arrived: list[str] = []

    def __enter__(self) -> Self:
        self.server = self._open.enter_context(self.make_server())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @property
    def our_id(self) -> str:
        settings = self.settings()
        return next((str(settings[name]) for name in ("user_id", "did", "account_id", "id") if settings.get(name)), "")

    def account(self, spool: Path) -> AccountSettings:
        return AccountSettings(self.kind, self.server.our_handle, self.settings(), spool)

    def arrive(self, count: int) -> None:
        """Every third one answers an earlier one of its author."""
        for number in range(len(self._arrived), len(self._arrived) + count):
            who = self.people[number % 2]
            answers = self._arrived[number - 2] if number % 3 == 2 else ""
            text = f"@{self.server.our_handle} Where is my parcel, asked for the {number}th time?"
            self._arrived.append(self.server.say(who, text, answers=answers))
            time.sleep(0.002)  # no two in the same millisecond: no order would be the right one

    def posted(self) -> Sequence[str]:
        return [one.text for one in self.server.timeline(200) if one.is_ours and not one.is_deleted]

    def break_(self, how: Break) -> None:
        faults = self.server.faults
        match how:
            case Break.AWAY:
                self.server.stop()
            case Break.LOG_IN:
                faults.add("*", Fault(status=401, body=self.refusal(401), content_type="application/json", times=0))
            case Break.THROTTLED:
                faults.add("*", Fault(status=429, body=self.refusal(429), content_type="application/json", times=0))
            case Break.TROUBLE:
                faults.add("*", Fault(status=503, body=b"", times=0))
            case Break.PAGE:
                faults.add("*", Fault(is_html=True, times=0))
            case Break.HUGE:
                faults.add(self.read_route, Fault(padding=50_000_000, times=0))
            case Break.CUT:
                faults.add(self.read_route, Fault(cut_after=20, times=0))
            case Break.REFUSES:
                refusal = Fault(status=403, body=self.refusal(403), content_type="application/json", times=0)
                faults.add(self.create_route, refusal)
            case Break.LOST:
                faults.add(self.create_route, Fault(is_carried_out=True, cut_after=0, times=0))
            case Break.DROPPED:
                faults.add(self.create_route, Fault(status=504, body=b"", times=0))

    def refusal(self, status: int) -> bytes:
        """The JSON that the platform sends with such a status (401: for good; 403: because of what was said)."""
        return b'{"error": "no"}'

    def mend(self) -> None:
        self.server.faults.clear()
