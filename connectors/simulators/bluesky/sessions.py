"""Log-ins: https://docs.bsky.app/docs/api/com-atproto-server-create-session, …-refresh-session, and the source of the
reference server for lifetimes: two hours for an access token, 90 days for a refresh token, which stays good for two
hours after it was used. Tokens look like JWTs and are signed with nothing that would be worth stealing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ACCESS_LIFE, REFRESH_LIFE, GRACE = timedelta(hours=2), timedelta(days=90), timedelta(hours=2)
# https://docs.bsky.app/docs/advanced-guides/rate-limits
MOST_LOGINS = ((30, timedelta(minutes=5)), (300, timedelta(days=1)))
APP, PRIVILEGED, REFRESH = "com.atproto.appPass", "com.atproto.appPassPrivileged", "com.atproto.refresh"


class Denied(Exception):
    """An XRPC error: its name, words and status."""

    def __init__(self, name: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.name, self.status = name, status


@dataclass(frozen=True, slots=True)
class Caller:
    did: str
    scope: str


@dataclass(slots=True)
class Sessions:
    now: Callable[[], datetime]
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    revoked: dict[str, str] = field(default_factory=dict)  # refresh token id → until when it is still taken
    logins: dict[str, list[datetime]] = field(default_factory=dict)
    ended: dict[str, datetime] = field(default_factory=dict)  # DID → tokens from before are no good
    access_life: timedelta = ACCESS_LIFE

    def open(self, did: str, is_privileged: bool) -> dict[str, str]:
        scope = PRIVILEGED if is_privileged else APP
        now = self.now()
        access = self._token({"scope": scope, "sub": did}, now, self.access_life)
        refresh = self._token({"scope": REFRESH, "sub": did, "for": scope}, now, REFRESH_LIFE)
        return {"accessJwt": access, "refreshJwt": refresh}

    def count_login(self, did: str) -> None:
        """Raises Denied for one too many."""
        now = self.now()
        kept = [at for at in self.logins.get(did, []) if now - at < MOST_LOGINS[-1][1]]
        for most, span in MOST_LOGINS:
            if sum(1 for at in kept if now - at < span) >= most:
                raise Denied("RateLimitExceeded", "Rate Limit Exceeded", 429)
        self.logins[did] = [*kept, now]

    def refreshed(self, token: str) -> tuple[Caller, dict[str, str]]:
        claims = self._claims(token)
        if claims.get("scope") != REFRESH:
            raise Denied("InvalidToken", "Bad token scope")
        taken_until = self.revoked.get(str(claims["jti"]))
        now = self.now()
        if taken_until is not None and now.timestamp() > float(taken_until):
            raise Denied("ExpiredToken", "Token has been revoked")
        self.revoked.setdefault(str(claims["jti"]), str((now + GRACE).timestamp()))
        did, scope = str(claims["sub"]), str(claims.get("for") or APP)
        return Caller(did, scope), self.open(did, scope == PRIVILEGED)

    def caller(self, token: str) -> Caller:
        if not token:
            raise Denied("AuthMissing", "Authentication Required", 401)
        claims = self._claims(token)
        if claims.get("scope") not in (APP, PRIVILEGED):
            raise Denied("InvalidToken", "Bad token scope")
        return Caller(str(claims["sub"]), str(claims["scope"]))

    def end_all(self, did: str) -> None:
        """As when the owner takes an app password back."""
        self.ended[did] = self.now()

    def _token(self, claims: Mapping[str, Any], now: datetime, life: timedelta) -> str:
        whole = {
            **claims,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
            "jti": secrets.token_hex(8),
        }
        parts = [_encoded(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "HS256"}, whole)]
        return ".".join([*parts, self._signature(".".join(parts))])

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.new(self.key.encode(), signed.encode(), hashlib.sha256).digest())

    def _claims(self, token: str) -> dict[str, Any]:
        head, _, signature = token.rpartition(".")
        try:
            matches = hmac.compare_digest(self._signature(head), signature)
            claims = json.loads(base64.urlsafe_b64decode(head.partition(".")[2] + "==")) if matches else {}
        except (ValueError, TypeError):
            claims = {}
        if not claims:
            raise Denied("InvalidToken", "Token could not be verified")
        ended = self.ended.get(str(claims.get("sub")))
        if ended is not None and claims["iat"] <= ended.timestamp():
            raise Denied("ExpiredToken", "Token has been revoked")
        if self.now().timestamp() >= claims["exp"]:
            raise Denied("ExpiredToken", "Token has expired")
        return dict(claims)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
