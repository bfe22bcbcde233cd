"""The bytes of raw items: in the row up to 256 KiB, larger ones in a file that is named by its hash.

A file is durable (its content, its name, its folder) before any row speaks of it. A file without a row is harmless:
the next item with these bytes uses it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from connectors.messages import RawItem
from inbox.ids import new_id
from inbox.killpoints import reach

ROW_LIMIT = 256 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """What the row needs to know: `content` is None when the bytes lie in a file."""

    sha256: str
    size: int
    content: bytes | None


def place_of(sha256: str) -> Path:
    home: Path = settings.BALAS_HOME
    return home / "raw" / sha256[:2] / sha256


def keep(items: Iterable[RawItem]) -> list[Kept]:
    """Takes over the bytes of items, in order. Raises OSError (such as disk full) with nothing promised yet."""
    kept = [_keep_one(item) for item in items]
    folders = {place_of(one.sha256).parent for one in kept if one.content is None}
    for folder in sorted(folders):
        sync_folder(folder)
    if folders:
        sync_folder(settings.BALAS_HOME / "raw")
        reach("shelf.files-durable")
    return kept


def _keep_one(item: RawItem) -> Kept:
    if item.path is not None:
        sha256, size = _hash_file(item.path)
        if size <= ROW_LIMIT:
            return Kept(sha256, size, item.path.read_bytes())
        _put_file(item.path, place_of(sha256))
        return Kept(sha256, size, None)
    content = item.content or b""
    sha256 = hashlib.sha256(content).hexdigest()
    if len(content) > ROW_LIMIT:
        _write_file(content, place_of(sha256))
        return Kept(sha256, len(content), None)
    return Kept(sha256, len(content), content)


def _hash_file(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _write_file(content: bytes, place: Path) -> None:
    folder: Path = settings.BALAS_HOME / "spool"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f"raw-{new_id()}"
    try:
        draft.write_bytes(content)
        _put_file(draft, place)
    finally:
        draft.unlink(missing_ok=True)


def _put_file(draft: Path, place: Path) -> None:
    """Moves a file to its place by hash. The name appears only once the content is on the disk."""
    reach("shelf.before-file")
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.exists():
        return
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    reach("shelf.file-written")
    draft.replace(place)
    reach("shelf.file-in-place")


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, where the system knows how."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear_spool(before: datetime) -> int:
    """Removes what processes that were killed left half-way, untouched since `before`; how many files that was."""
    folder: Path = settings.BALAS_HOME / "spool"
    count = 0
    for file in folder.glob("*") if folder.exists() else ():
        try:
            if file.stat().st_mtime < before.timestamp():
                file.unlink()
                count += 1
        except FileNotFoundError:
            continue  # somebody else was faster
    return count


def read(sha256: str, content: bytes | memoryview[int] | None) -> bytes:
    """The bytes of a stored item. Raises FileNotFoundError when its file is gone."""
    return place_of(sha256).read_bytes() if content is None else bytes(content)
