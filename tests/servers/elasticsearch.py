"""A real Elasticsearch node on loopback, without Docker. As a script it prints `url=… pid=…` and stays until killed.

The server is Elastic's own integration-test distribution from Maven Central, fetched once (95 MB) and unpacked once:
the whole server and its REST layer, without the modules for language analysis, scripts and reindexing. It needs a
Java of 21 or newer (ES_JAVA_HOME, or one under /usr/lib/jvm) and is ready after about 15 s.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.requirement import free_port, require
from tests.servers.standing import stay_until_killed

VERSION = os.environ.get("ES_VERSION", "9.2.8")
_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
_ARCHIVE = (
    Path.home() / ".m2/repository/org/elasticsearch/distribution/integ-test-zip/elasticsearch"
    f"/{VERSION}/elasticsearch-{VERSION}.zip"
)
_HOME = Path(tempfile.gettempdir()) / f"balas-elasticsearch-{VERSION}"
_CONFIG = """
cluster.name: balas-{port}
discovery.type: single-node
network.host: 127.0.0.1
http.port: {port}
transport.port: {transport}
path.data: {base}/data
path.logs: {base}/logs
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
"""


@dataclass
class Elasticsearch:
    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_elasticsearch(heap_mb: int = 512) -> Iterator[Elasticsearch]:
    """Start an empty node and stop it afterwards."""
    java = find_java()
    if java is None:
        _missing("Java 21 or newer is missing: apt install openjdk-21-jre-headless, or set ES_JAVA_HOME")
    home = _unpacked()
    base = Path(tempfile.mkdtemp(prefix="be-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        shutil.copytree(home / "config", base / "config")
        port, log, scratch = free_port(), base / "start.log", base / "scratch"
        scratch.mkdir()
        settings = _CONFIG.format(port=port, transport=free_port(), base=base)
        (base / "config/elasticsearch.yml").write_text(settings)
        owner = _owner()
        if owner is not None:
            for path in (base, *base.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "ES_JAVA_HOME": str(java),
            "ES_JAVA_OPTS": f"-Xms{heap_mb}m -Xmx{heap_mb}m",
            "ES_PATH_CONF": str(base / "config"),
            "ES_TMPDIR": str(scratch),
            "HOME": str(base),
        }
        user = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [home / "bin/elasticsearch"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environ,
                cwd=base,
                start_new_session=True,
                **user,
            )
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, process, log)
        yield Elasticsearch(url, port, process, log)
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(base, ignore_errors=True)


def find_java() -> Path | None:
    """The home of a Java that can run the server; None when there is none."""
    given = os.environ.get("ES_JAVA_HOME")
    homes = [Path(given)] if given else sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    return next((home for home in homes if _java_major(home) >= 21), None)


def _java_major(home: Path) -> int:
    try:
        answer = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True, timeout=30)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found[1]) if found else 0


def _unpacked() -> Path:
    """The server's folder, made by the first caller and shared, read-only, by all later ones."""
    if (_HOME / "bin/elasticsearch").exists():
        return _HOME
    if not _ARCHIVE.exists():
        fetch = ["-q", "-B", "dependency:get", "-Dtransitive=false", f"-Dartifact={_ARTIFACT}"]
        done = subprocess.run([require("mvn", "maven"), *fetch], capture_output=True, text=True, timeout=600)
        if not _ARCHIVE.exists():
            _missing(f"Elasticsearch {VERSION} could not be fetched by Maven: {done.stdout[-300:]}")
    draft = Path(tempfile.mkdtemp(prefix="balas-elasticsearch-"))
    draft.chmod(0o755)
    with zipfile.ZipFile(_ARCHIVE) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, draft))
            path.chmod(0o755 if entry.is_dir() or entry.external_attr >> 16 & 0o111 else 0o644)
    try:
        (draft / f"elasticsearch-{VERSION}").rename(_HOME)
    except OSError:
        if not (_HOME / "bin/elasticsearch").exists():
            raise
    shutil.rmtree(draft, ignore_errors=True)
    return _HOME


def _owner() -> pwd.struct_passwd | None:
    """Elasticsearch refuses to run as root: `nobody` then. None: as we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _missing(sentence: str) -> None:
    if os.environ.get("BALAS_CI") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            with urllib.request.urlopen(
                f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=5
            ) as answer:
                if not json.load(answer)["timed_out"]:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"Elasticsearch did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        # The launcher's own session: the server below it goes with it.
        os.killpg(process.pid, 9)
        process.wait(10)


if __name__ == "__main__":
    with running_elasticsearch() as server:
        stay_until_killed(server.url, server.process)
