"""A disk that is full: nothing moves on, nothing is lost, and it goes on by itself when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.badday.day import Day
from tests.badday.test_servers import letter, texts
from tests.kills.world import Lane, bare_home
from tests.servers.recording_smtp import RecordingSmtp
from tests.servers.scripted_imap import running_scripted_imap

FULL = "The disk is full. Nothing is lost: it stays on the server, and reading goes on when there is room."
SIZE = 12 * 1024 * 1024


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own; skipped where nobody may mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted only by root on Linux")
    place.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={SIZE}", "balas-test", str(place)):
        pytest.skip("this machine allows no mounts (a container without CAP_SYS_ADMIN)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small(lane: Lane, tmp_path: Path) -> Iterator[Day]:
    with small_disk(tmp_path / "disk") as disk, bare_home(lane) as home:
        shutil.copytree(home, disk / "home")
        yield Day(lane, disk / "home", desk=tmp_path)


def fill(day: Day, leave: int) -> Path:
    """Something else takes the room."""
    ballast = day.home.parent / "ballast"
    free = shutil.disk_usage(day.home).free
    ballast.write_bytes(bytes(max(0, free - leave)))
    return ballast


def long_letter(number: int, size: int) -> bytes:
    return letter(number) + b"".join(b"%070d\r\n" % line for line in range(size // 72))


@pytest.mark.parametrize("leave", [0, 300_000, 1_500_000])
@pytest.mark.parametrize("size", [20_000, 400_000, 9_000_000])
def test_f17_a_full_disk_moves_no_cursor_and_goes_on_when_there_is_room(
    small: Day, smtp: RecordingSmtp, size: int, leave: int
) -> None:
    with running_scripted_imap() as imap:
        imap.folders["INBOX"].mails = {1: letter(1)}
        assert small.connect(imap.port, smtp.port)["code"] == 0
        small.poll()
        count = max(1, 4_000_000 // size)
        imap.folders["INBOX"].mails |= {uid: long_letter(uid, size) for uid in range(2, count + 2)}
        ballast = fill(small, leave)

        failed = small.balas("poll", "support", "--until-idle", "--json")
        ballast.unlink()
        assert mount("-o", f"remount,size={20 * SIZE}", str(small.home.parent))
        [well] = small.act("poll_again")

    assert failed["code"] == 1
    assert FULL in failed["out"] + failed["err"]
    assert "Traceback" not in failed["err"]
    assert (well["state"], well["sentence"]) == ("ok", "")
    assert small.texts() == texts(count + 1)
    assert small.status()["complete"] is True


def test_what_a_killed_process_left_in_the_spool_is_cleared_after_a_day(day: Day) -> None:
    spool = day.home / "spool"
    spool.mkdir()
    (spool / "mail-old.eml").write_bytes(b"half a mail")
    (spool / "new.eml").write_bytes(b"being written")

    assert day.act("tidy") == ["new.eml"]
