"""Recognising a disk that is full, whoever noticed it: the file system, SQLite or PostgreSQL."""

from __future__ import annotations

import errno

from django.db import DatabaseError

_WORDS = ("disk is full", "no space left on device", "could not extend file", "disk quota exceeded")


def is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, DatabaseError) and any(words in str(error).lower() for words in _WORDS)
