"""A process that has loaded what readers need and makes readers of itself: a fork takes milliseconds, a start 0.4 s.

    child = hatch((pipe, shared), prepare)      a confined-to-be process with these file descriptors
    code = child.wait(seconds)                  its exit code, None while it lives
    child.kill()

One nursery belongs to the process that first needs it, and to those forked from that one; it ends when they all have.
It holds no credentials, reads nothing that strangers wrote, and knows its children by the connection over which each
was asked for: when whoever asked is gone, so is the child.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

_MAIN = "from connectors.nursery import keep; keep(*map(int, __import__('sys').argv[1:]))"
_LOADED = ("connectors.mail", "connectors.offload")
_MAX_NAME = 400
_KILL = b"k"
_CREDENTIALS = struct.Struct("3i")  # unix(7): process, user, group
IDLE_SECONDS = 300.0  # without a child; whoever needs one later opens another nursery
_END_SECONDS = 5.0
_ANSWER_SECONDS = 60.0  # for the nursery's own imports, on a busy machine


class Nursling:
    """A child of the nursery, over the connection that stands for it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._code: int | None = None

    def wait(self, seconds: float) -> int | None:
        """The exit code as of `os.waitstatus_to_exitcode`, None when it still lives after so long."""
        if self._code is None:
            self._connection.settimeout(max(seconds, 0.001))
            try:
                told = self._connection.recv(16)
            except TimeoutError:
                return None
            except OSError:
                told = b""
            self._code = int(told) if told else 1  # without a word: the nursery itself is gone
            self._connection.close()
        return self._code

    def kill(self) -> int:
        with contextlib.suppress(OSError):
            self._connection.sendall(_KILL)
        code = self.wait(_ANSWER_SECONDS)
        return 1 if code is None else code


@dataclass(frozen=True, slots=True)
class _Nursery:
    address: str | bytes
    life: int  # the nursery lives as long as somebody holds this open
    process: subprocess.Popen[bytes]


_lock = threading.Lock()
_nursery: _Nursery | None = None
_is_ours = False  # not that of the process from which this one was forked


def hatch(handles: Sequence[int], prepare: str) -> Nursling:
    """`handles` are (pipe, shared) of `connectors.offload.serve`. What cannot be made is as one that died at once."""
    global _nursery
    with _lock:
        for _ in range(2):
            if _nursery is None:
                _nursery = _open()
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(_nursery.address)
                socket.send_fds(connection, [prepare.encode()[:_MAX_NAME] or b"-"], list(handles))
                return Nursling(connection)
            except OSError:  # it died: another
                connection.close()
                _close()
        nobody, other = socket.socketpair()
        other.close()
        return Nursling(nobody)  # one that has died at once


def open_early() -> None:
    """For a process that will be forked: all its children share one nursery, which is warm by then."""
    global _nursery
    with _lock:
        if _nursery is None:
            _nursery = _open()


def _open() -> _Nursery:
    global _is_ours
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Linux gives a name that is no file, so nothing is left behind whoever is killed.
    listener.bind("" if sys.platform == "linux" else str(Path(tempfile.mkdtemp(prefix="balas-")) / "readers"))
    address = listener.getsockname()
    listener.listen(16)
    theirs, life = os.pipe()
    handles = (listener.fileno(), theirs)
    # Neither the keyring nor the address of the database is a parser's business.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", _MAIN, *map(str, handles)], pass_fds=handles, env=environ, stdin=subprocess.DEVNULL
    )
    listener.close()
    os.close(theirs)
    _is_ours = True
    return _Nursery(address, life, process)


def _close() -> None:
    global _nursery
    if _nursery is None:
        return
    with contextlib.suppress(OSError):
        os.close(_nursery.life)
    if _is_ours:
        with contextlib.suppress(subprocess.TimeoutExpired):
            _nursery.process.wait(_END_SECONDS)
    _nursery = None


def close() -> None:
    """Ends the nursery; its children end with their pipes. The next `hatch` opens another."""
    with _lock:
        _close()


def _was_forked() -> None:
    global _lock, _is_ours
    _lock, _is_ours = threading.Lock(), False


if os.name == "posix":
    os.register_at_fork(after_in_child=_was_forked)


# --- In the nursery -------------------------------------------------------------------------------------------------


def keep(listener: int, life: int) -> None:
    """The nursery: makes children until nobody holds the other end of `life` any more, or needs any."""
    for name in _LOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the children stays shared
    door = socket.socket(fileno=listener)
    try:
        _Keeper(door, life).run()
    finally:
        if isinstance(name := door.getsockname(), str) and name:
            Path(name).unlink(missing_ok=True)
            Path(name).parent.rmdir()


def _is_of_ours(connection: socket.socket) -> bool:
    """A name that is no file has no permissions: whoever asks is looked at."""
    if sys.platform != "linux":
        return True
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(told)[1]) == os.getuid()


class _Keeper:
    def __init__(self, listener: socket.socket, life: int) -> None:
        self._listener, self._life = listener, life
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, socket.socket] = {}
        self._news, self._bell = socket.socketpair()
        self._news.setblocking(False)
        self._bell.setblocking(False)

    def run(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal means the owner, who closes `life`
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        for one in (self._listener, self._life, self._news):
            self._selector.register(one, selectors.EVENT_READ)
        while True:
            ready = self._selector.select(IDLE_SECONDS)
            if not ready and not self._children:
                return
            for key, _ in ready:
                if key.fileobj == self._life:
                    return
                if key.fileobj is self._listener:
                    self._take()
                elif key.fileobj is self._news:
                    self._reap()
                elif isinstance(key.fileobj, socket.socket):
                    self._end(key.fileobj)

    def _take(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        if not _is_of_ours(connection):
            connection.close()
            return
        try:
            asked, handles, _, _ = socket.recv_fds(connection, _MAX_NAME, 2)
        except OSError:
            asked, handles = b"", []
        if len(handles) != 2:
            connection.close()
            return
        prepare = "" if asked == b"-" else asked.decode()
        if prepare:
            import_module(prepare.partition(":")[0])
            gc.freeze()
        if (pid := os.fork()) == 0:
            self._become(handles, prepare)
        for handle in handles:
            os.close(handle)
        self._children[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ)

    def _become(self, handles: list[int], prepare: str) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for one in (self._listener, self._news, self._bell, *self._children.values()):
                one.close()
            os.close(self._life)
            import_module("connectors.offload").serve(handles[0], handles[1], prepare)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._news.recv(4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            connection = self._children.pop(pid)
            with contextlib.suppress(KeyError):  # it was ended on request
                self._selector.unregister(connection)
            with contextlib.suppress(OSError):
                connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()

    def _end(self, connection: socket.socket) -> None:
        """Whoever asked for this child wants it gone, or is gone."""
        pid = next((pid for pid, one in self._children.items() if one is connection), 0)
        with contextlib.suppress(OSError):
            connection.recv(16)
        self._selector.unregister(connection)
        if pid:
            os.kill(pid, signal.SIGKILL)
