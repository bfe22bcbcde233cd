"""Mail as it was sent, beside its frame: images on request, links that ask, files under harmless names, previews."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from connectors.egress import Rules
from inbox.models import Account, AuditRecord, Message, PictureConsent, StrandLink
from tests.builders import make_item, receive
from tests.web.conftest import PIXEL, House
from web.filenames import PROGRAMS, is_program, safe_name
from web.passes import make_pass


def photo(size: tuple[int, int] = (800, 600)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (30, 90, 160)).save(written, "JPEG")
    return written.getvalue()


@pytest.fixture
def far(settings: Any) -> Iterator[tuple[str, list[str]]]:
    """A host elsewhere with a picture: its address, and the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg" if self.path.endswith(".jpg") else "text/html")
            self.end_headers()
            self.wfile.write(photo())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EGRESS = Rules(ports=frozenset({server.server_port}), may_reach=lambda ip: ip == "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def come_in(house: House, html: str, *, author: str = "Ana Pop <ana@shop.example>", **files: bytes) -> Message:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = author, "support@balas.example", "Look"
    mail["Message-ID"], mail["Date"] = f"<{len(html)}-{timezone.now().timestamp()}@shop.example>", timezone.now()
    mail.set_content("Look at this.")
    mail.add_alternative(html, subtype="html")
    for name, content in files.items():
        mail.add_attachment(content, maintype="image", subtype="jpeg", filename=name.replace("_", "."))
    now = timezone.now()
    receive(house.support, make_item(mail.as_bytes(), at=now), now=now)
    return Message.objects.latest("id")


def images_in(client: Client, message: Message, query: str = "") -> list[str]:
    page = client.get(f"/m/{message.id}/body{query}").content.decode()
    return re.findall(r'<img[^>]*src="(/r/[^"]+)"', page)


def test_f75_f76_images_from_elsewhere_come_only_after_a_click_and_through_us(house: House, far: Any) -> None:
    host, asked = far
    message, client = come_in(house, f"<p>Hi</p><img src='{host}/a.jpg'>"), house.client("own")
    assert images_in(client, message) == []
    first = client.get(f"/m/{message.id}/body")
    assert "/r/" not in first["Content-Security-Policy"]
    (address,) = images_in(client, message, "?images=1")
    assert host not in client.get(f"/m/{message.id}/body?images=1").content.decode()
    assert asked == []
    shown = Client().get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert shown.content[8:12] == b"WEBP"
    assert asked == ["/a.jpg"]
    assert Client().get(address[:-4] + "AAAA").status_code == 404


def test_f76_what_lies_inside_is_never_asked_for(house: House) -> None:
    message, client = (
        come_in(house, "<img src='http://127.0.0.1:8025/x.png'><img src='http://[::1]/y'>"),
        house.client("own"),
    )
    addresses = images_in(client, message, "?images=1")
    assert len(addresses) == 2
    assert {Client().get(address).status_code for address in addresses} == {404}


def test_images_are_remembered_for_a_sender_and_forgotten_again(house: House, far: Any) -> None:
    host, _asked = far
    message, client = come_in(house, f"<img src='{host}/a.jpg'>"), house.client("own")
    look = client.get(f"/m/{message.id}/look").content.decode()
    assert "1 image from 127.0.0.1" in look
    assert "Always for this sender" in look
    kept = client.post(f"/m/{message.id}/images", {"act": "remember"}, headers={"HX-Request": "true"})
    assert f'"name": "mail-{message.id}"' in kept["HX-Trigger"]  # the frame is loaded anew
    assert len(images_in(client, message)) == 1
    another = come_in(house, f"<p>More</p><img src='{host}/b.jpg'>")
    assert len(images_in(house.client("owner"), another)) == 1
    stranger = come_in(house, f"<p>x</p><img src='{host}/c.jpg'>", author="Eve <eve@evil.example>")
    assert images_in(client, stranger) == []
    assert "Images of ana@shop.example are always loaded" in client.get(f"/m/{message.id}/look").content.decode()
    client.post(f"/m/{message.id}/images", {"act": "forget"})
    assert images_in(client, another) == []
    assert not PictureConsent.objects.exists()
    acts = AuditRecord.objects.filter(act__startswith="images.").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["images.remembered", "images.forgotten"]


def test_f75_what_is_remembered_of_a_sender_opens_nothing_for_a_mail_in_their_name(house: House, far: Any) -> None:
    host, _asked = far
    client = house.client("own")
    client.post(f"/m/{house.message.id}/images", {"act": "remember"})
    forged = come_in(house, f"<p>x</p><img src='{host}/a.jpg'>")
    Message.objects.filter(id=forged.id).update(verified=False)
    assert images_in(client, forged) == []
    assert "Always for this sender" not in client.get(f"/m/{forged.id}/look").content.decode()


def test_f79_only_who_may_read_a_mail_may_say_something_about_its_images(house: House) -> None:
    assert house.client("other").post(f"/m/{house.message.id}/images", {"act": "remember"}).status_code == 404
    assert not PictureConsent.objects.exists()


# --- Links ----------------------------------------------------------------------------------------------------------


def test_f74_a_link_that_says_another_host_leads_over_a_page_that_says_so(house: House) -> None:
    html = (
        "<a href='https://evil.example/pay?x=<script>'>https://paypal.com</a> <a href='https://shop.example/'>Shop</a>"
    )
    message, client = come_in(house, html), house.client("own")
    page = client.get(f"/m/{message.id}/body").content.decode()
    assert 'href="https://shop.example/"' in page
    assert "evil.example/pay" not in page
    (leaving,) = re.findall(r'href="(/l/[^"]+)"', page)
    shown = Client().get(leaving)
    assert "leads to evil.example" in shown.content.decode()
    assert "paypal.com" in shown.content.decode()
    assert "<script>" not in shown.content.decode()
    assert shown["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in shown["Content-Security-Policy"]
    assert "A link says paypal.com and leads to evil.example" in client.get(f"/m/{message.id}/look").content.decode()


def test_the_look_at_a_harmless_mail_is_empty(house: House) -> None:
    message = come_in(house, "<p>Hi <a href='https://shop.example/'>shop.example</a></p>")
    assert house.client("own").get(f"/m/{message.id}/look").content.strip() == b""


# --- Senders --------------------------------------------------------------------------------------------------------


def page_of(house: House, message: Message) -> str:
    conversation = StrandLink.objects.get(strand_id=message.strand_id, ended_at=None).conversation_id
    return house.client("own").get(f"/c/{conversation}").content.decode()


def test_f52_a_sender_nobody_vouches_for_has_a_calm_badge_and_a_failed_check_a_notice(house: House) -> None:
    message = come_in(house, "<p>Hi</p>", author="Dan <dan@far.example>")
    assert "Sender not checked" in page_of(house, message)
    Message.objects.filter(id=message.id).update(verified=False, flags=["unverified-sender"])
    page = page_of(house, message)
    assert "Sender not confirmed" in page
    assert "may be somebody else" not in page
    Message.objects.filter(id=message.id).update(flags=["failed-sender-check"])
    assert "The sender may be somebody else" in page_of(house, message)
    Message.objects.filter(id=message.id).update(verified=True, flags=[])
    page = page_of(house, message)
    assert "Sender not" not in page and "may be somebody else" not in page


@pytest.mark.parametrize(
    ("author", "words"),
    [
        ('"Ana ana@shop.example" <x@evil.example>', "The name holds another address: ana@shop.example"),
        ("Support <x@ba1as.example>", "looks like us: balas.example"),
        ("Ana Pop <ana@sh0p.example>", "looks like somebody you know: shop.example"),
        ("Аnа Рор <x@evil.example>", "looks like somebody you know: Ana Pop"),
        ("Dan <dan@xn--pypal-4ve.com>", "is not what it seems"),
    ],
)
def test_f53_a_sender_who_looks_like_another_is_marked(author: str, words: str, house: House) -> None:
    assert words in page_of(house, come_in(house, "<p>Hi</p>", author=author))


def test_f53_an_ordinary_sender_is_not_marked(house: House) -> None:
    page = page_of(house, come_in(house, "<p>Hi</p>", author="Dan Müller <dan@far.example>"))
    assert "looks like" not in page and "not what it seems" not in page


def test_f53_who_uses_exactly_the_name_of_a_customer_is_told_apart_unless_confirmed(house: House) -> None:
    message = come_in(house, "<p>Hi</p>", author="Ana Pop <ana.pop@evil.example>")
    assert "Has the name of ana@shop.example" in page_of(house, message)
    Message.objects.filter(id=message.id).update(verified=True)
    assert "Has the name of" not in page_of(house, message)
    assert "Has the name of ana@shop.example" not in page_of(house, house.message)


def test_the_server_to_confirm_is_asked_about_on_settings_and_health_and_confirmed_there(house: House) -> None:
    for number in range(6):
        now = timezone.now()
        head = f"Authentication-Results: mx.balas.example; dmarc=pass header.from=far{number}.example\n"
        mail = f"{head}From: a@far{number}.example\nMessage-ID: <v{number}@far.example>\n\nHi {number}\n".encode()
        receive(house.support, make_item(mail, at=now), now=now)
    for address in ("/settings", "/health"):
        assert "Does mx.balas.example belong to your provider?" in house.client("owner").get(address).content.decode()
        assert "belong to your provider" not in house.client("own").get(address).content.decode()
    ask = f"/settings/accounts/{house.support.id}/sender-check"
    client = house.client("owner")
    client.post(ask, {"act": "confirm", "server": "mx.evil.example"})
    assert "authserv_id" not in Account.objects.get(id=house.support.id).settings
    client.post(ask, {"act": "confirm", "server": "mx.balas.example"})
    assert Account.objects.get(id=house.support.id).settings["authserv_id"] == "mx.balas.example"
    assert Message.objects.filter(verified=True).count() == 6
    assert "Senders are checked by mx.balas.example" in client.get("/settings").content.decode()
    shown = page_of(house, Message.objects.get(reference="v3@far.example"))
    assert "mx.balas.example: dmarc pass (far3.example)" in shown
    assert "Sender not" not in shown
    client.post(ask, {"act": "stop"})
    assert Account.objects.get(id=house.support.id).settings["authserv_id"] == ""


# --- Files ----------------------------------------------------------------------------------------------------------


def test_a_picture_that_came_as_a_file_is_previewed_drawn_anew_and_kept_as_it_was(house: House) -> None:
    message, client = come_in(house, "<p>Hi</p>", photo_jpg=photo()), house.client("own")
    file = message.attachments.get(is_inline=False)
    assert f'<img src="/a/{file.id}/preview"' in page_of(house, message)
    small = client.get(f"/a/{file.id}/preview")
    assert (small.status_code, small["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(small.content)).size == (320, 240)
    assert client.get(f"/a/{file.id}").content == photo()
    assert house.client("other").get(f"/a/{file.id}/preview").status_code == 404


def test_f74_what_says_that_it_is_a_picture_and_is_none_has_no_preview(house: House) -> None:
    message = come_in(house, "<p>Hi</p>", photo_jpg=b"<svg onload=alert(1)>", bill_jpg=PIXEL[:30])
    for file in message.attachments.filter(is_inline=False):
        assert house.client("own").get(f"/a/{file.id}/preview").status_code == 404


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("invoice.pdf.exe", "invoice_pdf.exe"),
        ("invoice.pdf                                   .exe", "invoice_pdf.exe"),
        ("photo.jpg.scr", "photo_jpg.scr"),
        ("report.final.pdf", "report.final.pdf"),
        ("notes.tar.gz", "notes.tar.gz"),
        ("bill․pdf․exe", "bill_pdf.exe"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.pdf", "_com1.pdf"),
        ("console.txt", "console.txt"),
        (".htaccess", "htaccess"),
        ("\u200b.htaccess", "htaccess"),
        ("-rf", "_-rf"),
        ("~root", "_~root"),
        ("a／b＼c", "a_b_c"),
        ("C:\\Windows\\x.dll", "C__Windows_x.dll"),
        ("x.txt:hidden", "x.txt_hidden"),
        ("x.txt...", "x.txt"),
        ("\u202excod.exe", "xcod.exe"),
        ("a\u2066b\u2069.pdf", "ab.pdf"),
        ("e\u0301.txt", "é.txt"),
        ("...", "attachment"),
    ],
)
def test_f77_names_that_deceive_are_mended(name: str, shown: str) -> None:
    assert safe_name(name) == shown


@settings(max_examples=2000, deadline=None)
@given(st.text(alphabet=st.characters() | st.sampled_from(" ./\\:\u200b\u202e\u2066.exepdf\0\r\n\"'%;"), max_size=60))
def test_f77_no_name_of_two_thousand_is_dangerous(name: str) -> None:
    shown = safe_name(name)
    assert 0 < len(shown.encode()) <= 200
    assert not set(shown) & set('/\\:*?"<>|\0\r\n\u200b\u202e\u2066')
    assert not shown.startswith((".", "-", "~", " "))
    assert not shown.endswith((".", " "))
    assert safe_name(shown) == shown
    assert is_program(name) is (shown.rpartition(".")[2].lower() in PROGRAMS)


def test_f77_a_program_is_told_from_a_document(house: House) -> None:
    message = come_in(house, "<p>Hi</p>", bill_pdf_exe=b"MZ")
    page = page_of(house, message)
    assert "bill_pdf.exe" in page
    assert "a program: opening it may run something" in page


def test_f78_a_pass_for_a_file_opens_no_other_thing(house: House) -> None:
    session = house.client("own").session.session_key or ""
    file = make_pass(session, "file", house.attachment.id)
    assert Client().get(f"/f/{file}").status_code == 200
    for other in ("e", "p", "b", "i", "r", "l"):
        assert Client().get(f"/{other}/{file}").status_code == 404
