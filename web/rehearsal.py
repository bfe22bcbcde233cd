"""Where the demo's simulated networks have their control page: told by `balas run --demo`, read by the pages."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from django.conf import settings

CONTROL_FILE = "provider/control.json"


def write_control(address: str) -> None:
    (settings.BALAS_HOME / CONTROL_FILE).write_text(json.dumps({"control": address}))


def find_control() -> str | None:
    """The control page's address; only ever one on this machine."""
    try:
        address = str(json.loads((settings.BALAS_HOME / CONTROL_FILE).read_text())["control"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return address if urlsplit(address).hostname == "127.0.0.1" else None
