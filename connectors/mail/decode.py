"""Bytes to text: charsets, transfer encodings, encoded words, and what may never be in a line of text.

Nothing here raises on bad input and every function is linear in its input.
"""

from __future__ import annotations

import binascii
import re
import unicodedata

from connectors.mail.charsets import MULTIBYTE, SHIFTED, decode_as, find_codec, find_plainer

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?[^=?][^?]*){0,4}\??)\?=")
_WORDS_GAP = re.compile(r"(\?=)[ \t]+(?==\?)")
_UNFOLD = re.compile(rb"[\r\n]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONTROL_BYTES = bytes(code for code in range(32) if code not in (9, 10)) + b"\x7f"
_LINE_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Zero-width, bidirectional controls, tags, interlinear marks: they make one text look like another.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))


def decode_text(raw: bytes, label: str) -> tuple[str, bool]:
    """Text of bytes in a declared charset, and whether it can be trusted.

    What the bytes plainly are, the declared charset, UTF-8, then the declared one with replacements where it is a
    multi-byte one, else cp1252.
    """
    codec = find_codec(label[:60])
    if raw.isascii():
        if codec == "utf_8" and b"\x1b$" in raw:
            codec = "iso2022_jp_ext"
        if codec not in SHIFTED:
            return raw.decode("ascii"), codec is not None
    for candidate in (find_plainer(raw, codec), codec, "utf_8"):
        if candidate is None:
            continue
        try:
            text = decode_as(raw, candidate)
        except (UnicodeError, ValueError):
            continue
        text = text.removeprefix("\ufeff")
        # Strict UTF-8 gives no surrogates.
        return (text if candidate == "utf_8" else _without_surrogates(text)), codec is not None
    return _decode_damaged(raw, codec), False


def _decode_damaged(raw: bytes, codec: str | None) -> str:
    if codec in MULTIBYTE and codec is not None and codec != "iso2022_cn":
        return _without_surrogates(raw.decode(codec, "replace"))
    if codec == "utf_8":
        text = raw.decode("utf_8", "replace")
        strange = sum(1 for character in text[:20000] if character > "\x7f")
        if text[:20000].count("\ufffd") * 2 <= strange:
            return text
    return raw.decode("cp1252", "replace")


def _without_surrogates(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text) if not text.isascii() and _SURROGATE.search(text) else text


def decode_header(raw: bytes) -> str:
    """A header value, unfolded, as text; encoded words still closed. Raw 8-bit is UTF-8, else cp1252."""
    raw = raw.strip(b" \t\r\n")
    if b"\n" in raw or b"\r" in raw:
        raw = _UNFOLD.sub(b"", raw)
    try:
        return raw.decode("utf_8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def decode_words(text: str) -> str:
    """RFC 2047, tolerant: neighbouring words of one charset are joined as bytes, so a split character survives."""
    if "=?" not in text:
        return text
    text = _WORDS_GAP.sub(r"\1", text)
    out: list[str] = []
    waiting, waiting_label, position = bytearray(), "", 0

    def flush() -> None:
        if waiting:
            out.append(decode_text(bytes(waiting), waiting_label)[0])
            waiting.clear()

    for found in _WORD.finditer(text):
        label, encoding, payload = found.groups()
        if found.start() != position or label.lower() != waiting_label:
            flush()
            out.append(text[position : found.start()])
        waiting += _word_bytes(encoding, payload)
        waiting_label, position = label.lower(), found.end()
    flush()
    out.append(text[position:])
    return "".join(out)


def _word_bytes(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf_8", "replace")
    if encoding in "bB":
        return decode_base64(raw)[0]
    return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)


def decode_base64(raw: bytes) -> tuple[bytes, bool]:
    """Bytes of base64, and whether it was well formed. What is not in the alphabet is skipped."""
    try:
        return binascii.a2b_base64(raw), True
    except binascii.Error:
        kept = raw.translate(None, _NOT_BASE64)
        kept = kept[: len(kept) - (len(kept) % 4 == 1)]
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4)), False


def decode_transfer(raw: bytes, encoding: str) -> tuple[bytes, bool]:
    """Bytes of a body under its Content-Transfer-Encoding, and whether it was well formed."""
    if encoding == "base64":
        return decode_base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw), True
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _decode_uu(raw)
    return raw, encoding in ("", "7bit", "8bit", "binary", "8-bit", "7-bit")


def _decode_uu(raw: bytes) -> tuple[bytes, bool]:
    out, inside, failures = bytearray(), False, 0
    for line in raw.splitlines():
        if not inside:
            inside = line.startswith(b"begin ")
        elif line.strip() == b"end":
            return bytes(out), failures == 0
        elif line.strip():
            piece = _decode_uu_line(line)
            failures += piece is None
            if failures > 100:
                break
            out += piece or b""
    return (bytes(out), False) if out else (raw, False)


def _decode_uu_line(line: bytes) -> bytes | None:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some encoders write more than the length byte says.
        needed = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:needed])
        except binascii.Error:
            return None


def clean_line(text: str) -> str:
    """One line without control characters; runs of white space that held one become a space."""
    if text.isprintable():
        return text.strip()
    return _without_surrogates(_LINE_UNSAFE.sub(" ", text)).strip()


def clean_text(text: str) -> str:
    """A body: line ends are LF; NUL and the other controls but tab and LF are gone (PostgreSQL refuses NUL)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    raw = text.encode("utf_8", "replace")
    if len(raw.translate(None, _CONTROL_BYTES)) == len(raw) and (b"\xc2" not in raw or not _CONTROL.search(text)):
        return text  # the look at the bytes takes a tenth of the time of the search
    return _CONTROL.sub("", text)


def clean_name(text: str, limit: int = 200) -> str:
    """A file name to show: NFC, no controls, bidi or zero-width characters, no path, at most `limit` bytes."""
    text = _INVISIBLE.sub("", _LINE_UNSAFE.sub("", text[:2000]))
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r'[/\\:*?"<>|]', "_", text).strip(" .")
    if len(text.encode("utf_8", "replace")) <= limit:
        return text
    stem, dot, ending = text.rpartition(".")
    ending = dot + ending if dot and len(ending) <= 12 and ending.isascii() else ""
    room = limit - len(ending)
    return (stem if ending else text).encode("utf_8", "replace")[:room].decode("utf_8", "ignore").rstrip(" .") + ending


def clean_display(text: str) -> str:
    """A person's display name: decoded, one line, nothing invisible, at most 200 characters."""
    text = decode_words(text) if "=?" in text else text
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return clean_line(text)[:200].strip("\"' ")
