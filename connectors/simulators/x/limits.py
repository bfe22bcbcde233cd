"""How often each endpoint may be called: docs.x.com/x-api/fundamentals/rate-limits, as read on 2026-11-25.

A window starts with its first call and ends 15 minutes or 24 hours later. The headers x-rate-limit-* speak of the 15
minutes; those of 24 hours are x-user-limit-24hour-* and x-app-limit-24hour-*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

QUARTER = 900
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls in 15 minutes and in 24 hours, by a user, and in 24 hours by an app; 0: no such limit."""

    quarter: int
    day: int = 0
    app_day: int = 0


QUOTAS = {
    "GET /2/tweets": Quota(5000),
    "GET /2/tweets/:id": Quota(900),
    "GET /2/tweets/search/recent": Quota(300),
    "POST /2/tweets": Quota(100, app_day=10_000),
    "DELETE /2/tweets/:id": Quota(50),
    "GET /2/users/:id/tweets": Quota(900),
    "GET /2/users/:id/mentions": Quota(300),
    "GET /2/tweets/:id/quote_tweets": Quota(75),
    "GET /2/tweets/:id/retweeted_by": Quota(75),
    "PUT /2/tweets/:tweet_id/hidden": Quota(50),
    "GET /2/users": Quota(900),
    "GET /2/users/:id": Quota(900),
    "GET /2/users/by": Quota(900),
    "GET /2/users/by/username/:username": Quota(900),
    "GET /2/users/me": Quota(75),
    "GET /2/dm_events": Quota(15),
    "GET /2/dm_events/:id": Quota(15),
    "GET /2/dm_conversations/:dm_conversation_id/dm_events": Quota(15),
    "GET /2/dm_conversations/with/:participant_id/dm_events": Quota(15),
    "POST /2/dm_conversations/with/:participant_id/messages": Quota(15, 1440, 1440),
    "POST /2/dm_conversations/:dm_conversation_id/messages": Quota(15, 1440, 1440),
    "POST /2/media/upload": Quota(500, app_day=50_000),
    "GET /2/media/upload": Quota(1000, app_day=100_000),
    "POST /2/media/upload/initialize": Quota(1875, app_day=180_000),
    "POST /2/media/upload/:id/append": Quota(1875, app_day=180_000),
    "POST /2/media/upload/:id/finalize": Quota(1875, app_day=180_000),
    "POST /2/media/metadata": Quota(500, app_day=50_000),
}


@dataclass(slots=True)
class _Window:
    started: datetime
    used: int = 0


@dataclass(slots=True)
class RateLimits:
    """`quotas` may be changed by a test. `refused` counts the calls answered 429."""

    now: Callable[[], datetime]
    quotas: dict[str, Quota] = field(default_factory=lambda: dict(QUOTAS))
    refused: list[tuple[datetime, str]] = field(default_factory=list)
    _windows: dict[tuple[str, str, int], _Window] = field(default_factory=dict)

    def call(self, endpoint: str, user_id: str, app: str) -> tuple[bool, dict[str, str]]:
        """(allowed, the headers of the answer). A refused call uses nothing up."""
        quota = self.quotas.get(endpoint)
        if quota is None:
            return True, {}
        states = [("x-rate-limit", self._window(user_id, endpoint, QUARTER), quota.quarter, QUARTER)]
        if quota.day:
            states.append(("x-user-limit-24hour", self._window(user_id, endpoint, DAY), quota.day, DAY))
        if quota.app_day:
            states.append(("x-app-limit-24hour", self._window("app " + app, endpoint, DAY), quota.app_day, DAY))
        allowed = all(window.used < limit for _, window, limit, _ in states)
        headers = {}
        for name, window, limit, seconds in states:
            window.used += allowed
            resets = window.started + timedelta(seconds=seconds)
            headers[f"{name}-limit"] = str(limit)
            headers[f"{name}-remaining"] = str(max(0, limit - window.used))
            headers[f"{name}-reset"] = str(int(resets.timestamp()) + 1)
        if not allowed:
            self.refused.append((self.now(), endpoint))
        return allowed, headers

    def _window(self, who: str, endpoint: str, seconds: int) -> _Window:
        now = self.now()
        window = self._windows.get((who, endpoint, seconds))
        if window is None or now >= window.started + timedelta(seconds=seconds):
            window = self._windows[who, endpoint, seconds] = _Window(now)
        return window
