"""Answers as the usual mail programs write them, in plain text and in HTML, in the languages of folding.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples" / "folding.toml"
NAME, ADDRESS = "Toko Biru", "halo@toko.example"
AUTHOR = "Sari Dewi <sari@x.example>"
SIGNATURE = ["Sari Dewi", "PT Lampu Terang", "sari@x.example", "+62 812 555 1234"]
Words = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """`shown` and `folded`: lines that must, and must not, be seen without unfolding."""

    name: str
    plain: str
    html: str
    shown: tuple[str, ...]
    folded: tuple[str, ...]


def read_words(which: str) -> dict[str, Words]:
    return dict(tomllib.loads(SAMPLES.read_text("utf-8"))[which])


def _put(pattern: str) -> str:
    """W, N and A stand alone in a pattern: who, the name, the address."""
    values = {"W": f"{NAME} <{ADDRESS}>", "N": NAME, "A": ADDRESS}
    found, last = "", ""
    for index, letter in enumerate(pattern):
        after = pattern[index + 1 : index + 2]
        is_alone = not (last.isascii() and last.isalpha()) and not (after.isascii() and after.isalpha())
        found += values[letter] if letter in values and is_alone else letter
        last = letter
    return found


def mail(answer: Answer, kind: str) -> bytes:
    """The whole mail with one of its texts; kind: plain | html | both."""
    message = EmailMessage()
    message["From"], message["To"] = AUTHOR, "halo@toko.example"
    message["Subject"], message["Message-ID"] = "Re: Lampu", "<answer@x.example>"
    if kind != "html":
        message.set_content(answer.plain)
    if kind == "html":
        message.set_content(answer.html, subtype="html")
    elif kind == "both":
        message.add_alternative(answer.html, subtype="html")
    return message.as_bytes()


# --- Pieces ---------------------------------------------------------------------------------------------------------


def _marked(lines: list[str]) -> str:
    return "\n".join(f"> {line}" for line in lines)


def _divs(lines: list[str]) -> str:
    return "".join(f"<div>{escape(line)}</div>" for line in lines)


def _paragraphs(lines: list[str]) -> str:
    return "".join(f'<p class="MsoNormal">{escape(line)}<o:p></o:p></p>' for line in lines)


def _header(words: Words) -> list[tuple[str, str]]:
    sender, sent, to, subject = words["head"]
    return [(sender, f"{NAME} <{ADDRESS}>"), (sent, words["date"]), (to, AUTHOR), (subject, "Re: Lampu")]


def _header_text(words: Words) -> str:
    return "\n".join(f"{name}: {value}" for name, value in _header(words))


def _header_html(words: Words) -> str:
    return "<br>".join(f"<b>{name}:</b> {escape(value)}" for name, value in _header(words))


# --- Programs: (words) → plain, html, further lines that must be folded ---------------------------------------------

Program = Callable[[Words], tuple[str, str, list[str]]]


def gmail(words: Words) -> tuple[str, str, list[str]]:
    line, new, old = _put(words["gmail"]), words["new"], words["old"]
    plain = "\n".join([*new, "", line, "", _marked(old), ""])
    html = (
        f'<div dir="ltr">{_divs(new)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr"'
        f' class="gmail_attr">{escape(line)}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;'
        f'border-left:1px solid rgb(204,204,204);padding-left:1ex"><div dir="ltr">{_divs(old)}</div></blockquote></div>'
    )
    return plain, html, [line]


def gmail_signed(words: Words) -> tuple[str, str, list[str]]:
    line, new, old = _put(words["gmail"]), words["new"], words["old"]
    if len(line) > 60:  # Gmail breaks the plain one
        at = line.rfind(" ", 0, 60)
        broken = f"{line[:at]}\n{line[at + 1 :]}"
    else:
        broken = line
    plain = "\n".join([*new, "", "-- ", *SIGNATURE, "", "", broken, "", _marked(old), ""])
    html = (
        f'<div dir="ltr">{_divs(new)}<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr"'
        f' class="gmail_signature" data-smartmail="gmail_signature">{_divs(SIGNATURE)}</div></div><br><div'
        f' class="gmail_quote"><div dir="ltr" class="gmail_attr">{escape(line)}<br></div><blockquote'
        f' class="gmail_quote" style="border-left:1px solid #ccc">{_divs(old)}</blockquote></div>'
    )
    return plain, html, [*SIGNATURE]


def iphone(words: Words) -> tuple[str, str, list[str]]:
    line, new, old = _put(words["apple"]), words["new"], words["old"]
    plain = "\n".join([*new, "", words["phone"], "", f"> {line}", "> ", _marked(old), ""])
    html = (
        f'<html><body dir="auto">{"<br>".join(map(escape, new))}<br><br><div dir="ltr">{escape(words["phone"])}</div>'
        f'<div dir="ltr"><br><blockquote type="cite">{escape(line)}<br><br></blockquote></div><blockquote type="cite">'
        f'<div dir="ltr">\ufeff{_divs(old)}</div></blockquote></body></html>'
    )
    return plain, html, [words["phone"]]


def apple_mail(words: Words) -> tuple[str, str, list[str]]:
    line, new, old = _put(words["apple"]), words["new"], words["old"]
    plain = "\n".join([*new, "", line, "", _marked(old), ""])
    html = (
        f'<html><body>{_divs(new)}<div><br><blockquote type="cite"><div>{escape(line)}</div><br'
        f' class="Apple-interchange-newline"><div>{_divs(old)}</div></blockquote></div></body></html>'
    )
    return plain, html, [line]


def thunderbird_below(words: Words) -> tuple[str, str, list[str]]:
    line, new, old = _put(words["thunderbird"]), words["new"], words["old"]
    plain = "\n".join([line, _marked(old), "", *new, "-- ", *SIGNATURE, ""])
    html = (
        f'<div class="moz-cite-prefix">{escape(line)}<br></div><blockquote type="cite" cite="mid:1@toko.example">'
        f'{_divs(old)}</blockquote>{_divs(new)}<div class="moz-signature">-- <br>{"<br>".join(SIGNATURE)}</div>'
    )
    return plain, html, [line, *SIGNATURE]


def yahoo(words: Words) -> tuple[str, str, list[str]]:
    line, new, old = _put(words["gmail"]), words["new"], words["old"]
    plain = "\n".join([*(f" {one}" for one in new), "", f"    {line}  ", " ", *(f" {one}" for one in old), "  "])
    html = (
        f'<div class="ydp1cf54f38yahoo-style-wrap" style="font-size:16px">{_divs(new)}</div><div'
        f' id="yahoo_quoted_789980" class="yahoo_quoted"><div style="color:#26282a"><div>{escape(line)}</div><div><br>'
        f'</div><div><div id="yiv4652719625">{_divs(old)}</div></div></div></div>'
    )
    return plain, html, [line]


def outlook(words: Words) -> tuple[str, str, list[str]]:
    new, old = words["new"], words["old"]
    plain = "\n".join([*new, "", _header_text(words), "", *old, ""])
    html = (
        f"<body lang=EN-US><div class=WordSection1>{_paragraphs(new)}<p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div"
        f" style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>"
        f"{_header_html(words)}<o:p></o:p></p></div></div><p class=MsoNormal><o:p>&nbsp;</o:p></p>{_paragraphs(old)}"
        f"</div></body>"
    )
    return plain, html, [f"{words['head'][3]}: Re: Lampu"]


def outlook_2003(words: Words) -> tuple[str, str, list[str]]:
    new, old = words["new"], words["old"]
    plain = "\n".join([*new, "", f"-----{words['original']}-----", _header_text(words), "", *old, ""])
    html = (
        f'{_divs(new)}<blockquote style="MARGIN-RIGHT: 0px"><div class=OutlookMessageHeader dir=ltr align=left><font'
        f" face=Tahoma size=2>-----{escape(words['original'])}-----<br>{_header_html(words)}<br><br></font></div>"
        f"{_divs(old)}</blockquote>"
    )
    return plain, html, []


def outlook_web(words: Words) -> tuple[str, str, list[str]]:
    new, old = words["new"], words["old"]
    plain = "\n".join([*new, "", *SIGNATURE, "_" * 32, _header_text(words), "", *old, ""])
    html = (
        f'<body dir="ltr">{_divs(new)}<div><br></div><div id="Signature"><div id="divtagdefaultwrapper">'
        f'{_divs(SIGNATURE)}</div></div><div id="appendonsend"></div><hr style="display:inline-block;width:98%"'
        f' tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font style="font-size:11pt">{_header_html(words)}</font>'
        f"<div>&nbsp;</div></div><div>{_divs(old)}</div></body>"
    )
    return plain, html, [*SIGNATURE]


def outlook_mobile(words: Words) -> tuple[str, str, list[str]]:
    new, old, line = words["new"], words["old"], words["outlook"]
    rule = "_" * 32
    plain = "\n".join([*new, "", f"{line}<https://aka.ms/AAb9ysg>", rule, _header_text(words), "", *old, ""])
    html = (
        f'<body><div dir="auto">{_divs(new)}</div><div id="ms-outlook-mobile-signature" dir="auto"><div><br></div>'
        f'<a href="https://aka.ms/AAb9ysg">{escape(line)}</a></div><hr style="display:inline-block;width:98%"'
        f' tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">{_header_html(words)}<br></div>'
        f"<div>{_divs(old)}</div></body>"
    )
    return plain, html, [line]


def samsung(words: Words) -> tuple[str, str, list[str]]:
    new, old = words["new"], words["old"]
    rule = f"-------- {words['original']} --------"
    plain = "\n".join([*new, "", rule, _header_text(words), "", *old, ""])
    html = (
        f'<body dir="auto">{_divs(new)}<div><br></div><div id="composer_signature"></div><div><br></div><div'
        f' style="font-size:100%;color:#000000"><!-- originalMessage --><div>{escape(rule)}</div>'
        f"{''.join(f'<div>{name}: {escape(value)} </div>' for name, value in _header(words))}<div><br></div></div>"
        f"{_divs(old)}</body>"
    )
    return plain, html, [rule]


def yandex(words: Words) -> tuple[str, str, list[str]]:
    new, old = words["new"], words["old"]
    line = f'05.06.2024, 10:11, "{NAME}" <{ADDRESS}>:'
    plain = "\n".join([*new, "", line, _marked(old), ""])
    quote = "<br>".join(map(escape, old))
    html = f"{_divs(new)}<div> </div><div>{escape(line)}</div><blockquote><p>{quote}</p></blockquote>"
    return plain, html, [line]


def proton(words: Words) -> tuple[str, str, list[str]]:
    new, old = words["new"], words["old"]
    line, sent = (
        f"On Wednesday, June 5th, 2024 at 10:11 AM, {NAME} <{ADDRESS}> wrote:",
        "Sent with Proton Mail secure email.",
    )
    plain = "\n".join([*new, "", sent, "", line, "", _marked(old), ""])
    html = (
        f'<div style="font-family: Arial">{_divs(new)}</div><div class="protonmail_signature_block"><div'
        f' class="protonmail_signature_block-proton">{sent}</div></div><div class="protonmail_quote">{escape(line)}<br>'
        f'<br><blockquote class="protonmail_quote" type="cite">{_divs(old)}</blockquote><br></div>'
    )
    return plain, html, [line, sent]


def gmx(words: Words) -> tuple[str, str, list[str]]:
    """Header first by date, in a part that has only a name."""
    new, old = words["new"], words["old"]
    sender, sent, to, subject = _header(words)
    header = [sent, sender, to, subject]
    plain = "\n".join([*new, "", *(f"{name}: {value}" for name, value in header), "", *old, ""])
    html = (
        f'<div style="font-family: Verdana">{_divs(new)}<div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px;'
        f'padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;">'
        f"{'<br/>'.join(f'<b>{name}:</b> {escape(value)}' for name, value in header)}</div>"
        f'<div name="quoted-content">{_divs(old)}</div></div></div></div>'
    )
    return plain, html, []


def roundcube_legal(words: Words) -> tuple[str, str, list[str]]:
    """A footer of lawyers under the answer, above the history."""
    new, old, legal = words["new"], words["old"], words["legal"]
    line = _put(words["thunderbird"])
    plain = "\n".join([*new, "", legal, "", line, _marked(old), ""])
    html = (
        f"<div>{_divs(new)}<p><br></p><p style='font-size:8pt;color:#888'>{escape(legal)}</p><p id=\"reply-intro\">"
        f'{escape(line)}</p><blockquote type="cite" style="padding: 0 0.4em; border-left: #1010ff 2px solid">'
        f"<div>{_divs(old)}</div></blockquote></div>"
    )
    return plain, html, [line, legal]


def interleaved(words: Words) -> tuple[str, str, list[str]]:
    """Each answer below what it answers: everything stays in view."""
    line = _put(words["gmail"])
    pairs = list(zip(words["old"], words["new"], strict=True))
    plain = "\n".join([line, "", *(f"> {question}\n\n{answer}\n" for question, answer in pairs)])
    quote = '<blockquote class="gmail_quote" style="border-left:1px solid #ccc">'
    html = f'<div class="gmail_quote"><div class="gmail_attr">{escape(line)}<br></div>' + "".join(
        f"{quote}<div>{escape(question)}</div></blockquote><div>{escape(answer)}</div>" for question, answer in pairs
    )
    return plain, html + "</div>", []


PROGRAMS: tuple[Program, ...] = (
    gmail, gmail_signed, iphone, apple_mail, thunderbird_below, yahoo, outlook, outlook_2003, outlook_web,
    outlook_mobile, samsung, yandex, proton, gmx, roundcube_legal, interleaved,
)  # fmt: skip


def answers(which: str) -> Iterator[Answer]:
    """Every program in every language of a set: "tune" or "held"."""
    for language, words in read_words(which).items():
        for program in PROGRAMS:
            plain, html, folded = program(words)
            new, old = tuple(words["new"]), tuple(words["old"])
            is_mixed = program is interleaved
            yield Answer(
                f"{language} {program.__name__}",
                plain,
                html,
                (*new, *old) if is_mixed else new,
                () if is_mixed else (*old, *folded),
            )
