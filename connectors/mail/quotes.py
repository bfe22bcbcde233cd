"""What in a text is new, what is quoted history, what is signature or footer: one pass over its lines.

Nothing is thrown away: the passages joined give the text. Rules worth knowing:
- Quotes that are answered between (line by line) belong to the answer and count as new: without them it says nothing.
- Where nothing new is left, as in a bare forward, the quoted text counts as new: it is what the writer sends.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.mail.quotewords import (
    ADDRESS_INSIDE,
    ANY_SEPARATOR,
    BEGIN_FORWARDED,
    DATE_INSIDE,
    DATED_ADDRESS,
    FROM_LINE,
    HEADER_IN_ONE,
    INVISIBLE,
    ON_START,
    PRONOUN_WROTE,
    RULE,
    SAME_LINE,
    SEE_BELOW,
    SEPARATOR,
    SUBJECT_LINE,
    TO_LINE,
    WHEN_LINE,
    WROTE_END,
    WROTE_WORDS,
)
from connectors.mail.tails import mark_tails
from connectors.messages import Address, Passage
from connectors.passages import FOOTER, NEW, QUOTE, SIGNATURE, shown

MAX_LINES = 20_000
MAX_LINE = 400  # characters of a line that are looked at
MAX_EXHIBIT = 40  # lines of an indented header and what follows it
MAX_POINTER = 300  # characters of a note that says to look below

LIKELY, CERTAIN = 1, 2


def split_passages(text: str, marks: Sequence[str] | None = None, author: Address | None = None) -> tuple[Passage, ...]:
    """Cut a text (LF line ends) into passages.

    `marks`: what markup already told of each line (QUOTE, SIGNATURE, or NEW). `author`: whose name may sign.
    """
    if not text:
        return ()
    lines = text.split("\n")
    labels = _labels(lines[:MAX_LINES], marks, author)
    if len(lines) > MAX_LINES:
        labels += [labels[-1]] * (len(lines) - MAX_LINES)
    _keep_interleaved(lines, labels)
    if not _has_new(lines, labels):
        labels = [NEW if label == QUOTE else label for label in labels]
    if not _has_new(lines, labels):
        labels = [NEW] * len(labels)
    return tuple(_join(lines, labels))


def visible(passages: Sequence[Passage]) -> str:
    """What an agent sees unfolded: the new passages, without the white space around them."""
    return shown((passage.kind, passage.text) for passage in passages)


def _has_new(lines: Sequence[str], labels: Sequence[str]) -> bool:
    return any(label == NEW and line.strip("> \t\xa0").strip() for line, label in zip(lines, labels, strict=True))


def _labels(lines: list[str], marks: Sequence[str] | None, author: Address | None) -> list[str]:
    labels = [QUOTE if line[:1] == ">" else NEW for line in lines]
    if marks is not None:
        for index, mark in enumerate(marks[: len(labels)]):
            if mark != NEW:
                labels[index] = mark
    reached = 0
    for index in _suspects(lines):
        if index < reached or labels[index] == QUOTE:
            continue
        end = _history_start(lines, index, _plain(lines[index]))
        if end == -1:
            index -= _is_heading(lines, index)
            labels[index:] = [QUOTE] * (len(lines) - index)
            break
        if end:
            labels[index:end] = [QUOTE] * (end - index)
            reached = end
    _keep_pointed_at(lines, labels)
    mark_tails(lines, labels, author)
    return labels


def _keep_pointed_at(lines: Sequence[str], labels: list[str]) -> None:
    """With "see my answers below" they stand in the history, in another colour at best, so it stays in view."""
    first = next((index for index, label in enumerate(labels) if label == QUOTE), 0)
    above = "\n".join(lines[: min(first, 20)])
    if not first or len(above) > MAX_POINTER or any(line[:1] == ">" for line in lines[first:]):
        return
    if SEE_BELOW.search(above):
        labels[first:] = [NEW if label == QUOTE else label for label in labels[first:]]


def _plain(line: str) -> str:
    line = line[:MAX_LINE]
    return line.strip() if line.isascii() else line.translate(INVISIBLE).strip()


def _suspects(lines: Sequence[str]) -> list[int]:
    """The few lines that could begin the history: rules, header lines, and what stands before a colon or an address."""
    suspects: set[int] = set()
    for index, line in enumerate(lines):
        if line[:1] == ">":
            continue
        # The colon of an address on the web introduces nothing.
        if (":" in line and line.count(":") > line.count("://")) or "：" in line:
            suspects.add(index)
            if line.rstrip()[-1:] in (":", "："):
                start = index
                while start and index - start < 5 and (lines[start - 1].strip() or lines[start].strip() == "<"):
                    start -= 1
                suspects.update(range(start, index))
        elif "--" in line or "__" in line or "==" in line or "@" in line or "——" in line or "──" in line:
            suspects.add(index)
    return sorted(index for index in suspects if lines[index].strip())


def _history_start(lines: list[str], index: int, stripped: str) -> int:
    """0: nothing begins here. -1: history to the end. n: lines index..n introduce a quote that is marked itself."""
    if not stripped:
        return 0
    last = stripped[-1]
    if stripped[0] in "-_=*—―─" and (
        SEPARATOR.match(stripped)
        or ((RULE.match(stripped) or ANY_SEPARATOR.match(stripped)) and _header_block(lines, index + 1, is_ruled=True))
    ):
        return -1
    if last in ":：" and BEGIN_FORWARDED.match(stripped):
        return -1
    if _names_a_field(stripped) and (
        # The first line alone tells in most cases, without a look at the nine after it.
        (_field_of(stripped) and _header_block(lines, index, is_ruled=False)) or HEADER_IN_ONE.match(stripped)
    ):
        return 0 if _is_listed(lines, index) else -1
    end, is_certain = _attribution_end(lines, index, stripped)
    if not end:
        return 0
    following = end
    while following < len(lines) and not lines[following].strip() and following < end + 4:
        following += 1
    if following < len(lines) and lines[following].startswith(">"):
        return following
    return -1 if is_certain else 0


def _is_listed(lines: Sequence[str], index: int) -> bool:
    """An indented header over words that are not is an exhibit: delivery reports go on with what went wrong."""
    if not lines[index][:2].isspace():
        return False
    below = [line for line in lines[index : index + MAX_EXHIBIT] if line.strip()]
    return not all(line[:2].isspace() for line in below)


def _is_heading(lines: list[str], index: int) -> bool:
    """Whether the line above a quoted header is the name of whom it quotes, as some programs put it there."""
    words = _plain(lines[index - 1]).casefold().split() if index else []
    if not 0 < len(words) <= 3:
        return False
    sender = next((line for line in map(_plain, lines[index : index + 3]) if FROM_LINE.match(line)), "").casefold()
    return all(word in sender for word in words) and bool(sender)


def _names_a_field(line: str) -> bool:
    """A short word and a colon, as a quoted header begins."""
    head = line[:32].replace("：", ":")
    at = head.find(":")
    # Programs begin it with a capital, people who show their settings often do not.
    return 0 < at < 30 and "<" not in head[:at] and not head[0].islower()


def _header_block(lines: list[str], index: int, *, is_ruled: bool) -> bool:
    """A quoted header: who wrote, when or to whom, and about what, within a few lines.

    Without a subject it needs an address or a rule above it: "From: Bogor, To: Jakarta, Date: Monday" is an order.
    """
    near = [_plain(line) for line in lines[index : index + 10]]
    near = [line for line in near if line][:8]
    if not near or not _field_of(near[0]):
        return False
    found: set[str] = set()
    strange = 0
    for line in near:
        field = _field_of(line)
        strange = 0 if field else strange + 1
        if strange == 2:  # one line may be the rest of the one above
            break
        found.add(field)
    if "from" not in found or not found & {"when", "to"}:
        return False
    return "subject" in found or is_ruled or any("@" in line for line in near[:5])


def _field_of(line: str) -> str:
    if not _names_a_field(line):
        return ""
    if FROM_LINE.match(line):
        return "from"
    for name, expression in (("subject", SUBJECT_LINE), ("when", WHEN_LINE), ("to", TO_LINE)):
        if expression.match(line):
            return name
    return ""


def _attribution_end(lines: list[str], index: int, stripped: str) -> tuple[int, bool]:
    """The line after an attribution such as "On … wrote:", which programs wrap over up to five lines; 0 for none.

    Also whether it is one beyond doubt; if not, it needs marked lines after it.
    """
    joined = ""
    for offset, line in enumerate(lines[index : index + 6]):
        piece = _plain(line)
        if not piece and offset and (joined.endswith("<") or lines[index + offset + 1 : index + offset + 2] == ["<"]):
            continue
        if not piece or (piece[0] == ">" and len(piece) > 9):
            return 0, False
        joined = f"{joined} {piece}" if joined else piece
        if piece[-1] in ":：" and not piece.lower().endswith("mailto:"):
            certainty = _attribution(joined)
            return (index + offset + 1, certainty == CERTAIN) if certainty else (0, False)
        if offset == 0:
            if _ends_without_colon(piece):
                return index + 1, True
            if piece.startswith("--") and piece.endswith("--") and piece.strip("- ").lower().endswith(WROTE_WORDS):
                return index + 1, True
            if DATED_ADDRESS.match(piece):
                return index + 1, False
            same = SAME_LINE.search(piece)
            if same and _attribution(piece[: same.start() + 1]) == CERTAIN:
                return index + 1, True
            if not ("@" in piece or DATE_INSIDE.search(piece)):
                return 0, False
    return 0, False


def _ends_without_colon(piece: str) -> bool:
    if not piece.lower().endswith(WROTE_WORDS) or not ON_START.match(piece):
        return False
    return DATE_INSIDE.search(piece) is not None and ADDRESS_INSIDE.search(piece) is not None


def _attribution(joined: str) -> int:
    """0: none. LIKELY: it is one if marked lines follow. CERTAIN: it is one."""
    if len(joined) > 600:
        return 0
    joined = joined.replace("< ", "<").replace(" >", ">")
    has_date = DATE_INSIDE.search(joined) is not None
    has_address = ADDRESS_INSIDE.search(joined) is not None
    if has_date and has_address:
        return CERTAIN
    is_told = has_address or (has_date and ON_START.match(joined) is not None)
    lowered = joined.lower() if is_told else ""
    if is_told and any(word in lowered for word in WROTE_WORDS) and WROTE_END.search(joined):
        return LIKELY if PRONOUN_WROTE.search(joined) else CERTAIN
    return LIKELY if has_date or "@" in joined else 0


def _keep_interleaved(lines: Sequence[str], labels: list[str]) -> None:
    """Where new text follows quotes twice or more, it answers them: those quotes are part of what is said."""
    runs: list[tuple[int, int]] = []
    start = -1
    for index, label in enumerate(labels):
        if label == QUOTE:
            start = index if start < 0 else start
        elif label == NEW and lines[index].strip():
            if start >= 0:
                runs.append((start, index))
            start = -1
        elif label in (SIGNATURE, FOOTER):
            start = -1
    if len(runs) >= 2:
        for begin, end in runs:
            labels[begin:end] = [NEW] * (end - begin)


def _join(lines: Sequence[str], labels: Sequence[str]) -> list[Passage]:
    """Runs of one kind. A blank line goes with what stands before it, so that quotes do not fall apart."""
    passages: list[Passage] = []
    begin, current = 0, labels[0]
    for index in range(1, len(lines)):
        label = labels[index]
        if label == current or (label == NEW and not lines[index].strip()):
            continue
        passages.append(Passage(current, "\n".join(lines[begin:index]) + "\n"))
        begin, current = index, label
    passages.append(Passage(current, "\n".join(lines[begin:])))
    return passages
