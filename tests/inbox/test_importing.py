"""Mail from files comes in as it would have from a server."""

from __future__ import annotations

import bz2
import gzip
import lzma
import mailbox
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inbox import exports
from inbox.importing import ImportProblem, canonical_sha256, import_paths
from inbox.models import Conversation, Delivery, Message, RawItem, SlaEvent
from tests.builders import NOW, make_account, make_item, make_mail, receive
from tests.inbox.inbox_picture import assert_sums_hold

pytestmark = pytest.mark.django_db


def mails(count: int) -> list[bytes]:
    return [
        make_mail(f"Mail {n}\n", message_id=f"m{n}@shop.example", at=NOW - timedelta(hours=n)) for n in range(count)
    ]


def make_mbox(path: Path, contents: list[bytes]) -> Path:
    box = mailbox.mbox(path)
    for content in contents:
        box.add(content)
    box.close()
    return path


@pytest.mark.parametrize("opener", [None, gzip.open, bz2.open, lzma.open])
def test_an_mbox_comes_in_also_compressed(tmp_path, opener):
    account = make_account()
    path = make_mbox(tmp_path / "mail.mbox", mails(7))
    if opener:
        packed = tmp_path / {gzip.open: "m.gz", bz2.open: "m.bz2", lzma.open: "m.xz"}[opener]
        with opener(packed, "wb") as file:
            file.write(path.read_bytes())
        path = packed
    seen: list[int] = []
    imported = import_paths([path], account, sent=False, now=NOW, progress=seen.append)
    assert (imported.read, imported.new, imported.messages, imported.problems) == (7, 7, 7, ())
    assert seen[-1] == 7
    assert Message.objects.count() == 7
    assert_sums_hold()


def test_a_maildir_comes_in_without_what_is_still_being_written(tmp_path):
    account = make_account()
    box = mailbox.Maildir(tmp_path / "Maildir")
    for content in mails(3):
        box.add(content)
    (tmp_path / "Maildir" / "tmp" / "half").write_bytes(b"Subject: half")
    assert import_paths([tmp_path / "Maildir"], account, sent=False, now=NOW).messages == 3


def test_a_folder_of_eml_files_comes_in_with_its_folders(tmp_path):
    account = make_account()
    (tmp_path / "deep").mkdir()
    first, second = mails(2)
    (tmp_path / "a.eml").write_bytes(first)
    (tmp_path / "deep" / "b.eml").write_bytes(second)
    (tmp_path / "empty.eml").write_bytes(b"")
    assert import_paths([tmp_path], account, sent=False, now=NOW).messages == 2


def test_importing_twice_adds_nothing_whatever_the_line_ends(tmp_path):
    account = make_account()
    content = mails(1)[0]
    (tmp_path / "a.eml").write_bytes(content)
    (tmp_path / "b.eml").write_bytes(content.replace(b"\n", b"\r\n") + b"\r\n\r\n")
    first = import_paths([tmp_path], account, sent=False, now=NOW)
    again = import_paths([tmp_path], account, sent=False, now=NOW)
    assert (first.read, first.new, again.new, again.same) == (2, 1, 0, 2)
    assert Message.objects.count() == RawItem.objects.count() == 1


def test_importing_what_was_polled_adds_a_delivery_and_no_message(tmp_path):
    account = make_account()
    contents = [*mails(5), make_mail("Nameless\n", message_id="")]
    receive(account, *(make_item(content.replace(b"\n", b"\r\n")) for content in contents))
    path = make_mbox(tmp_path / "mail.mbox", contents)
    imported = import_paths([path], account, sent=False, now=NOW)
    assert (imported.new, imported.messages) == (6, 0)
    assert (Message.objects.count(), Delivery.objects.count()) == (6, 12)


def test_sent_mail_is_ours_and_answers_what_it_answers(tmp_path):
    account = make_account()
    receive(account, make_item(make_mail(message_id="one@shop.example")))
    answer = make_mail(
        "Answer\n",
        author="support@balas.example",
        to="ana@shop.example",
        in_reply_to="one@shop.example",
        at=NOW + timedelta(minutes=5),
    )
    (tmp_path / "a.eml").write_bytes(answer)
    import_paths([tmp_path], account, sent=True, now=NOW + timedelta(hours=1))
    assert Message.objects.get(text="Answer").direction == "outbound"
    assert Conversation.objects.get().status == "waiting"


def test_an_import_believes_the_date_and_old_mail_is_no_work(tmp_path):
    account = make_account()
    old = datetime(2019, 5, 6, 7, 8, tzinfo=UTC)
    (tmp_path / "a.eml").write_bytes(make_mail(at=old))
    import_paths([tmp_path], account, sent=False, now=NOW)
    message = Message.objects.get()
    assert (message.written_at, message.received_at) == (old, old)
    assert Conversation.objects.get().status == "resolved"


