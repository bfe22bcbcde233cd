"""Mail that no person wrote to us: told by its headers, never by guessing at its words."""

from __future__ import annotations

import re

from connectors.mail import bounces
from connectors.mail.decode import clean_line, decode_text, decode_words
from connectors.mail.fields import Fields, first, parse_message_id, read_block
from connectors.mail.parts import Part, Tree, parse_tree
from connectors.messages import Automatic, DeliveryReport

MAX_REPORTS = 200

_ROBOT = re.compile(
    r"(?:mailer-daemon|mail-daemon|postmaster|mailerdaemon|microsoftexchange[0-9a-f]{16,40})(?:[+=-][^@]{0,64})?@", re.I
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|delayed|notification)|mail delivery|returned mail|failure notice"
    r"|could not be delivered|nicht zugestellt|unzustellbar|non remis|no se pudo entregar|tidak terkirim|nelivrat",
    re.I,
)
_AUTO_SUBJECT = re.compile(
    r"(?:auto(?:matic|matische|matisk)?[ -]?(?:reply|response|antwort|svar)|out of (?:the )?office|abwesen"
    r"|réponse automatique"
    r"|respuesta automática|risposta automatica|resposta automática|balasan otomatis|răspuns automat)\b",
    re.I,
)
_DMARC_SUBJECT = re.compile(r"report domain:.{1,200}submitter:.{1,200}report-id", re.I)
_REPLY_MARKS = (b"x-autoreply", b"x-autorespond", b"x-autoresponder", b"x-auto-reply", b"x-autoreply-from")
_LIST_FIELDS = (b"list-id", b"list-post", b"list-unsubscribe", b"list-help", b"list-owner", b"list-archive")
LOOP_FIELD = b"x-balas-loop"  # what our own automatic mail carries
_REPORT_TYPES = ("feedback-report", "disposition-notification", "tlsrpt")


def classify(tree: Tree, sender: str, subject: str) -> tuple[Automatic | None, bool]:
    """What kind of automatic mail this is, if any, and whether it is a newsletter."""
    root, fields = tree.root, tree.root.fields
    report_type = root.parameters.get("report-type", "").lower() if root.content_type == "multipart/report" else ""
    if _is_bounce(tree, sender, subject, report_type):
        return Automatic.BOUNCE, False
    if report_type in _REPORT_TYPES or any(part.content_type == "message/feedback-report" for part in root.children):
        return Automatic.REPORT, False
    if _DMARC_SUBJECT.search(subject[:600]):
        return Automatic.REPORT, False
    precedence = first(fields, b"precedence").lower() if b"precedence" in fields else ""
    if _is_auto_reply(fields, precedence, subject):
        return Automatic.AUTO_REPLY, False
    is_list = b"list-id" in fields or b"list-post" in fields or precedence == "list"
    is_bulk = b"list-unsubscribe" in fields or precedence in ("bulk", "junk")
    if is_list or is_bulk:
        return Automatic.LIST, is_bulk and b"list-post" not in fields and precedence != "list"
    return None, False


def _is_bounce(tree: Tree, sender: str, subject: str, report_type: str) -> bool:
    root, fields = tree.root, tree.root.fields
    if report_type == "delivery-status" or b"x-failed-recipients" in fields:
        return True
    if any(part.content_type == "message/delivery-status" for part in root.children):
        return True
    if report_type:
        return False
    is_robot = _ROBOT.match(sender) is not None
    has_no_return = first(fields, b"return-path").replace(" ", "") == "<>"
    return (is_robot and has_no_return) or ((is_robot or has_no_return) and bool(_BOUNCE_SUBJECT.search(subject[:300])))


def _is_auto_reply(fields: Fields, precedence: str, subject: str) -> bool:
    submitted = (
        first(fields, b"auto-submitted").lower().partition(";")[0].strip() if b"auto-submitted" in fields else ""
    )
    if submitted not in ("", "no"):
        return True
    if precedence in ("auto_reply", "auto-reply") or first(fields, b"preference").lower() == "auto_reply":
        return True
    if any(mark in fields and first(fields, mark).lower() not in ("no", "false") for mark in _REPLY_MARKS):
        return True
    return b"x-auto-response-suppress" in fields and _AUTO_SUBJECT.match(subject) is not None


_NO_PERSON = re.compile(
    r"(?:no-?_?reply|do-?_?not-?_?reply|donotreply|notifications?|bounces?|automailer|alerts?)(?:[+=._-][^@]{0,64})?@",
    re.I,
)


