"""Strangers' pictures drawn anew: nothing but points of colour comes out, and none takes more than it may."""

from __future__ import annotations

import io
import os
import signal
import struct
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image, PngImagePlugin

from connectors.pictures import Painter


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    one = Painter()
    yield one
    one.close()


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 120)[: len(mode)] if mode != "P" else 3).save(written, kind, **options)
    return written.getvalue()


def size_of(drawn: bytes | None) -> tuple[int, int]:
    assert drawn is not None and drawn[:4] == b"RIFF" and drawn[8:12] == b"WEBP"
    return Image.open(io.BytesIO(drawn)).size


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "RGB"), ("GIF", "P"), ("WEBP", "RGBA")]
)
def test_a_picture_comes_out_as_webp_no_larger_than_wanted(painter: Painter, kind: str, mode: str) -> None:
    assert size_of(painter.draw(picture(kind, mode=mode), 320)) == (320, 240)
    assert size_of(painter.draw(picture(kind, (30, 20), mode=mode), 320)) == (30, 20)


def test_nothing_that_was_written_into_a_picture_comes_out(painter: Painter) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>")
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    for content in (
        picture(pnginfo=told) + b"<script>alert(1)</script>",
        picture("JPEG", exif=exif, comment=b"<script>"),
        picture("GIF", mode="P", comment=b"<script>") + b"<script>",
    ):
        assert b"script" in content
        drawn = painter.draw(content, 320)
        assert drawn is not None and b"script" not in drawn and b"EXIF" not in drawn


def _bomb(width: int, height: int) -> bytes:
    """A small file that says it is enormous."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 2_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"%PDF-1.4",
        b"BM" + b"\0" * 60,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x89PNG\r\n\x1a\n" + b"x" * 100,
        b"GIF89a" + b"\xff" * 1000,
        picture()[:60],
        picture("JPEG")[:100],
        _bomb(100_000, 100_000),
        _bomb(2_000_000_000, 2),
        picture() + b"x" * 11_000_000,
    ],
    ids=lambda content: f"{content[:6]!r}+{len(content)}",
)
def test_f83_what_is_no_picture_or_too_large_a_one_is_not_drawn(painter: Painter, content: bytes) -> None:
    assert painter.draw(content, 320) is None
    assert size_of(painter.draw(picture(), 100)) == (100, 75)


def test_a_camera_held_upright_gives_an_upright_picture(painter: Painter) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert size_of(painter.draw(picture("JPEG", exif=exif), 320)) == (240, 320)


def test_f83_a_picture_that_ends_the_child_costs_that_picture_alone() -> None:
    painter = Painter()
    try:
        assert size_of(painter.draw(picture(), 64))
        process = painter._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)  # a decoder that never comes back is ended from outside in the same way
        os.kill(process.pid, signal.SIGKILL)
        assert painter.draw(picture(), 65) is None
        assert size_of(painter.draw(picture(), 66))
    finally:
        painter.close()


def test_the_child_holds_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BALAS_SECRET_KEY", "x" * 40)
    painter = Painter()
    try:
        painter.draw(picture(), 64)
        process = painter._process
        assert process is not None
        with open(f"/proc/{process.pid}/environ", "rb") as environ:  # noqa: PTH123
            assert b"BALAS_" not in environ.read()
    finally:
        painter.close()
