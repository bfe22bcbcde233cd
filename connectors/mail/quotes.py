"""What in a text is new, what is quoted history, what is signature or footer: one pass over its lines.

Nothing is thrown away: the passages joined give the text. Rules worth knowing:
- Quotes that are answered between (line by line) belong to the answer and count as new: without them it says nothing.
- Where nothing new is left, as in a bare forward, the quoted text counts as new: it is what the writer sends.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.mail.quotewords import (
    ADDRESS_INSIDE,
    BEGIN_FORWARDED,
    DATE_INSIDE,
    DATED_ADDRESS,
    DISCLAIMER,
    FROM_LINE,
    LIST_FOOTER,
    MOBILE,
    ON_START,
    OTHER_LINE,
    RULE,
    SEPARATOR,
    WROTE_BETWEEN_DASHES,
    WROTE_END,
)
from connectors.messages import Passage
from connectors.passages import FOOTER, NEW, QUOTE, SIGNATURE, shown

MAX_LINES = 20_000
MAX_LINE = 400  # characters of a line that are looked at
MAX_SIGNATURE_LINES = 15

LIKELY, CERTAIN = 1, 2


def split_passages(text: str, quoted: Sequence[bool] | None = None) -> tuple[Passage, ...]:
    """Cut a text (LF line ends) into passages. `quoted` says, line by line, what markup already told to be quoted."""
    if not text:
        return ()
    lines = text.split("\n")
    labels = _labels(lines[:MAX_LINES], quoted)
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


def _labels(lines: list[str], quoted: Sequence[bool] | None) -> list[str]:
    labels = [QUOTE if line[:1] == ">" else NEW for line in lines]
    if quoted is not None:
        for index, is_quoted in enumerate(quoted[: len(labels)]):
            if is_quoted:
                labels[index] = QUOTE
    reached = 0
    for index in _suspects(lines):
        if index < reached or labels[index] == QUOTE:
            continue
        end = _history_start(lines, index, lines[index][:MAX_LINE].strip())
        if end == -1:
            labels[index:] = [QUOTE] * (len(lines) - index)
            break
        if end:
            labels[index:end] = [QUOTE] * (end - index)
            reached = end
    _mark_tails(lines, labels)
    return labels


def _suspects(lines: Sequence[str]) -> list[int]:
    """The few lines that could begin the history: rules, header lines, and what stands before a colon or an address."""
    suspects: set[int] = set()
    for index, line in enumerate(lines):
        if line[:1] == ">":
            continue
        if ":" in line or "：" in line:
            suspects.add(index)
            if line.rstrip()[-1:] in (":", "："):
                start = index
                while start and index - start < 5 and (lines[start - 1].strip() or lines[start].strip() == "<"):
                    start -= 1
                suspects.update(range(start, index))
        elif "--" in line or "__" in line or "==" in line or "@" in line:
            suspects.add(index)
    return sorted(index for index in suspects if lines[index].strip())


def _history_start(lines: list[str], index: int, stripped: str) -> int:
    """0: nothing begins here. -1: history to the end. n: lines index..n introduce a quote that is marked itself."""
    last = stripped[-1]
    if stripped[0] in "-_=*" and (
        SEPARATOR.match(stripped) or (RULE.match(stripped) and _header_block(lines, index + 1))
    ):
        return -1
    if last == ":" and BEGIN_FORWARDED.match(stripped):
        return -1
    if (":" in stripped or "：" in stripped) and FROM_LINE.match(stripped) and _header_block(lines, index):
        return -1
    end, is_certain = _attribution_end(lines, index, stripped)
    if not end:
        return 0
    following = end
    while following < len(lines) and not lines[following].strip() and following < end + 4:
        following += 1
    if following < len(lines) and lines[following].startswith(">"):
        return following
    return -1 if is_certain else 0


def _header_block(lines: list[str], index: int) -> bool:
    """A quoted header: a From line and two others within eight lines."""
    near = [line[:MAX_LINE].strip() for line in lines[index : index + 9]]
    near = [line for line in near if line]
    if not near or not (FROM_LINE.match(near[0]) or OTHER_LINE.match(near[0])):
        return False
    has_from = any(FROM_LINE.match(line) for line in near[:5])
    return has_from and sum(1 for line in near[:8] if OTHER_LINE.match(line)) >= 2


def _attribution_end(lines: list[str], index: int, stripped: str) -> tuple[int, bool]:
    """The line after an attribution such as "On … wrote:", which programs wrap over up to five lines; 0 for none.

    Also whether it is one beyond doubt; if not, it needs marked lines after it.
    """
    joined = ""
    for offset, line in enumerate(lines[index : index + 6]):
        piece = line[:MAX_LINE].strip()
        if not piece and offset and joined.endswith("<"):
            continue
        if not piece or (piece[0] == ">" and len(piece) > 9):
            return 0, False
        joined = f"{joined} {piece}" if joined else piece
        if piece[-1] in ":：" and not piece.lower().endswith("mailto:"):
            certainty = _attribution(joined)
            return (index + offset + 1, certainty == CERTAIN) if certainty else (0, False)
        if offset == 0:
            if WROTE_BETWEEN_DASHES.match(piece):
                return index + 1, True
            if DATED_ADDRESS.match(piece):
                return index + 1, False
            if not (DATE_INSIDE.search(piece) or "@" in piece):
                return 0, False
    return 0, False


def _attribution(joined: str) -> int:
    """0: none. LIKELY: it is one if marked lines follow. CERTAIN: it is one."""
    if len(joined) > 600:
        return 0
    joined = joined.replace("< ", "<").replace(" >", ">")
    has_date = DATE_INSIDE.search(joined) is not None
    has_address = ADDRESS_INSIDE.search(joined) is not None
    if has_date and has_address:
        return CERTAIN
    if WROTE_END.search(joined) and (has_address or (has_date and ON_START.match(joined))):
        return CERTAIN
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


def _mark_tails(lines: Sequence[str], labels: list[str]) -> None:
    """Signature and footer stand at the end of what is new: at the very end, or right before the history."""
    end = len(labels)
    for _ in range(50):
        while end and labels[end - 1] != NEW:
            end -= 1
        start = end
        while start and labels[start - 1] == NEW:
            start -= 1
        if start == end:
            return
        _mark_tail(lines, labels, start, end)
        end = start


def _mark_tail(lines: Sequence[str], labels: list[str], start: int, end: int) -> None:
    last = end - 1
    while last > start and not lines[last].strip():
        last -= 1
    mobile = lines[last].strip()
    if mobile and len(mobile) < 100 and MOBILE.match(mobile):
        labels[last:end] = [SIGNATURE] * (end - last)
        end = last
    for index in range(max(start, end - 200), end):
        line = lines[index]
        if line[:1] in ("-", "_", "—"):
            label = _tail_label(lines, index, end)
            if label:
                labels[index:end] = [label] * (end - index)
                return
        elif index and line and not lines[index - 1].strip() and DISCLAIMER.match(line[:MAX_LINE].lstrip("*_ ")):
            labels[index:end] = [FOOTER] * (end - index)
            return


def _tail_label(lines: Sequence[str], index: int, end: int) -> str:
    """What a line of dashes begins here: SIGNATURE, FOOTER, or "" for nothing."""
    line = lines[index]
    is_list = any(LIST_FOOTER.search(near[:MAX_LINE]) for near in lines[index + 1 : index + 12])
    if line == "-- " or (line.rstrip() in ("--", "—") and end - index <= MAX_SIGNATURE_LINES):
        return FOOTER if is_list else SIGNATURE
    is_rule = len(line) >= 20 and RULE.match(line[:MAX_LINE].rstrip()) is not None
    return FOOTER if is_rule and is_list and end - index <= MAX_SIGNATURE_LINES else ""


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