def find_group(tree: Tree, sender: str) -> tuple[str, bool]:
    """Of list mail: where one writes to that list, "" when no person wrote it; and whether List-Id is all it carries.

    RFC 2919 (List-Id), RFC 2369 (List-Post). What a person wrote to a group and what a list sends to many look alike;
    bulk, and senders that nobody can answer, are told apart here, whose list it is by who knows our addresses.
    """
    fields = tree.root.fields
    precedence = first(fields, b"precedence").lower()
    if precedence in ("bulk", "junk") or not sender or _ROBOT.match(sender) or _NO_PERSON.match(sender):
        return "", False
    if b"list-unsubscribe" in fields and b"list-post" not in fields and precedence != "list":
        return "", False
    posted = re.search(r"<mailto:([^<>?\s]{3,320})", first(fields, b"list-post")[:2000], re.I)
    named = re.search(r"<([^<>\s]{3,320})>", first(fields, b"list-id")[:2000])
    name = named.group(1) if named else ""
    address = posted.group(1) if posted else name if "@" in name else name.replace(".", "@", 1)
    has_more = precedence or any(one in fields for one in (b"list-post", b"list-unsubscribe"))
    return (address.lower() if "@" in address else ""), not has_more


def is_unanswerable(tree: Tree, sender: str) -> bool:
    """Whether no program may answer this mail: RFC 3834 §2, and what the usual programs ask for by their own fields."""
    fields = tree.root.fields
    if _ROBOT.match(sender) or _NO_PERSON.match(sender):
        return True
    if b"return-path" in fields and first(fields, b"return-path").replace(" ", "") in ("<>", ""):
        return True
    if first(fields, b"auto-submitted").lower().partition(";")[0].strip() not in ("", "no"):
        return True
    if first(fields, b"precedence").lower() in ("bulk", "junk", "list", "auto_reply", "auto-reply"):
        return True
    suppress = first(fields, b"x-auto-response-suppress").lower()
    if any(word in suppress for word in ("all", "autoreply", "oof", "dr")):
        return True
    return any(mark in fields for mark in (*_REPLY_MARKS, *_LIST_FIELDS, LOOP_FIELD, b"x-loop", b"feedback-id"))


def read_reports(tree: Tree) -> tuple[DeliveryReport, ...]:
    """What a bounce says of each recipient (RFC 3464, else its words), with the id of the message that it speaks of."""
    message_id = ""
    reports: list[tuple[str, str, str, str]] = []
    for part in tree.leaves():
        if part.content_type == "message/delivery-status":
            reports.extend(_read_status(part))
        elif part.content_type in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            message_id = message_id or _original_id(part)
    if not reports:
        reports = bounces.read_words(decode_words(first(tree.root.fields, b"subject")), _first_text(tree))
    named = {report[0].lower() for report in reports}
    failed = first(tree.root.fields, b"x-failed-recipients")
    missing = [address.strip() for address in failed.split(",") if address.strip().lower() not in {"", *named}]
    reports += [(address[:320], "failed", "", "") for address in missing]
    if not message_id:
        message_id = _id_in_text(tree)
    if not reports and message_id:
        reports = [("", "", "", "")]
    return tuple(DeliveryReport(message_id, *report) for report in reports[:MAX_REPORTS])


def _read_status(part: Part) -> list[tuple[str, str, str, str]]:
    data = part.decode()[0][: 256 * 1024].replace(b"\r\n", b"\n")
    reports: list[tuple[str, str, str, str]] = []
    position = 0
    while position < len(data) and len(reports) < MAX_REPORTS:
        block = read_block(data, position, len(data))
        # The original one is whom we wrote to; where that mail was forwarded to may be an address we never heard of.
        originally = _typed(block.fields, b"original-recipient")
        recipient = originally if "@" in originally else _typed(block.fields, b"final-recipient") or originally
        action = first(block.fields, b"action").lower().split()
        if recipient or action:
            status = first(block.fields, b"status").split()
            diagnostic = clean_line(_typed(block.fields, b"diagnostic-code"))[:1000]
            reports.append(
                (recipient[:320], action[0][:20] if action else "", status[0][:20] if status else "", diagnostic)
            )
        position = max(block.body, position + 1)
        while position < len(data) and data[position] == 10:
            position += 1
        if block.broken:
            break
    return reports


def _typed(fields: Fields, name: bytes) -> str:
    """The value after `rfc822;` or `smtp;`."""
    value = first(fields, name)
    return clean_line(value.partition(";")[2] if ";" in value else value).strip("<> ")


def _original_id(part: Part) -> str:
    data = part.decode()[0]
    fields = parse_tree(data[: 128 * 1024]).root.fields
    return parse_message_id(first(fields, b"message-id"))


def _first_text(tree: Tree) -> str:
    for part in tree.leaves():
        if part.content_type == "text/plain":
            return decode_text(part.decode()[0][: 256 * 1024], part.parameters.get("charset", ""))[0]
    return ""


def _id_in_text(tree: Tree) -> str:
    """Old bounces quote the message in their text: its Message-ID line is all that is wanted."""
    for part in tree.leaves():
        if part.content_type == "text/plain":
            text = decode_text(part.decode()[0][: 256 * 1024], "")[0]
            found = re.search(r"^[> \t]{0,8}Message-ID:[ \t]{0,8}(<[^<>\s]{1,500}>)", text, re.I | re.M)
            if found:
                return parse_message_id(found.group(1))
    return ""
