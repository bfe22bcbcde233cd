"""Frames of a WebSocket, read as far as a doorbell needs: that something was said, pings, and the end (RFC 6455 §5)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

_CLOSE, _PING = 8, 9
_MOST_CONTROL = 125


@dataclass(slots=True)
class Told:
    is_news: bool = False
    is_closed: bool = False
    pongs: list[bytes] = field(default_factory=list)


class Frames:
    """Takes pieces as they come. What a message says is passed over, however long it is."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skip = 0  # bytes of a message that are still to come

    def read(self, data: bytes) -> Told:
        told = Told()
        while True:
            passed = min(self._skip, len(data))
            data, self._skip = data[passed:], self._skip - passed
            self._buffer += data
            data = b""
            size = self._head_size()
            if self._skip or size is None or told.is_closed:
                return told
            opcode, length = self._buffer[0] & 0x0F, self._length()
            if opcode >= _CLOSE:
                if length > _MOST_CONTROL or (len(self._buffer) < size + length):
                    told.is_closed = length > _MOST_CONTROL
                    return told
                content = self._buffer[size : size + length]
                self._buffer = self._buffer[size + length :]
                told.is_closed = opcode == _CLOSE
                if opcode == _PING:
                    told.pongs.append(frame(10, content))
            else:
                told.is_news = True
                data, self._buffer, self._skip = self._buffer[size:], b"", length

    def _head_size(self) -> int | None:
        """None while the head has not come in full. Servers never mask (§5.1)."""
        if len(self._buffer) < 2:
            return None
        size = {126: 4, 127: 10}.get(self._buffer[1] & 0x7F, 2)
        return size if len(self._buffer) >= size else None

    def _length(self) -> int:
        short = self._buffer[1] & 0x7F
        if short < 126:
            return short
        return int.from_bytes(self._buffer[2 : 4 if short == 126 else 10], "big")


def frame(opcode: int, content: bytes) -> bytes:
    """A last frame as clients send it, masked (§5.3). `content` has at most 125 bytes."""
    mask = secrets.token_bytes(4)
    masked = bytes(one ^ mask[number % 4] for number, one in enumerate(content))
    return bytes([0x80 | opcode, 0x80 | len(content)]) + mask + masked
