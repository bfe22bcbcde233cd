"""Small attachments made in code: pictures as PNG (W3C PNG, third edition) and one-page documents as PDF 1.4."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence

WIDTH, HEIGHT, BLOCK = 360, 270, 3
PALETTES = (
    ((214, 205, 190), (74, 92, 63), (46, 56, 40)),
    ((226, 221, 214), (52, 66, 99), (30, 38, 60)),
    ((205, 214, 216), (150, 70, 52), (90, 40, 30)),
    ((232, 224, 205), (196, 168, 120), (120, 98, 64)),
)
Pixel = tuple[int, int, int]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _colour(x: int, y: int, palette: tuple[Pixel, Pixel, Pixel], split: int) -> Pixel:
    """A bag on a table, seen from the front: body, flap, handle, and a bright tear where it is broken."""
    wall, body, dark = palette
    left, right, top, bottom = 90, WIDTH - 90, 84, HEIGHT - 34
    across, down = (x - WIDTH // 2) / 62, (y - top) / 46
    if abs(across * across + down * down - 1) < 0.16 and y < top:
        return dark
    if left <= x < right and top <= y < bottom:
        if abs(y - split) < 3 and x > WIDTH // 2 - 30:
            return (236, 226, 190)
        if y == top + 57 or (x in (left + 18, right - 18) and y > top + 60):
            return dark
        return body
    shade = 26 if y > HEIGHT - 50 else 0
    return (wall[0] - shade, wall[1] - shade, wall[2] - shade)


def picture(seed: str) -> bytes:
    """A PNG of 360 × 270 pixels, a few kilobytes, another one for each seed."""
    chance = random.Random(seed)
    palette = chance.choice(PALETTES)
    split = chance.randrange(120, HEIGHT - 60)
    rows = []
    for y in range(0, HEIGHT, BLOCK):
        light = chance.randrange(-5, 6)
        row = bytearray(b"\0")
        for x in range(0, WIDTH, BLOCK):
            red, green, blue = _colour(x, y, palette, split)
            row += bytes((red + light, green + light, blue + light)) * BLOCK
        rows += [bytes(row)] * BLOCK
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(rows), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def document(title: str, lines: Sequence[str]) -> bytes:
    """A PDF of one page with a title and lines of text; letters outside Latin-1 become `?`."""

    def shown(text: str) -> bytes:
        plain = text.encode("latin-1", "replace")
        return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")

    text = b"BT /F1 18 Tf 60 770 Td (" + shown(title) + b") Tj /F1 11 Tf 0 -34 Td 16 TL"
    text += b"".join(b" (" + shown(line) + b") Tj T*" for line in lines[:40]) + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    made = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(made)
