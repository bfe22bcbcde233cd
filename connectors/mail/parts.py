"""The tree of parts of a message, cut out of its bytes without copying them.

An own splitter rather than the standard library's parser: it works on offsets (a part is cut out again at no cost),
never recurses, and takes a tenth of the time. `tests/connectors/test_mail_oracle.py` holds it to the same structure
and the same bytes as `email` with `policy.compat32` wherever the input is well formed.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.mail.decode import decode_transfer
from connectors.mail.fields import Block, Fields, parse_parameters, read_block

MAX_PARTS = 200
MAX_DEPTH = 20

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINES = ("", "7bit", "8bit")


class Part:
    """A node: its header fields, and where its body lies in `data`. `path` counts from 1 as IMAP does."""

    __slots__ = ("children", "content_type", "data", "disposition", "end", "fields", "parameters", "path", "start")

    def __init__(self, data: bytes, block: Block, end: int, path: str, default_type: str) -> None:
        self.data = data
        self.fields: Fields = block.fields
        self.start = min(block.body, end)
        self.end = end
        self.path = path
        self.children: list[Part] = []
        values = self.fields.get(b"content-type")
        self.content_type, self.parameters = parse_parameters(values[0]) if values else (default_type, {})
        main, slash, subtype = self.content_type.partition("/")
        if not (main and slash and subtype):
            self.content_type = "text/plain" if main in ("", "text", "plain") else "application/octet-stream"
        disposition = self.fields.get(b"content-disposition")
        self.disposition = disposition[0].partition(b";")[0].strip().lower() if disposition else b""

    @property
    def encoding(self) -> str:
        values = self.fields.get(b"content-transfer-encoding")
        return values[0].partition(b";")[0].strip(b" \t\r\n\"'").lower().decode("ascii", "replace") if values else ""

    def decode(self) -> tuple[bytes, bool]:
        """The body's bytes without transfer encoding, and whether that was well formed."""
        return decode_transfer(self.data[self.start : self.end], self.encoding)

    @property
    def is_text(self) -> bool:
        return self.content_type.startswith("text/")

    @property
    def is_sent_by_line(self) -> bool:
        """Whether its bytes stand in the mail as they are, at the mercy of whoever changes line ends."""
        return self.encoding in _LINES

    def decode_file(self) -> tuple[bytes, bool]:
        """As `decode`, for a file to keep. What is sent as it is, line by line, gets LF as its line end: servers and
        mail stores change line ends on the way, and the same file must be the same bytes whichever road it came."""
        data, is_clean = self.decode()
        is_lines = self.is_sent_by_line or (self.is_text and self.encoding == "quoted-printable")
        return (data.replace(b"\r\n", b"\n") if is_lines else data), is_clean

    def disposition_parameters(self) -> dict[str, str]:
        values = self.fields.get(b"content-disposition")
        return parse_parameters(values[0])[1] if values else {}


class Tree:
    """A parsed message. `broken`: its MIME structure is damaged. `cut`: a cap was reached, so something is left out."""

    __slots__ = ("broken", "count", "cut", "data", "root")

    def __init__(self, data: bytes, root: Part) -> None:
        self.data = data
        self.root = root
        self.broken = False
        self.cut = False
        self.count = 1

    def leaves(self) -> Iterator[Part]:
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            if part.children:
                waiting.extend(reversed(part.children))
            else:
                yield part


def parse_tree(content: bytes) -> Tree:
    """Split a whole message. Never raises; at most MAX_PARTS parts and MAX_DEPTH levels."""
    if _ends_lines_with_cr(content):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = len(content) - len(content.lstrip(b"\r\n")) if content[:1] in (b"\r", b"\n") else 0
    if content.startswith(_BYTE_ORDER_MARK, start):
        start += len(_BYTE_ORDER_MARK)
    block = read_block(content, start, len(content))
    root = Part(content, block, len(content), "", "text/plain")
    tree = Tree(content, root)
    tree.broken, tree.cut = block.broken, block.cut
    if root.content_type.startswith("multipart/"):
        _split_all(tree)
    else:
        root.path = "1"
    return tree


