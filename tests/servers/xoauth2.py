"""Mail servers that take the access tokens of an issuer (XOAUTH2): Dovecot, which checks them itself, and one for SMTP.

Dovecot validates each token locally by the issuer's public key: signature, user and end. Nobody is asked, so a bogus
or expired token is refused for what it is.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import AuthResult
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.issuer import Issuer
from tests.servers.recording_smtp import QuietController, RecordingSmtp
from tests.servers.requirement import free_port


@contextmanager
def running_token_dovecot(issuer: Issuer, **options: Any) -> Iterator[Dovecot]:
    def more(base: Path) -> str:
        keys = base / "keys" / "default" / "RS256"
        keys.mkdir(parents=True)
        (keys / issuer.kid).write_text(issuer.pem)
        arguments = base / "oauth2.conf"
        arguments.write_text(
            f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={base}/keys/\n"
            "username_attribute = username\n"
        )
        for path in (base / "keys", *(base / "keys").rglob("*"), arguments):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return (
            "auth_mechanisms = plain login xoauth2\n"
            f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {arguments}\n}}\n"
        )

    with running_dovecot(more=more, **options) as server:
        yield server


def claims_of(token: str, pem: str) -> dict[str, Any] | None:
    """What a token says, when its signature is right and it has not ended; None otherwise."""
    try:
        head, body, signature = token.split(".")
        key = load_pem_public_key(pem.encode())
        assert isinstance(key, RSAPublicKey)
        key.verify(_decode(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
        claims: dict[str, Any] = json.loads(_decode(body))
    except (ValueError, InvalidSignature):
        return None
    return claims if claims["exp"] > time.time() else None


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class TokenSmtp(RecordingSmtp):
    """Offers XOAUTH2 alone. A refusal is a challenge with JSON first, as Gmail's is."""

    pem: str = ""
    tokens: list[str] = field(default_factory=list)  # everything that was tried

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:
        blob = args[1] if len(args) > 1 else await self._long_answer(server)
        message = base64.b64decode(blob).decode()
        user, _, rest = message.removeprefix("user=").partition("\x01auth=Bearer ")
        token = rest.removesuffix("\x01\x01")
        self.tokens.append(token)
        claims = claims_of(token, self.pem)
        if claims is not None and claims.get("username") == user:
            return AuthResult(success=True, handled=False)
        await server.push("334 " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode())
        assert await server._reader.readline() == b"\r\n"
        await server.push("535 5.7.8 Username and Password not accepted")
        return AuthResult(success=False, handled=True)

    async def _long_answer(self, server: Any) -> str:
        await server.push("334 ")
        line = b""
        while not line.endswith(b"\r\n") and (more := await server._reader.read(4096)):
            line += more
        return line.decode().strip()


@contextmanager
def running_token_smtp(issuer: Issuer) -> Iterator[TokenSmtp]:
    server = TokenSmtp(free_port(), pem=issuer.pem)
    controller = QuietController(
        server,
        hostname="127.0.0.1",
        port=server.port,
        auth_required=True,
        auth_require_tls=False,
        auth_exclude_mechanism=["LOGIN", "PLAIN"],
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
