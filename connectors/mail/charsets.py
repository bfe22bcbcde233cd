"""Which codec a charset label means, and the text of bytes whose label lies.

A label from outside is looked up in a closed table and never handed to `codecs.lookup`, which imports modules by name
and remembers every miss. Everything here is linear in its input and raises nothing.
"""

from __future__ import annotations

import re
from encodings.aliases import aliases
from functools import lru_cache

_MORE_CODECS = {"koi8_u", "koi8_t", "cp874", "cp720", "cp737", "cp856", "kz1048", "utf_8_sig", "mac_cyrillic"}
_NOT_TEXT = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec", "mbcs"}
_EBCDIC = {"cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"}
_CODECS = {codec: codec for codec in (set(aliases.values()) | _MORE_CODECS) - _NOT_TEXT - _EBCDIC}
_CODECS |= {alias: codec for alias, codec in aliases.items() if codec in _CODECS}
# What senders write, and what they mean by it: the superset that their software really used.
_MEANT = {
    "": "utf_8", "ascii": "utf_8", "us_ascii": "utf_8", "646": "utf_8", "utf8": "utf_8", "utf8mb4": "utf_8",
    "utf_8_sig": "utf_8", "unicode_1_1_utf_8": "utf_8", "cesu_8": "utf_8",
    "latin_1": "cp1252", "iso8859_1": "cp1252", "iso8859_9": "cp1254", "iso8859_11": "cp874", "tis_620": "cp874",
    "ansi": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "x_gbk": "gb18030", "big5": "cp950", "x_x_big5": "cp950",
    "euc_kr": "cp949", "ks_c_5601_1987": "cp949", "uhc": "cp949", "shift_jis": "cp932", "x_sjis": "cp932",
    "windows_31j": "cp932", "cswindows31j": "cp932", "iso2022_jp": "iso2022_jp_ext", "iso2022_jp_ms": "iso2022_jp_ext",
    "iso_2022_jp_ms": "iso2022_jp_ext", "x_euc_jp": "euc_jp", "x_eucjp": "euc_jp", "eucjp_ms": "euc_jp",
    "eucjp_win": "euc_jp", "iso_2022_cn": "iso2022_cn", "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8",
    "unicode_1_1_utf_7": "utf_7", "koi8": "koi8_r", "koi8r": "koi8_r", "koi8u": "koi8_u", "koi8_ru": "koi8_u",
    "x_mac_roman": "mac_roman", "x_mac_cyrillic": "mac_cyrillic", "x_mac_greek": "mac_greek", "ucs_2": "utf_16",
}  # fmt: skip
_NUMBERED = re.compile(r"(?:x_)?(?:windows|win|cp|ms|microsoft|ibm|dos|codepage)_?(?:cp_?)?(\d{3,5})")
_ISO = re.compile(r"(?:x_)?(?:iso)?_?8859_?(\d{1,2})(?:_.{0,30})?")
_PAGES = {
    "65001": "utf_8", "65000": "utf_7", "20127": "utf_8", "1200": "utf_16_le", "1201": "utf_16_be", "936": "gb18030",
    "950": "cp950", "51932": "euc_jp", "20932": "euc_jp", "50220": "iso2022_jp_ext", "50221": "iso2022_jp_ext",
    "50222": "iso2022_jp_ext", "50225": "iso2022_kr", "51949": "cp949", "51936": "gb18030", "52936": "hz",
    "54936": "gb18030", "20866": "koi8_r", "21866": "koi8_u", "10000": "mac_roman", "10007": "mac_cyrillic",
    "31j": "cp932",
} | {f"{28590 + number}": f"iso8859_{number}" for number in (2, 3, 4, 5, 6, 7, 8, 13, 15)} | {
    "28591": "cp1252", "28599": "cp1254"
}  # fmt: skip

# Codecs in which seven-bit bytes are not ASCII.
SHIFTED = {codec for codec in _CODECS.values() if codec.startswith(("iso2022", "hz", "utf_7", "utf_16", "utf_32"))}
SHIFTED |= {"iso2022_cn"}
_WIDE = {"utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"}
_ASIAN = {"gb18030", "cp949", "cp932", "big5", "big5hkscs", "cp950", "euc_jp", "johab", "euc_jis_2004", "euc_jisx0213"}
MULTIBYTE = SHIFTED | _ASIAN
_LATIN = {"cp1252", "cp1250", "cp1254", "cp1257", "cp1258", "iso8859_2", "iso8859_15", "iso8859_16", "mac_roman"}
# In which unmarked bytes of a header may well be, when the text is: not a Latin alphabet, and not shifted.
LOCAL = _ASIAN | {
    name for name in _CODECS.values() if name.startswith(("koi8", "cp125", "cp866", "cp874", "iso8859_", "mac_"))
} - {"cp1252"}
# Where the named codec fails, its neighbours that go under the same name.
_NEIGHBOURS = {"cp950": "big5hkscs", "big5hkscs": "cp950", "cp932": "shift_jis_2004", "cp949": "johab"}

_NO_WORD = re.compile(r"[^a-z0-9]+")
_RUNS = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_JIS = re.compile(rb"\x1b(\([BJIH]|\$[@B]|\$\([DOQP@B]|\(J)")
_EUC = re.compile(rb"[\x00-\x7f]+|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|[\xa1-\xfe]{2}|.", re.S)
_CN = re.compile(rb"\x1b\$[)*+][A-Z]|[\x0e\x0f]|[^\x0e\x0f\x1b]+|\x1b")


