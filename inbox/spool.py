"""What a connector is built from, without any way to log in: settings, and where large items are put down."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from connectors.registry import AccountSettings
from inbox.models import Account


def spool_folder() -> Path:
    folder: Path = settings.BALAS_HOME / "spool"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def settings_of(account: Account) -> AccountSettings:
    """This may go to another process."""
    return AccountSettings(account.kind, account.address, account.settings, spool_folder())
