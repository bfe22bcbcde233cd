"""One file cut out of a mail in a confined process that is started for it: for formats that may kill their reader."""

from __future__ import annotations

import os
import subprocess
import sys

from connectors import sandbox
from connectors.mail.excerpts import find_part

_SECONDS = sandbox.FULL.clock + 30.0  # to start as well, on a busy machine
_MAIN = "from connectors.mail.apart import main; main()"


def cut_out(content: bytes, part: str) -> bytes | None:
    """The bytes of a file, None when it is not there or its reader was lost."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", _MAIN, part]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_SECONDS, env=environ, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def main() -> None:
    """The child: a mail comes in, a file goes out."""
    sandbox.confine()
    with sandbox.timed(sandbox.FULL):
        found = find_part(sys.stdin.buffer.read(), sys.argv[1])
    if found is None:
        raise SystemExit(3)
    sys.stdout.buffer.write(found[2])
    sys.stdout.buffer.flush()
