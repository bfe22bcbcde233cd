"""What one made-up person writes, before a mail program makes bytes of it, and how earlier mail is quoted below it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from connectors.simulators.demo.content import Person, phrases
from connectors.simulators.demo.wire import Attachment

MAX_QUOTES = 4
OUTLOOK_LINE = "________________________________"


@dataclass(slots=True)
class Letter:
    """`written_at` is in the writer's own zone; `parent` is the mail that this one answers and quotes."""

    author: Person
    to: tuple[str, str]  # name and address
    subject: str
    text: str
    written_at: datetime
    message_id: str = ""
    parent: Letter | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    inline: tuple[Attachment, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()  # further header fields
    is_quoting: bool = True
    footer: str = field(default="")  # what the program adds below, such as the line of a telephone


def fill_moment(pattern: str, letter: Letter, language: str) -> str:
    """A program's own words for when and by whom `letter` was written."""
    words, moment = phrases(language), letter.written_at
    return pattern.format(
        w=words["weekdays"][moment.weekday()],
        sw=words["short_weekdays"][moment.weekday()],
        m=words["months"][moment.month - 1],
        sm=words["short_months"][moment.month - 1],
        day=moment.day,
        dd=f"{moment.day:02d}",
        mm=f"{moment.month:02d}",
        year=moment.year,
        hour=f"{moment.hour:02d}",
        minute=f"{moment.minute:02d}",
        second=f"{moment.second:02d}",
        who=f"{letter.author.name} <{letter.author.address}>",
        name=letter.author.name,
    )


def quote_style(client: str) -> str:
    return {"iphone": "apple", "android": "gmail", "office": "thunderbird", "webmail": "outlook"}.get(client, client)


def header_lines(letter: Letter, language: str) -> list[str]:
    """The block of From, Sent, To and Subject that some programs put above what they quote."""
    words = phrases(language)
    sender, sent, to, subject, _ = words["headers"]
    name, address = letter.to
    return [
        f"{sender}: {letter.author.name} <{letter.author.address}>",
        f"{sent}: {fill_moment(words['outlook_date'], letter, language)}",
        f"{to}: {name + ' ' if name else ''}<{address}>",
        f"{subject}: {letter.subject}",
    ]


# --- Plain ----------------------------------------------------------------------------------------------------------


def plain_text(letter: Letter, width: int = 0, depth: int = 0) -> str:
    """New words, signature, the program's line and the quoted history."""
    # In format=flowed (RFC 3676) a space before the line end says that the line goes on.
    soft = " \n" if letter.author.client == "thunderbird" and not depth else "\n"
    parts = [wrap(letter.text, width, soft)]
    if letter.author.signature:
        mark = "-- \n" if quote_style(letter.author.client) in {"gmail", "thunderbird"} else ""
        parts.append(mark + letter.author.signature.strip("\n"))
    if letter.footer:
        parts.append(letter.footer)
    if letter.parent is not None and letter.is_quoting and depth < MAX_QUOTES:
        parts.append(_quote_plain(letter, letter.parent, depth))
    return "\n\n".join(parts)


def wrap(text: str, width: int, soft: str = "\n") -> str:
    if not width:
        return text
    rows = (textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n"))
    return "\n".join(soft.join(row) for row in rows)


def _quote_plain(letter: Letter, parent: Letter, depth: int) -> str:
    language, style = letter.author.language, quote_style(letter.author.client)
    words = phrases(language)
    below = plain_text(parent, 72, depth + 1)
    if style == "outlook":
        return "\n".join([OUTLOOK_LINE, *header_lines(parent, language), "", below])
    if style == "samsung":
        return "\n".join([words["original"], *header_lines(parent, language), "", below])
    line = fill_moment(words[style], parent, language)
    if style == "yahoo":
        return f"    {line}\n \n" + textwrap.indent(below, " ", lambda _: True)
    quoted = "\n".join((">" if row.startswith(">") or not row else "> ") + row for row in below.split("\n"))
    if style == "gmail" and len(line) > 76:
        line = textwrap.fill(line, 76, break_long_words=False, break_on_hyphens=False)
    return f"{line}\n\n{quoted}" if style == "apple" else f"{line}\n{quoted}"


# --- HTML -----------------------------------------------------------------------------------------------------------


def html_text(letter: Letter, depth: int = 0) -> str:
    """The same as HTML, in the shapes that the programs use, without the document around it."""
    style = quote_style(letter.author.client)
    parts = [_paragraphs(letter.text, letter.author.client)]
    parts += [f'<div><img src="cid:{file.content_id}" alt="{escape(file.name)}"></div>' for file in letter.inline]
    signature = letter.author.signature.strip("\n")
    if signature and style == "gmail":
        shown = escape(signature).replace("\n", "<br>")
        parts.append(
            f'<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" '
            f'class="gmail_signature" data-smartmail="gmail_signature">{shown}</div>'
        )
    elif signature:
        parts.append(_paragraphs(signature, letter.author.client))
    if letter.footer:
        shown = escape(letter.footer)
        parts.append(
            f'<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">{shown}</div>'
            if style == "apple"
            else f'<div><br></div><div style="font-size:85%;color:#575757" dir="auto">{shown}</div>'
        )
    if letter.parent is not None and letter.is_quoting and depth < MAX_QUOTES:
        parts.append(_quote_html(letter, letter.parent, depth))
    return "".join(parts)


def _paragraphs(text: str, client: str) -> str:
    blocks = [escape(block, quote=False) for block in text.split("\n\n")]
    if client == "webmail":
        return "".join("<p>" + block.replace("\n", "<br>\r\n") + "</p>\r\n" for block in blocks)
    if client == "outlook":
        rows = [row for block in blocks for row in [*block.split("\n"), "&nbsp;"]][:-1]
        return "".join(f'<p class="MsoNormal">{row}</p>\r\n' for row in rows)
    rows = [row or "<br>" for block in blocks for row in [*block.split("\n"), ""]][:-1]
    return "".join(f"<div>{row}</div>\r\n" for row in rows)


def _linked(line: str, address: str) -> str:
    link = f'<a href="mailto:{escape(address)}">{escape(address)}</a>'
    return escape(line, quote=False).replace(escape(f"<{address}>"), f"&lt;{link}&gt;")


def _quote_html(letter: Letter, parent: Letter, depth: int) -> str:
    language, style = letter.author.language, quote_style(letter.author.client)
    words = phrases(language)
    below = html_text(parent, depth + 1)
    if style in {"outlook", "samsung"}:
        rows = [row.split(": ", 1) for row in header_lines(parent, language)]
        block = "<br>".join(f"<b>{escape(name)}:</b> {escape(value, quote=False)}" for name, value in rows)
        if style == "samsung":
            return f"<div><br></div><div>{words['original']}</div><div>{block}</div><div><br></div>{below}"
        return (
            '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
            f'<p class="MsoNormal">{block}</p></div></div><p class="MsoNormal">&nbsp;</p>{below}'
        )
    line = _linked(fill_moment(words[style], parent, language), parent.author.address)
    if style == "gmail":
        return (
            '<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
            f'{line}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;'
            f'border-left:1px solid rgb(204,204,204);padding-left:1ex">{below}</blockquote></div>'
        )
    if style == "yahoo":
        return (
            '<div id="ydp77quoted" class="yahoo_quoted"><div style="font-family:Helvetica Neue, Helvetica, '
            f'Arial, sans-serif;font-size:13px;color:#26282a;"><div>{line}</div><div><br></div>{below}</div></div>'
        )
    return f'<div><br><blockquote type="cite"><div>{line}</div><br><div>{below}</div></blockquote></div>'
