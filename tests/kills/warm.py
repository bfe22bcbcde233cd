"""A warmed process that forks: everything is imported once, each act runs in a child with a home of its own.

    python -m tests.kills.warm        {"home", "act", "kill", …} a line in, {"signal", "code", "seconds", "found"} out

It never opens a database itself, starts no thread and knows no home, so a child is as good as a fresh process.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

LONGEST = 60.0


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "web.settings"
    import django

    django.setup()
    from connectors import nursery
    from tests.badday import acts
    from tests.kills import scenario
    from tests.sends import cells

    assert acts and cells  # imported for the children
    scenario.warm_up()
    nursery.open_early()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


def _run(task: dict[str, Any]) -> dict[str, Any]:
    found = Path(task["desk"]) / "found.json"
    found.unlink(missing_ok=True)
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _be_child(task, found)
    status, peak = _wait(pid, started + LONGEST)
    return {
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1,
        "peak": peak,
        "seconds": round(time.monotonic() - started, 3),
        "found": json.loads(found.read_text()) if found.exists() else None,
    }


def _wait(pid: int, until: float) -> tuple[int, int]:
    """How it ended, and the most memory it had, in KiB."""
    while time.monotonic() < until:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage.ru_maxrss
        time.sleep(0.002)
    os.kill(pid, signal.SIGALRM)  # told apart from a kill point
    _, status, usage = os.wait4(pid, 0)
    return status, usage.ru_maxrss


def _be_child(task: dict[str, Any], found: Path) -> None:
    code = 1
    try:
        log = os.open(Path(task["desk"]) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.dup2(log, 2)
        _move_to(Path(task["home"]))
        from connectors.killpoints import arm

        module, _, name = task["act"].partition(":")
        arm(task.get("kill", ""))
        result = getattr(import_module(module), name)(**task.get("with", {}))
        draft = found.with_suffix(".new")
        draft.write_text(json.dumps(result))
        draft.replace(found)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _move_to(home: Path) -> None:
    """Before anything was opened: settings are read when they are needed, so the child lives in `home` from here on."""
    from django.conf import settings
    from django.db import connections

    assert connections["default"].connection is None
    settings.BALAS = replace(settings.BALAS, home=home)
    settings.BALAS_HOME = home
    # The same dict as connections["default"].settings_dict.
    settings.DATABASES["default"]["NAME"] = home / "balas.sqlite3"
    assert connections["default"].settings_dict["NAME"] == home / "balas.sqlite3"


if __name__ == "__main__":
    main()
