"""Who wrote what somebody has forwarded: the block that mail programs put above a forwarded mail, in many languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_TEXT: Final = 40_000
MAX_BLOCK_LINES: Final = 14

_FROM_WORDS: Final = [
    "from", "von", "de", "da", "van", "från", "fra", "od", "dari", "expéditeur", "remitente", "mittente", "kimden",
    "lähettäjä", "feladó", "от", "发件人", "寄件者", "差出人",
]  # fmt: skip
_FROM: Final = "|".join([*_FROM_WORDS, "de la", "보낸 사람"])
_OTHER_WORDS: Final = [
    "date", "sent", "to", "subject", "cc", "reply-to", "datum", "gesendet", "an", "betreff", "envoyé", "à", "objet",
    "fecha", "enviado", "para", "asunto", "assunto", "data", "inviato", "a", "oggetto", "verzonden", "aan",
    "onderwerp", "skickat", "till", "ämne", "til", "emne", "wysłano", "do", "temat", "tanggal", "dikirim", "kepada",
    "perihal", "hal", "trimis", "către", "catre", "subiect", "tarih", "kime", "konu", "дата", "кому", "тема",
    "发送时间",
    "收件人", "主题", "日期", "宛先", "件名", "날짜", "제목",
]  # fmt: skip
_OTHER: Final = "|".join([*_OTHER_WORDS, "antwort an", "enviado el", "enviada em", "répondre à", "받는 사람"])
_DASHED: Final = (
    "forwarded|original|weitergeleitete|ursprüngliche|message transf|mensaje reenviado|mensagem encaminhada"
    "|messaggio inoltrato|doorgestuurd|vidarebefordrat|videresendt|wiadomość przekazana|pesan diteruskan"
    "|pesan yang diteruskan|mesaj redirecționat|iletilen|пересылаемое|转发的邮件"
)
_BEGUN: Final = (
    "begin forwarded message|anfang der weitergeleiteten|début du message réexpédié|début du message transféré"
    "|inicio del mensaje reenviado|início da mensagem|inizio messaggio inoltrato|begin doorgestuurd"
    "|vidarebefordrat brev|mulai pesan diteruskan|начало переадресованного"
)
_MARK: Final = re.compile(rf"^[ >*]{{0,6}}(?:-{{2,}}\s*(?:{_DASHED})|(?:{_BEGUN})|_{{10,}}\s*$)", re.I)
_LINE: Final = re.compile(
    rf"^[ >*\t]{{0,8}}(?P<name>{_FROM}|{_OTHER})\s*\*?\s*[:：]\s*\*?\s*(?P<value>.{{0,998}})$", re.I
)
_IS_FROM: Final = re.compile(rf"(?:{_FROM})$", re.I)
_ADDRESS: Final = r"[^\s<>()\[\]:;,\"']{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\.[a-z0-9-]{2,63}"
_NAMED: Final = re.compile(
    rf"^\"?(?P<name>[^<\[\"]{{0,200}}?)\"?\s*[<\[(](?:mailto:)?(?P<address>{_ADDRESS})[>\])]", re.I
)
_BARE: Final = re.compile(rf"^(?:mailto:)?(?P<address>{_ADDRESS})(?:\s|$)", re.I)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """`address` as written; nobody has checked it."""

    address: str
    name: str


def find_forwarded(text: str) -> Forwarded | None:
    """The writer named in the first forwarded block; None when there is none or it names nobody in one way only.

    A block has a From line and at least two more header lines beside it; without a mark above it, at least three.
    """
    lines = text[:MAX_TEXT].splitlines()
    is_marked = False
    for number, line in enumerate(lines):
        if _MARK.match(line[:200]):
            is_marked = True
            continue
        found = _LINE.match(line[:1100])
        if found is None:
            is_marked = is_marked and not line.strip(" >*\t")
            continue
        block = _block(lines[number : number + MAX_BLOCK_LINES])
        writers = [value for name, value in block if _IS_FROM.match(name)]
        if len(block) >= (3 if is_marked else 4) and len(writers) == 1:
            return _read(writers[0])
        is_marked = False
    return None


def _block(lines: list[str]) -> list[tuple[str, str]]:
    """The header lines up to the first line that is none; one empty line between mark and block is allowed for."""
    found: list[tuple[str, str]] = []
    for line in lines:
        header = _LINE.match(line[:1100])
        if header is None:
            if found and line[:1] in " \t" and line.strip():
                continue  # a folded list of recipients
            break
        found.append((header["name"], header["value"].strip()))
    return found


def _read(value: str) -> Forwarded | None:
    found = _NAMED.match(value)
    if found:
        return Forwarded(found["address"], found["name"].strip(" '\"*"))
    bare = _BARE.match(value)
    return Forwarded(bare["address"], "") if bare else None
