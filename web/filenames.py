"""Names of files that strangers chose, made harmless to show, to save and to hand to a shell."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_BYTES: Final = 200

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|⁄∕⧸／＼：]")
_DOTS = str.maketrans(dict.fromkeys("․．。｡﹒", "."))
_SPACES = re.compile(r"\s+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])(?:\.|\Z)", re.I)
# What a double click would run, on one system or another.
_PROGRAMS = (
    "exe scr com bat cmd pif cpl msi msp msix appx jar js jse vbs vbe wsf wsh ws hta ps1 psm1 reg lnk url scf inf sh"
    " bash command app dmg pkg desktop run deb rpm apk iso img vhd vhdx chm hlp gadget application xll wll docm xlsm"
    " pptm dotm xlam one html htm xhtml mht svg swf php phtml pht htaccess py rb pl"
)
PROGRAMS: Final = frozenset(_PROGRAMS.split())
_DOCUMENTS = (
    "pdf doc docx xls xlsx ppt pptx odt ods txt rtf csv png jpg jpeg gif bmp webp tif tiff mp3 mp4 wav avi zip rar 7z"
)
_DISGUISE = re.compile(rf"\.({'|'.join(_DOCUMENTS.split())})(?=[. _-]+[^.]*\.?)", re.I)


def is_program(name: str) -> bool:
    """Whether opening such a file may run something."""
    return safe_name(name).rpartition(".")[2].lower() in PROGRAMS


def safe_name(name: str) -> str:
    """A file name without controls, direction marks and separators, at most 200 bytes (RFC 6266 adds the quoting).

    One that pretends to be a document before its real end (“bill.pdf.exe”) loses the dot of the pretence; names that
    a system keeps for itself, hidden files and leading dashes get another beginning.
    """
    plain = unicodedata.normalize("NFC", name[:4000]).translate(_DOTS)
    plain = "".join(one for one in plain if unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cs", "Cn"))
    plain = _SPACES.sub(" ", _UNSAFE.sub("_", plain)).strip(" .") or "attachment"
    stem, dot, end = plain.rpartition(".")
    if dot and end.lower().strip() in PROGRAMS:
        stem = _DISGUISE.sub(r"_\1", stem + ".").removesuffix(".").rstrip(" .") or "attachment"
        plain = f"{stem}.{end.strip()}"
    if _RESERVED.match(plain) or plain[0] in "-~":
        plain = "_" + plain
    return _shortened(plain)


def _shortened(plain: str) -> str:
    stem, dot, suffix = plain.rpartition(".")
    while len(plain.encode()) > MAX_BYTES:
        stem = stem[:-1] if dot else ""
        plain = f"{stem}.{suffix[:20]}" if dot and stem else plain[: len(plain) - 1]
    return plain
