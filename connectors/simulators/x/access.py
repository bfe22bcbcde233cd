"""Who may call: OAuth 2.0 with PKCE and rotating refresh tokens, and OAuth 1.0a signatures.

docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token and …/authorization-code: an authorization code
lives 30 seconds, an access token two hours, a refresh token comes with `offline.access` and is good for one use.
docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from connectors.simulators.exchange import Request

CODE_LIFE = timedelta(seconds=30)
TOKEN_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=182)
PUBLIC_HOSTS = ("https://api.x.com", "https://api.twitter.com")
ALL_SCOPES = (
    "tweet.read tweet.write tweet.moderate.write users.read dm.read dm.write media.write like.write offline.access"
)


@dataclass(frozen=True, slots=True)
class App:
    """`secret` "" makes it a public client; without `redirect_uris` any will do."""

    client_id: str
    secret: str = ""
    redirect_uris: tuple[str, ...] = ()
    name: str = "Balas"


@dataclass(frozen=True, slots=True)
class Grant:
    user_id: str
    client_id: str
    scopes: frozenset[str]
    expires_at: datetime
    redirect_uri: str = ""
    challenge: str = ""
    challenge_method: str = ""
    family: str = ""  # all tokens that came from one consent


class Denied(Exception):
    """An OAuth 2.0 error (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


@dataclass(slots=True)
class Access:
    now: Callable[[], datetime]
    apps: dict[str, App] = field(default_factory=dict)
    consumers: dict[str, str] = field(default_factory=dict)  # OAuth 1.0a: API key → secret
    signers: dict[str, tuple[str, str]] = field(default_factory=dict)  # access token → (secret, user id)
    token_life: timedelta = TOKEN_LIFE
    codes: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, Grant] = field(default_factory=dict)
    refreshes: dict[str, Grant] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)

    # --- OAuth 2.0 --------------------------------------------------------------------------------------------------

    def app_of(self, request: Request, form: dict[str, str]) -> App:
        """The client of a token request: Basic for one with a secret, client_id in the form for a public one."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        client_id, secret = form.get("client_id", ""), ""
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(given).decode()
            except ValueError:
                pair = ""
            client_id, _, secret = (unquote(part) for part in pair.partition(":"))
        app = self.apps.get(client_id)
        if app is None or not hmac.compare_digest(app.secret.encode(), secret.encode()):
            raise Denied("unauthorized_client", "Missing valid authorization header", 401)
        return app

    def consent(self, app: App, user_id: str, asked: dict[str, str]) -> str:
        """The code that goes back to the app."""
        code = secrets.token_urlsafe(24)
        self.codes[code] = Grant(
            user_id,
            app.client_id,
            frozenset(asked.get("scope", "").split()),
            self.now() + CODE_LIFE,
            asked["redirect_uri"],
            asked["code_challenge"],
            asked.get("code_challenge_method") or "plain",
        )
        return code

    def exchange(self, app: App, form: dict[str, str]) -> dict[str, object]:
        """grant_type authorization_code or refresh_token. Raises Denied."""
        kind = form.get("grant_type")
        if kind == "authorization_code":
            grant = self.codes.pop(form.get("code", ""), None)
            if grant is None or grant.client_id != app.client_id or self.now() > grant.expires_at:
                raise Denied("invalid_request", "Value passed for the authorization code was invalid.")
            if grant.redirect_uri != form.get("redirect_uri"):
                raise Denied("invalid_request", "Value passed for the redirect uri did not match the uri of the code.")
            if not _proves(grant, form.get("code_verifier", "")):
                raise Denied("invalid_request", "Value passed for the code verifier did not match the code challenge.")
            return self.issue(app, grant.user_id, grant.scopes)
        if kind == "refresh_token":
            grant = self.refreshes.pop(form.get("refresh_token", ""), None)
            if grant is None or grant.client_id != app.client_id or self.now() > grant.expires_at:
                raise Denied("invalid_request", "Value passed for the token was invalid.")
            return self.issue(app, grant.user_id, grant.scopes, grant.family)
        raise Denied("unsupported_grant_type", "Missing or unknown grant_type")

    def issue(self, app: App, user_id: str, scopes: frozenset[str], family: str = "") -> dict[str, object]:
        """The token answer. Access tokens of before stay good until they run out."""
        family = family or secrets.token_hex(8)
        access, now = secrets.token_urlsafe(36), self.now()
        self.tokens[access] = Grant(user_id, app.client_id, scopes, now + self.token_life, family=family)
        answer: dict[str, object] = {
            "token_type": "bearer",
            "expires_in": int(self.token_life.total_seconds()),
            "access_token": access,
            "scope": " ".join(sorted(scopes)),
        }
        if "offline.access" in scopes:
            refresh = secrets.token_urlsafe(36)
            self.refreshes[refresh] = Grant(user_id, app.client_id, scopes, now + REFRESH_LIFE, family=family)
            answer["refresh_token"] = refresh
        return answer

    def revoke(self, token: str) -> None:
        """With the access and refresh tokens that came with it."""
        grant = self.tokens.get(token) or self.refreshes.get(token)
        if grant is not None:
            for store in (self.tokens, self.refreshes):
                for one in [name for name, held in store.items() if held.family == grant.family]:
                    del store[one]

    def revoke_all(self, user_id: str) -> None:
        """As when the account's owner takes the app's access away."""
        for store in (self.tokens, self.refreshes):
            for one in [name for name, held in store.items() if held.user_id == user_id]:
                del store[one]
        self.signers = {token: held for token, held in self.signers.items() if held[1] != user_id}

    # --- Both -------------------------------------------------------------------------------------------------------

    def find_caller(self, request: Request) -> tuple[str, str, frozenset[str] | None] | None:
        """(user id, app, scopes or None for all), None when the credentials are no good."""
        if request.bearer:
            grant = self.tokens.get(request.bearer)
            if grant is None or self.now() >= grant.expires_at:
                return None
            return grant.user_id, grant.client_id, grant.scopes
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        return self._find_signer(request, rest) if scheme.lower() == "oauth" else None

    def _find_signer(self, request: Request, header: str) -> tuple[str, str, None] | None:
        given = {}
        for part in header.split(","):
            name, _, value = part.strip().partition("=")
            given[unquote(name)] = unquote(value.strip('"'))
        consumer = self.consumers.get(given.get("oauth_consumer_key", ""))
        signer = self.signers.get(given.get("oauth_token", ""))
        nonce = given.get("oauth_nonce", "") + given.get("oauth_timestamp", "")
        if consumer is None or signer is None or nonce in self.nonces:
            return None
        # A client that is pointed here may still sign for the host it believes to call.
        hosts = ("http://" + request.headers.get("host", "").lower(), *PUBLIC_HOSTS)
        signatures = [sign(request, host, given, consumer, signer[0]) for host in hosts]
        if given.get("oauth_signature", "") not in signatures:
            return None
        self.nonces.add(nonce)
        return signer[1], given["oauth_consumer_key"], None


def _proves(grant: Grant, verifier: str) -> bool:
    """PKCE (RFC 7636, 4.6)."""
    if grant.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return bool(verifier) and hmac.compare_digest(verifier.encode(), grant.challenge.encode())


def sign(request: Request, host: str, given: dict[str, str], consumer_secret: str, token_secret: str) -> str:
    """HMAC-SHA1 over method, address and all parameters but the signature (RFC 5849, 3.4)."""
    pairs = [(name, value) for name, value in given.items() if name not in ("oauth_signature", "realm")]
    pairs += parse_qsl(urlsplit(request.raw_target).query, keep_blank_values=True)
    if request.content_type == "application/x-www-form-urlencoded":
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    address = host + urlsplit(request.raw_target).path
    base = "&".join(quote(part, safe="~") for part in (request.method, address, joined))
    key = f"{quote(consumer_secret, safe='~')}&{quote(token_secret, safe='~')}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
