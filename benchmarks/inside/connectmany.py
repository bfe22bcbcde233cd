"""Connects very many mailboxes that are not read yet: COUNT PORT CA; with COUNT 0 all of them are read from now on."""

import sys
from datetime import UTC, datetime

from benchmarks.inside import setup
from inbox import accounts
from inbox.models import Account
from workers.bells import ring

count = int(sys.argv[1])
wire = {"scheme": "imaps", "host": "127.0.0.1", "port": int(sys.argv[2]), "user": "anybody"}
settings = {"imap": wire, "smtp": {**wire, "scheme": "smtps"}, "folders": ["INBOX"], "ca_file": sys.argv[3]}
now = datetime.now(UTC)
for number in range(count):
    address = f"idle{number}@help.example"
    accounts.connect(
        kind="email",
        name=f"idle{number}",
        address=address,
        settings_=settings,
        secrets={"password": "secret"},
        cut_at=now,
        now=now,
    )
if count:
    Account.objects.update(state="paused", next_poll_at=None)
else:
    Account.objects.update(state="ok", next_poll_at=now)
    ring("accounts")
setup.answer({})
