"""Several processes deliver the same mail at once: locks are for speed only, constraints make it right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROCESSES, MAILS = (8, 1000) if os.environ.get("BALAS_SOAK") else (4, 240)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1])
def test_f26_the_same_mail_delivered_by_many_processes_is_one_message_each(seed, tmp_path):
    root = Path(__file__).resolve().parents[2]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    environ |= {"BALAS_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "web.settings", "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "tests.inbox.racing", str(PROCESSES), str(MAILS), str(seed)]
    done = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["codes"] == [0] * PROCESSES, done.stderr
    assert facts["messages"] == facts["different"] == MAILS
    assert facts["deliveries"] == facts["raw"] == 2 * MAILS
    assert facts["waiting"] == 0
    assert facts["counters"], "counters differ from the rows"
    assert facts["events"], "a live event is missing or doubled"
    roots = sum(1 for n in range(MAILS) if not (n % 3 == 0 and n >= 40))
    assert facts["conversations"] <= roots + MAILS // 10  # answers to mail without a name have nothing to join
    assert facts["clocks"] == MAILS
