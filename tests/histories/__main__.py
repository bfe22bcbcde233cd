"""python -m tests.histories SEED [HISTORIES]: draws the histories of one run again, on a database of its own."""

from __future__ import annotations

import sys
import time

import tests.environment  # noqa: F401  (a home of its own, before Django is set up)


def main() -> int:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from tests.histories.runs import A_RUN, check_messages, run

    number, histories = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else A_RUN
    call_command("migrate", verbosity=0)
    started, cpu = time.monotonic(), time.process_time()
    with transaction.atomic():
        worlds = run(number, histories)
        check_messages(worlds)
        transaction.set_rollback(True)
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    print(f"run {number}: {len(worlds)} histories, {seconds:.1f} s, {cpu * 1000 / len(worlds):.1f} ms CPU each")
    return 0


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
    sys.exit(main())
