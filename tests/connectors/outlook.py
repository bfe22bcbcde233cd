"""winmail.dat, written as Outlook does (MS-OXTNEF): enough of it for tests."""

from __future__ import annotations

import struct

SIGNATURE = struct.pack("<IH", 0x223E9F78, 1)
APPOINTMENT = bytes.fromhex("0220060000000000c000000000000046")


def attribute(level: int, name: int, kind: int, value: bytes) -> bytes:
    head = struct.pack("<BII", level, kind << 16 | name, len(value))
    return head + value + struct.pack("<H", sum(value) & 0xFFFF)


def padded(value: bytes) -> bytes:
    return value + b"\0" * (-len(value) % 4)


def text(number: int, value: str) -> bytes:
    data = value.encode("utf_16_le") + b"\0\0"
    return struct.pack("<HHII", 0x1F, number, 1, len(data)) + padded(data)


def binary(number: int, value: bytes, kind: int = 0x102) -> bytes:
    return struct.pack("<HHII", kind, number, 1, len(value)) + padded(value)


def number(number: int, value: int) -> bytes:
    return struct.pack("<HHI", 3, number, value)


def moment(named: int, ticks: int) -> bytes:
    return struct.pack("<HH", 0x40, 0x8001) + APPOINTMENT + struct.pack("<II", 0, named) + struct.pack("<Q", ticks)


def named_text(named: int, value: str) -> bytes:
    data = value.encode("utf_16_le") + b"\0\0"
    head = struct.pack("<HH", 0x1F, 0x8002) + APPOINTMENT + struct.pack("<II", 0, named)
    return head + struct.pack("<II", 1, len(data)) + padded(data)


def properties(*values: bytes) -> bytes:
    return struct.pack("<I", len(values)) + b"".join(values)


def letter(*values: bytes, kind: str = "IPM.Note") -> bytes:
    head = attribute(1, 0x9007, 6, struct.pack("<II", 1252, 0)) + attribute(1, 0x8008, 7, kind.encode() + b"\0")
    return head + attribute(1, 0x9003, 6, properties(*values))


def file(name: str, data: bytes, *values: bytes, short: str = "") -> bytes:
    found = attribute(2, 0x9002, 6, b"\1\0" + b"\0" * 12) + attribute(2, 0x800F, 6, data)
    if short:
        found += attribute(2, 0x8010, 1, short.encode("cp1252") + b"\0")
    return found + attribute(2, 0x9005, 6, properties(text(0x3707, name), *values))


def winmail(*pieces: bytes) -> bytes:
    return SIGNATURE + b"".join(pieces)
