"""Pieces cut out of a mail again, long after it was read: its HTML, its files, its images by their Content-ID."""

from __future__ import annotations

from html import escape

from connectors.mail import bodies
from connectors.mail.attached import find_packed, is_packed
from connectors.mail.fields import first
from connectors.mail.parts import parse_tree


def find_part(content: bytes, part: str) -> tuple[str, str, bytes] | None:
    """Cut an attachment out again: (name, content type, decoded bytes), None when there is no such part.

    A file that is packed into another (winmail.dat) is found only in a confined process.
    """
    leaves = parse_tree(content).leaves()
    if is_packed(part):
        return find_packed(leaves, part)
    for leaf in leaves:
        if leaf.path == part:
            data = leaf.decode_file()[0]
            described = bodies.describe(leaf, data)
            return described.name, described.content_type, data
    return None


def find_html(content: bytes) -> str | None:
    """The HTML body as unsanitised text, None when there is none. Plain parts between HTML parts are escaped in."""
    found = bodies.collect(parse_tree(content))
    if not any(slot.html for slot in found.slots):
        return None
    pieces: list[str] = []
    for slot in found.slots:
        if slot.html:
            pieces.extend(bodies.part_text(part, found) for part in slot.html)
        elif slot.plain is not None:
            text = escape(bodies.part_text(slot.plain, found).strip())
            pieces.append("<p>" + text.replace("\n", "<br>\n") + "</p>" if text else "")
    return "\n".join(pieces)


def find_content_ids(content: bytes) -> dict[str, str]:
    """Content-ID (without brackets) → part path, for `cid:` addresses in the HTML body."""
    ids: dict[str, str] = {}
    for leaf in parse_tree(content).leaves():
        content_id = first(leaf.fields, b"content-id").strip("<> \t")[:250]
        if content_id:
            ids.setdefault(content_id, leaf.path)
    return ids