@lru_cache(maxsize=512)
def find_codec(label: str) -> str | None:
    """The codec meant by a charset label, None when nobody knows it. `iso2022_cn` is one of ours, not Python's."""
    name = _NO_WORD.sub("_", label.split("*")[0].lower()).strip("_")
    known = _MEANT.get(name) or _CODECS.get(name) or _CODECS.get(name.replace("_", ""))
    if known is None and (page := _NUMBERED.fullmatch(name)):
        known = _PAGES.get(page.group(1)) or _CODECS.get(f"cp{page.group(1)}")
    if known is None and (part := _ISO.fullmatch(name)):
        known = _CODECS.get(f"iso8859_{part.group(1)}")
    return _MEANT.get(known, known) if known else None


def find_plainer(raw: bytes, codec: str | None) -> str | None:
    """The codec that the bytes themselves speak of, whatever their label says; None to believe the label."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return "utf_8_sig"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) and codec not in _WIDE and b"\0" in raw:
        return "utf_16"
    if codec in ("utf_16", "utf_16_le", "utf_16_be"):
        return _find_wide(raw, codec)
    if codec is None or codec == "utf_8" or codec in SHIFTED or raw.isascii():
        return None
    return "utf_8" if _is_rather_utf_8(raw, codec) else None


def _find_wide(raw: bytes, codec: str) -> str | None:
    if codec == "utf_16" and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    head = raw[:2000]
    if b"\0" not in head and len(set(head[::2])) > 4 < len(set(head[1::2])) and is_utf_8(raw):
        return "utf_8"  # sixteen bits in name only
    if codec != "utf_16":
        return None
    # No mark says which byte comes first: the one that changes less is the higher one.
    return "utf_16_be" if len(set(head[::2])) <= len(set(head[1::2])) else "utf_16_le"


def is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf_8")
    except UnicodeDecodeError:
        return False
    return True


def _is_rather_utf_8(raw: bytes, codec: str) -> bool:
    """Bytes of another charset are hardly ever UTF-8 by chance; a single pair of them may be."""
    runs = sum(1 for _, _run in zip(range(4), _RUNS.finditer(raw), strict=False))
    needed = 3 if codec in _ASIAN else 1 if codec in _LATIN else 2
    return runs >= needed and is_utf_8(raw)


def decode_as(raw: bytes, codec: str) -> str:
    """Strictly. Raises UnicodeError or ValueError where the bytes do not fit."""
    if codec == "iso2022_cn":
        return _decode_cn(raw)
    try:
        return raw.decode(codec)
    except UnicodeError:
        if codec.startswith("iso2022_jp"):
            return _decode_jis(raw)
        if codec == "euc_jp":
            return _decode_euc(raw)
        if codec == "utf_8" and b"\xed" in raw:  # the two halves of a character encoded one by one (CESU-8)
            return raw.decode("utf_8", "surrogatepass").encode("utf_16", "surrogatepass").decode("utf_16")
        if codec in _NEIGHBOURS:
            return raw.decode(_NEIGHBOURS[codec])
        raise


def _pairs(raw: bytes) -> str:
    """Pairs of the Japanese standard, seven bits each, with the rows that NEC and IBM added (which CP932 has)."""
    out = bytearray()
    for first, second in zip(raw[::2], raw[1::2], strict=False):
        row, cell = first & 0x7F, second & 0x7F
        if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
            raise UnicodeError("no pair of JIS X 0208")
        out.append((row + 1) // 2 + (0x70 if row < 0x5F else 0xB0))
        out.append(cell + (0x1F if cell < 0x60 else 0x20) if row & 1 else cell + 0x7E)
    return out.decode("cp932")


def _decode_jis(raw: bytes) -> str:
    out, mode, position = [], b"(B", 0
    for found in [*_JIS.finditer(raw), None]:
        piece = raw[position : found.start() if found else len(raw)]
        if mode[:1] == b"(":
            piece = bytes(byte | 0x80 for byte in piece) if mode == b"(I" else piece
            out.append(piece.decode("cp932"))
        elif mode == b"$(D":
            pairs = zip(piece[::2], piece[1::2], strict=False)
            out.append(b"".join(bytes((0x8F, first | 0x80, second | 0x80)) for first, second in pairs).decode("euc_jp"))
        else:
            lines = piece.split(b"\n")  # some programs forget to go back at the end of a line
            out.append("\n".join(_pairs(line.rstrip(b"\r")) for line in lines))
        if found is not None:
            mode, position = found.group(1), found.end()
    return "".join(out)


def _decode_euc(raw: bytes) -> str:
    out = []
    for found in _EUC.finditer(raw):
        piece = found.group()
        out.append(_pairs(piece) if len(piece) == 2 and piece[0] >= 0xA1 else piece.decode("euc_jp"))
    return "".join(out)


def _decode_cn(raw: bytes) -> str:
    """ISO-2022-CN (RFC 1922), as far as GB 2312 goes."""
    out, is_shifted = [], False
    for found in _CN.finditer(raw):
        piece = found.group()
        if piece in (b"\x0e", b"\x0f"):
            is_shifted = piece == b"\x0e"
        elif piece[:1] == b"\x1b":
            continue
        elif is_shifted:
            out.append(bytes(byte | 0x80 if byte > 0x20 else byte for byte in piece).decode("gb2312"))
        else:
            out.append(piece.decode("ascii"))
    return "".join(out)