def _ends_lines_with_cr(content: bytes) -> bool:
    """As the first Macintosh did; a few other line ends in between are damage."""
    first = content.find(b"\r", 0, 8192)
    if first < 0 or content[first + 1 : first + 2] == b"\n":
        return False
    head = content[: 64 * 1024]
    return head.count(b"\r") - head.count(b"\r\n") > head.count(b"\n")


def _split_all(tree: Tree) -> None:
    waiting = [(tree.root, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth >= MAX_DEPTH:
            tree.cut = True
            continue
        ranges = _find_ranges(tree, part)
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        for number, (start, end) in enumerate(ranges, start=1):
            if tree.count >= MAX_PARTS:
                tree.cut = True
                break
            tree.count += 1
            block = read_block(tree.data, start, end)
            path = f"{part.path}.{number}" if part.path else str(number)
            child = Part(tree.data, block, end, path, default)
            tree.broken |= block.broken
            tree.cut |= block.cut
            part.children.append(child)
            if child.content_type.startswith("multipart/"):
                waiting.append((child, depth + 1))
        if not ranges:
            # Nothing to cut at: what is there is shown as text rather than lost.
            tree.broken = True
            part.content_type = "text/plain"
            part.path = part.path or "1"


def _find_ranges(tree: Tree, part: Part) -> list[tuple[int, int]]:
    boundary = part.parameters.get("boundary", "").rstrip()
    ranges: list[tuple[int, int]] = []
    if boundary and len(boundary) <= 1000:
        ranges, closed = _cut(tree.data, part.start, part.end, b"--" + boundary.encode("utf_8", "replace"))
        tree.broken |= not closed
    if not ranges:
        guessed = _guess_delimiter(tree.data, part.start, part.end)
        if guessed:
            ranges, _ = _cut(tree.data, part.start, part.end, guessed)
        tree.broken = True
    return ranges


def _guess_delimiter(data: bytes, start: int, end: int) -> bytes:
    """The delimiter that the sender really used: a first line `--something` that comes back or has fields after it."""
    line, _, rest = data[start : min(end, start + 4096)].lstrip().partition(b"\n")
    line = line.rstrip()
    if not (4 < len(line) < 200 and line.startswith(b"--")):
        return b""
    return line if rest[:8].lower() == b"content-" or data.count(line, start, end) > 1 else b""


def _cut(data: bytes, start: int, end: int, delimiter: bytes) -> tuple[list[tuple[int, int]], bool]:
    """Ranges between delimiter lines (RFC 2046 §5.1.1), and whether the closing one was there."""
    ranges: list[tuple[int, int]] = []
    size = len(delimiter)
    opened = -1
    position = start if data[start : min(start + size, end)] == delimiter else _next(data, delimiter, start, end)
    while position >= 0:
        tail_end = data.find(b"\n", position + size, end)
        tail_end = end if tail_end < 0 else tail_end
        tail = data[position + size : min(tail_end, position + size + 200)].strip()
        if tail in (b"", b"--"):
            if opened >= 0 and opened < position:
                ranges.append((opened, _before_line_end(data, opened, position)))
            if tail:
                return ranges, True
            opened = min(tail_end + 1, end)
            if len(ranges) > MAX_PARTS:
                return ranges, True
        position = _next(data, delimiter, tail_end, end)
    if opened >= 0 and opened < end:
        ranges.append((opened, end))
    return ranges, False


def _next(data: bytes, delimiter: bytes, start: int, end: int) -> int:
    found = data.find(b"\n" + delimiter, start, end)
    return found + 1 if found >= 0 else -1


def _before_line_end(data: bytes, opened: int, position: int) -> int:
    """The line end before a delimiter belongs to the delimiter."""
    if position > opened and data[position - 1] == 10:
        position -= 1
        if position > opened and data[position - 1] == 13:
            position -= 1
    return position
