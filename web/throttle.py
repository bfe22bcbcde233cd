"""Failed sign-ins are counted per account and per network, in the audit record: they are both a limit and evidence.

An unknown address is counted like a known one, so that a limit tells nothing. Once a limit is reached nothing more
is written, so that a flood costs no rows.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from inbox.models import AuditRecord
from inbox.people import audit

WINDOW = timedelta(minutes=15)
PER_ACCOUNT_AND_NETWORK = 6
PER_ACCOUNT = 40
PER_NETWORK = 60


def _subjects(email: str, network: str) -> dict[str, int]:
    account = hashlib.sha256(email.strip().lower().encode()).hexdigest()[:24]
    return {
        f"sign-in:{account}@{network[:46]}": PER_ACCOUNT_AND_NETWORK,
        f"sign-in:{account}": PER_ACCOUNT,
        f"sign-in-network:{network[:46]}": PER_NETWORK,
    }


def is_over(email: str, network: str, now: datetime) -> bool:
    return any(
        AuditRecord.objects.filter(subject=subject, at__gt=now - WINDOW, act="sign-in.failed")[:limit].count() >= limit
        for subject, limit in _subjects(email, network).items()
    )


def note_failure(email: str, network: str, now: datetime) -> None:
    for subject in _subjects(email, network):
        audit("sign-in.failed", subject, "balas", now)
