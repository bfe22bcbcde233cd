"""Rich text as Outlook packs it (MS-OXRTFCP) → plain text, also where it wraps HTML (MS-OXRTFEX)."""

from __future__ import annotations

import re
import struct

from connectors.mail.decode import decode_text

MAX_PACKED = 4 * 1024 * 1024
MAX_PLAIN = 2 * 1024 * 1024
MAX_GROUPS = 1000

_SEED = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096
_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_TOKEN = re.compile(rb"\\'([0-9a-fA-F]{2})|\\([a-z]{1,32})(-?\d{1,10})? ?|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\")
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object themedata colorschememapping datastore listtable"
    b" listoverridetable rsidtbl generator xmlnstbl filetbl header footer headerf footerf fldinst".split()
)
_SIGNS = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n", b"page": "\n", b"tab": "\t", b"cell": "\t",
    b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_ESCAPED = {b"\\": "\\", b"{": "{", b"}": "}", b"~": "\u00a0", b"_": "-", b"\n": "\n", b"\r": "\n"}


def unpack(data: bytes) -> bytes:
    """The RTF of a PR_RTF_COMPRESSED value, b"" when it is none. At most MAX_PLAIN bytes."""
    if len(data) < 16:
        return b""
    _size, plain_size, magic, _crc = struct.unpack_from("<IIII", data)
    if magic == _PLAIN:
        return data[16 : 16 + min(plain_size, MAX_PLAIN)]
    if magic != _PACKED:
        return b""
    return _unpack(data[: MAX_PACKED + 16], min(plain_size, MAX_PLAIN))


def _unpack(data: bytes, size: int) -> bytes:
    """Runs of eight items after a byte that says of each whether it is a byte or a place in the last 4,096 bytes."""
    out = bytearray(_SEED)
    wanted = len(_SEED) + size
    position = 16
    while position < len(data) and len(out) < wanted:
        flags = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data):
                break
            if not flags >> bit & 1:
                out.append(data[position])
                position += 1
                continue
            if position + 1 >= len(data):
                break
            pair = data[position] << 8 | data[position + 1]
            position += 2
            back = (len(out) - (pair >> 4)) % _WINDOW  # how far behind the end of what is written
            if back == 0:
                return bytes(out[len(_SEED) : wanted])
            for _ in range((pair & 15) + 2):
                out.append(out[-back] if back <= len(out) else 32)
    return bytes(out[len(_SEED) : wanted])


class _Group:
    __slots__ = ("is_hidden", "skip")

    def __init__(self, parent: _Group | None = None) -> None:
        self.is_hidden: bool = parent.is_hidden if parent else False
        self.skip: int = parent.skip if parent else 1  # characters after \u that stand for it elsewhere


class _Reader:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.pending = bytearray()
        self.codepage = "cp1252"
        self.groups = [_Group()]
        self.to_skip = 0
        self.is_starred = False

    def flush(self) -> None:
        if self.pending:
            self.out.append(decode_text(bytes(self.pending), self.codepage)[0])
            self.pending.clear()

    def brace(self, brace: bytes) -> None:
        self.flush()
        if brace == b"{" and len(self.groups) < MAX_GROUPS:
            self.groups.append(_Group(self.groups[-1]))
        elif brace == b"}" and len(self.groups) > 1:
            self.groups.pop()
        self.to_skip = 0

    def word(self, word: bytes, number: bytes) -> None:
        group = self.groups[-1]
        if word == b"htmlrtf":
            group.is_hidden = number != b"0"  # what stands for HTML that is there as well
        elif self.is_starred or word in _SKIPPED:
            group.is_hidden = True
        elif word == b"ansicpg" and number:
            self.codepage = f"cp{number.decode()}"
        elif word == b"uc" and number:
            group.skip = max(0, min(int(number), 10))
        elif not group.is_hidden:
            self.flush()
            if word == b"u" and number:
                self.out.append(chr(int(number) % 65536))
                self.to_skip = group.skip
            else:
                self.out.append(_SIGNS.get(word, ""))

    def text(self, hexadecimal: bytes, sign: bytes, text: bytes) -> None:
        if self.groups[-1].is_hidden:
            return
        if sign:
            self.flush()
            self.out.append(_ESCAPED.get(sign, ""))
            return
        data = text or bytes.fromhex(hexadecimal.decode())
        self.pending += data[self.to_skip :]
        self.to_skip = max(0, self.to_skip - len(data))


def to_text(rtf: bytes) -> str:
    """What a reader would see, without any formatting. Linear; unbalanced braces do no harm."""
    reader = _Reader()
    for found in _TOKEN.finditer(rtf):
        hexadecimal, word, number, sign, brace, text = found.groups()
        if sign == b"*":
            reader.is_starred = True
            continue
        if brace:
            reader.brace(brace)
        elif word:
            reader.word(word, number)
        elif hexadecimal or sign or text:
            reader.text(hexadecimal, sign, text)
        reader.is_starred = False
    reader.flush()
    # Characters beyond the first plane come as two halves.
    joined = "".join(reader.out).encode("utf_16_le", "surrogatepass").decode("utf_16_le", "replace")
    return re.sub(r"\n{3,}", "\n\n", joined).strip()
