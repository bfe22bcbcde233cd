"""For servers started as scripts: say where they are, and stay until somebody stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import FrameType


def stay_until_killed(url: str, process: subprocess.Popen[bytes]) -> None:
    """Prints `url=… pid=…`; returns when the server ended, or unwinds when this process is asked to end."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"url={url} pid={os.getpid()}", flush=True)
    process.wait()