def test_lines_that_begin_with_from_inside_a_mail_are_kept(tmp_path):
    account = make_account()
    text = b"From here on\n>From there\n\nFrom the shop 2026 was good\n"
    body = (
        b"From ana@x.example Tue Nov 24 10:00:00 2026\nFrom: ana@x.example\nDate: Tue, 24 Nov 2026 10:00:00 +0000\n\n"
    )
    quoted = text.replace(b"From", b">From").replace(b">>From there", b">>From there")
    (tmp_path / "m.mbox").write_bytes(body + quoted + b"\n" + body + b"Second\n")
    assert import_paths([tmp_path], account, sent=False, now=NOW).messages == 2
    assert Message.objects.get(text__startswith="From here").text.strip().encode() == text.strip()


def test_a_path_that_is_not_there_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ImportProblem, match="There is nothing at"):
        import_paths([tmp_path / "nowhere"], make_account(), sent=False, now=NOW)


def test_a_broken_archive_is_reported_and_the_rest_comes_in(tmp_path):
    account = make_account()
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    (tmp_path / "b.eml").write_bytes(mails(1)[0])
    imported = import_paths([tmp_path], account, sent=False, now=NOW)
    assert imported.messages == 1
    assert len(imported.problems) == 1
    assert "a.gz" in imported.problems[0]


def test_the_canonical_hash_tells_different_mails_apart():
    one, two = mails(2)
    assert canonical_sha256(one) != canonical_sha256(two)
    assert canonical_sha256(one) == canonical_sha256(one.replace(b"\n", b" \r\n") + b"\0\n")


@pytest.mark.parametrize("date", ["", "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n", "Date: someday\r\n"])
def test_an_imported_mail_without_a_usable_date_came_when_its_server_says(tmp_path, date):
    account = make_account()
    trace = "Received: from a (b; c)\r\n\tby mx.example; Tue, 03 Mar 2020\r\n 09:00:00 +0100\r\n"
    later = "Received: from elsewhere by x; Tue, 03 Mar 2020 07:00:00 +0100\r\n"
    (tmp_path / "one.eml").write_bytes(f"{trace}{later}{date}From: ana@shop.example\r\n\r\nHello\r\n".encode())
    import_paths([tmp_path], account, sent=False, now=NOW)
    assert Message.objects.get().received_at == datetime(2020, 3, 3, 8, tzinfo=UTC)
    assert Conversation.objects.get().status == "resolved"


def test_a_date_of_the_future_says_not_when_an_imported_mail_came(tmp_path):
    account = make_account()
    date = "Date: Fri, 01 Jan 2038 00:00:00 +0000\r\nReceived: by mx.example; Tue, 03 Mar 2020 09:00:00 +0000\r\n"
    (tmp_path / "one.eml").write_bytes(f"{date}From: ana@shop.example\r\n\r\nHello\r\n".encode())
    import_paths([tmp_path], account, sent=False, now=NOW)
    message = Message.objects.get()
    assert message.received_at == datetime(2020, 3, 3, 9, tzinfo=UTC)
    assert message.flags == ["bad-date", "no-message-id"]


def test_what_was_sent_long_before_it_came_has_the_same_time_of_sending_by_poll_and_by_import(tmp_path):
    mail = make_mail(message_id="old@shop.example", at=NOW - timedelta(days=400))
    polled, imported = make_account(), make_account("other", "other@balas.example")
    receive(polled, make_item(mail, at=NOW))
    assert [row["sent_at"] for row in exports.stream("messages", None)] == [NOW - timedelta(days=400)]
    # The clock of live mail still starts at most a day before it came.
    assert SlaEvent.objects.get().occurred_at == NOW - timedelta(days=1)
    (tmp_path / "one.eml").write_bytes(mail.replace(b"old@shop", b"other@shop"))
    import_paths([tmp_path], imported, sent=False, now=NOW)
    assert {row["sent_at"] for row in exports.stream("messages", None)} == {NOW - timedelta(days=400)}


def test_mail_imported_by_mistake_as_received_becomes_ours_when_it_is_imported_as_sent(tmp_path):
    account = make_account()
    asked = make_mail(message_id="asked@shop.example", at=NOW - timedelta(hours=3))
    refers = {"to": "ana@shop.example", "in_reply_to": "asked@shop.example"}
    ours = make_mail("Here.\n", author="support@balas.example", at=NOW - timedelta(hours=2), **refers)
    receive(account, make_item(asked, at=NOW - timedelta(hours=3)))
    (tmp_path / "ours.eml").write_bytes(ours)
    import_paths([tmp_path], account, sent=False, now=NOW)
    assert Conversation.objects.get().status == "open"
    assert import_paths([tmp_path], account, sent=True, now=NOW).messages == 0
    assert import_paths([tmp_path], account, sent=True, now=NOW).new == 0
    assert Message.objects.get(text__startswith="Here").direction == "outbound"
    assert Conversation.objects.get().status == "waiting"
    assert_sums_hold()
