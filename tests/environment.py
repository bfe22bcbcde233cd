"""Loaded before Django's settings (pytest -p): tests get a home of their own and never touch a real one."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="balas-test-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("BALAS_")]:
    if _name not in {"BALAS_CI", "BALAS_TEST_DATABASE_URL", "BALAS_TEST_SERVERS", "BALAS_SOAK", "BALAS_CORPORA"}:
        del os.environ[_name]
os.environ["BALAS_HOME"] = _home
os.environ["BALAS_LOG_LEVEL"] = "WARNING"
if _url := os.environ.get("BALAS_TEST_DATABASE_URL"):
    os.environ["BALAS_DATABASE_URL"] = _url
