"""Pictures that strangers sent, drawn anew: what comes out was written by us and holds nothing but points of colour.

    painter = Painter()
    drawn = painter.draw(content, 320)      # WebP of at most 320 points a side, None for what is no picture
    painter.close()

The decoders run in a child process that is confined (connectors/sandbox.py), like the readers of mail. It is started
with the first picture and ended when nobody has wanted one for a while.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from multiprocessing.connection import Connection, Pipe

from connectors import sandbox
from connectors.sandbox import Limits

CONTENT_TYPE = "image/webp"
MAX_BYTES = 10 * 1024 * 1024
MAX_POINTS = 25_000_000
MAX_JPEG_POINTS = 200_000_000  # a camera's: JPEG is read at a fraction of its size
IDLE_SECONDS = 30.0

_LIMITS = Limits(5.0, 10.0)
_START_SECONDS = 60.0  # for its imports, on a busy machine
_GRACE_SECONDS = 2.0
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_MAIN = "from connectors.pictures import serve; serve(int(__import__('sys').argv[1]))"


class Painter:
    """One child process; safe to use from many threads, which take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._leaving: threading.Timer | None = None

    def draw(self, content: bytes, side: int) -> bytes | None:
        """`side`: points of the longer one, at most. None: no picture, too large a one, or one that ended the child."""
        if not 0 < len(content) <= MAX_BYTES or os.name != "posix":
            return None
        with self._lock:
            if self._leaving is not None:
                self._leaving.cancel()
            try:
                drawn = self._ask(content, side)
            except (OSError, EOFError):
                drawn = None
                self._end()
            self._leaving = threading.Timer(IDLE_SECONDS, self.close)
            self._leaving.daemon = True
            self._leaving.start()
            return drawn

    def close(self) -> None:
        with self._lock:
            if self._leaving is not None:
                self._leaving.cancel()
            self._end()

    def _ask(self, content: bytes, side: int) -> bytes | None:
        if self._pipe is None:
            self._start()
        pipe = self._pipe
        assert pipe is not None
        pipe.send_bytes(side.to_bytes(4, "big") + content)
        if not pipe.poll(_LIMITS.clock + _GRACE_SECONDS):
            raise EOFError
        return pipe.recv_bytes() or None

    def _start(self) -> None:
        ours, theirs = Pipe()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        command = [sys.executable, "-c", _MAIN, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        theirs.close()
        self._pipe = ours
        if not ours.poll(_START_SECONDS):
            raise EOFError
        ours.recv_bytes()

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._pipe = self._process = None


# --- In the child ---------------------------------------------------------------------------------------------------


def serve(handle: int) -> None:
    """Answers pictures until its pipe ends; whatever goes wrong with one is an empty answer."""
    os.nice(5)
    import PIL.GifImagePlugin
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import PIL.WebPImagePlugin  # noqa: F401

    sandbox.confine()
    with Connection(handle) as pipe:
        pipe.send_bytes(b"ready")
        while True:
            try:
                asked = pipe.recv_bytes(MAX_BYTES + 4)
            except (EOFError, OSError):
                return
            with sandbox.timed(_LIMITS):
                try:
                    drawn = _draw(asked[4:], int.from_bytes(asked[:4], "big"))
                except Exception:
                    drawn = b""
            del asked
            pipe.send_bytes(drawn)


def _draw(content: bytes, side: int) -> bytes:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is read
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        width, height = opened.size
        if width * height > (MAX_JPEG_POINTS if opened.format == "JPEG" else MAX_POINTS):
            return b""
        opened.draft("RGB", (side, side))
        if opened.size[0] * opened.size[1] > MAX_POINTS:
            return b""
        opened.load()
        turned = ImageOps.exif_transpose(opened)
    has_alpha = "A" in turned.getbands() or "transparency" in turned.info
    plain = turned.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((side, side))
    written = io.BytesIO()
    Image.frombytes(plain.mode, plain.size, plain.tobytes()).save(written, "WEBP", quality=82, method=2)
    return written.getvalue()
