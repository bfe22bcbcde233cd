"""Who may call: apps, consent and tokens as Mastodon does OAuth 2, and its rate limits.

https://docs.joinmastodon.org/methods/apps/#create, https://docs.joinmastodon.org/methods/oauth/,
https://docs.joinmastodon.org/api/oauth-scopes/, https://docs.joinmastodon.org/api/rate-limits/ (300 calls in 5 minutes
an account, 30 files in 30 minutes; the reset as a written time).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode

from connectors.simulators.exchange import Answer, Request, html_answer, json_answer, redirect
from connectors.simulators.mastodon.things import App, Grant
from connectors.simulators.mastodon.views import stamp

OOB = "urn:ietf:wg:oauth:2.0:oob"


def fields_of(request: Request) -> dict[str, Any]:
    """Parameters of a form, of JSON, or of the query: Mastodon takes each of them for any method."""
    if request.content_type == "application/json" and request.body:
        return request.json_object()
    if request.content_type == "multipart/form-data":
        return {one.name: one.text for one in request.parts() if not one.filename}
    found = {name: list(values) for name, values in {**request.query, **request.form()}.items()}
    return {name: values if name.endswith("[]") else values[-1] for name, values in found.items()}


@dataclass(slots=True)
class Bucket:
    calls: int
    span: timedelta
    used: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def take(self, who: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """(whether it is allowed, the headers)"""
        seconds = int(self.span.total_seconds())
        start = now - timedelta(seconds=now.timestamp() % seconds)
        since, count = self.used.get(who, (start, 0))
        count = count + 1 if since == start else 1
        self.used[who] = (start, count)
        headers = {
            "X-RateLimit-Limit": str(self.calls),
            "X-RateLimit-Remaining": str(max(0, self.calls - count)),
            "X-RateLimit-Reset": stamp(start + self.span),
        }
        return count <= self.calls, headers


class Access:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.apps: dict[str, App] = {}
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.general = Bucket(300, timedelta(minutes=5))
        self.uploads = Bucket(30, timedelta(minutes=30))

    def grant(self, member_id: str, scopes: str = "read write", client_id: str = "") -> str:
        token = secrets.token_urlsafe(32)
        self.tokens[token] = Grant(member_id, client_id, scopes.split())
        return token

    def revoke_all(self, member_id: str) -> None:
        for one in self.tokens.values():
            one.is_revoked = one.is_revoked or one.member == member_id

    # --- Routes -----------------------------------------------------------------------------------------------------

    def register(self, request: Request) -> Answer:
        asked = fields_of(request)
        uris = str(asked.get("redirect_uris") or "").split()
        if not asked.get("client_name") or not uris:
            return json_answer({"error": "Validation failed: Redirect URI must be an absolute URI."}, 422)
        scopes = str(asked.get("scopes") or "read").split()
        app = App(secrets.token_urlsafe(32), secrets.token_urlsafe(32), str(asked["client_name"]), uris, scopes)
        self.apps[app.client_id] = app
        return json_answer(
            {
                "id": str(len(self.apps)),
                "name": app.name,
                "website": None,
                "scopes": scopes,
                "redirect_uris": uris,
                "redirect_uri": "\n".join(uris),
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "client_secret_expires_at": 0,
            }
        )

    def authorize(self, request: Request, member_id: str, handle: str) -> Answer:
        """A page that asks; with `allow=1` it has been said yes to. Whoever sits at this machine is the account."""
        app = self.apps.get(request.first("client_id"))
        uri, scopes = request.first("redirect_uri"), request.first("scope", "read").split()
        if app is None or uri not in app.redirect_uris or request.first("response_type") != "code":
            return html_answer("<h1>Client authentication failed</h1>", 401)
        if not set(scopes) <= set(app.scopes):
            return html_answer("<h1>The requested scope is invalid, unknown, or malformed.</h1>", 400)
        if not request.first("allow"):
            again = escape(f"{request.raw_target}&allow=1")
            wanted = "".join(f"<li>{escape(one)}</li>" for one in scopes)
            return html_answer(
                f"<h1>{escape(app.name)} would like permission to access your account</h1><p>Signed in as "
                f"@{escape(handle)}.</p><ul>{wanted}</ul><p><a id=allow href='{again}'>Authorize</a></p>"
            )
        code = secrets.token_urlsafe(24)
        self.codes[code] = Grant(member_id, app.client_id, scopes, uri, request.first("code_challenge"))
        if uri == OOB:
            return html_answer(f"<h1>Copy this code</h1><code id=code>{code}</code>")
        joint = "&" if "?" in uri else "?"
        return redirect(f"{uri}{joint}{urlencode({'code': code, 'state': request.first('state')})}")

    def token(self, request: Request) -> Answer:
        asked = fields_of(request)
        app = self.apps.get(str(asked.get("client_id") or ""))
        if app is None or not secrets.compare_digest(app.client_secret, str(asked.get("client_secret") or "")):
            words = "Client authentication failed due to unknown client, no client authentication included"
            return json_answer({"error": "invalid_client", "error_description": words}, 401)
        grant = self.codes.pop(str(asked.get("code") or ""), None)
        if grant is None or grant.client_id != app.client_id or grant.redirect_uri != asked.get("redirect_uri"):
            words = "The provided authorization grant is invalid, expired, revoked"
            return json_answer({"error": "invalid_grant", "error_description": words}, 400)
        digest = hashlib.sha256(str(asked.get("code_verifier") or "").encode()).digest()
        if grant.challenge and grant.challenge != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            return json_answer({"error": "invalid_grant"}, 400)
        token = self.grant(grant.member, " ".join(grant.scopes), app.client_id)
        made = int(self.now().timestamp())
        return json_answer(
            {"access_token": token, "token_type": "Bearer", "scope": " ".join(grant.scopes), "created_at": made}
        )

    def revoke(self, request: Request) -> Answer:
        token = self.tokens.get(str(fields_of(request).get("token") or ""))
        if token is None:
            return json_answer({"error": "unauthorized_client"}, 403)
        token.is_revoked = True
        return json_answer({})


def holds(grant: Grant, scope: str) -> bool:
    """A whole "read" holds every "read:…"."""
    return scope in grant.scopes or scope.partition(":")[0] in grant.scopes
