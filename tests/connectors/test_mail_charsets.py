"""Texts whose charset is mislabelled, misspelt, unlabelled or unusual: they read as they were written."""

from __future__ import annotations

import pytest

from connectors.mail.charsets import find_codec
from connectors.mail.decode import decode_text
from connectors.mail.fields import parse_date
from connectors.mail.parse import parse_mail
from connectors.messages import Flag
from tests.connectors.test_mail_parse import mail

JAPANESE = "日本語のメールです。お世話になっております。"
CHINESE, TAIWANESE = "你好，订单还没有到。谢谢！", "你好，訂單還沒有到。謝謝！"
KOREAN, RUSSIAN = "안녕하세요 주문이 아직 안 왔어요 똠방각하", "Здравствуйте, заказ не пришёл"
NEC = b"\x1b$B-!-j\x1b(B \x1b$B$G$9\x1b(B"

# The words, their codec or the very bytes, and what the label says.
CASES = [
    ("“Quotes” – €5 … it’s", "cp1252", "iso-8859-1"),
    ("“Quotes” – €5", "cp1252", "us-ascii"),
    ("“Quotes” – é", "cp1252", "utf-8"),
    ("“Quotes” – é", "cp1252", ""),
    ("déjà", "cp1252", "x-unknown"),
    ("déjà", "cp1252", "unknown-8bit"),
    ("“x”", "cp1252", "cp-1252"),
    ("“x”", "cp1252", "windows1252"),
    ("€ œ", "iso8859-15", "iso-8859-15"),
    ("ığşİ", "cp1254", "iso-8859-9"),
    (CHINESE + "㐀䶮 朱镕基", "gb18030", "gb2312"),
    (CHINESE + "镕", "gbk", "GBK"),
    (CHINESE, "gb18030", "x-gbk"),
    (CHINESE, "gbk", "cp936"),
    (CHINESE, "hz", "hz-gb-2312"),
    ("你好", b"\x1b$)A\x0eDc:C\x0f", "iso-2022-cn"),
    (TAIWANESE, "big5", "big5"),
    (TAIWANESE + "碁銹裏€", "cp950", "big5"),
    ("嘅咗喺佢哋", "big5hkscs", "big5"),
    ("嘅咗喺佢哋", "big5hkscs", "big5-hkscs"),
    (KOREAN, "cp949", "euc-kr"),
    (KOREAN, "cp949", "ks_c_5601-1987"),
    ("안녕하세요", "iso2022_kr", "iso-2022-kr"),
    (JAPANESE, "shift_jis", "Shift_JIS"),
    (JAPANESE + "①㈱髙", "cp932", "shift_jis"),
    (JAPANESE + "①", "cp932", "windows-31j"),
    (JAPANESE, "cp932", "x-sjis"),
    (JAPANESE, "cp932", "MS_Kanji"),
    (JAPANESE, "euc_jp", "euc-jp"),
    (JAPANESE, "euc_jp", "x-euc-jp"),
    ("① 髙です", b"\xad\xa1 \xfc\xe2\xa4\xc7\xa4\xb9", "eucJP-ms"),
    (JAPANESE, "iso2022_jp", "iso-2022-jp"),
    (JAPANESE, "iso2022_jp", "us-ascii"),
    (JAPANESE, "iso2022_jp", ""),
    ("ﾃｽﾄ", "iso2022_jp_ext", "iso-2022-jp"),
    ("①㈱ です", NEC, "iso-2022-jp"),
    ("①㈱ です", NEC, "iso-2022-jp-ms"),
    ("①㈱ です", NEC, "cp50220"),
    ("é 日本", "iso2022_jp_2", "iso-2022-jp-2"),
    ("日本", "iso2022_jp_2004", "iso-2022-jp-2004"),
    (RUSSIAN, "koi8_r", "koi8-r"),
    (RUSSIAN, "koi8_r", "koi8r"),
    ("Привіт їжак", "koi8_u", "koi8-u"),
    ("Привіт", "koi8_u", "koi8-ru"),
    (RUSSIAN, "cp1251", "win-1251"),
    (RUSSIAN, "cp866", "ibm866"),
    (RUSSIAN, "mac_cyrillic", "x-mac-cyrillic"),
    ("สวัสดี", "cp874", "tis-620"),
    ("สวัสดี€", "cp874", "windows-874"),
    ("שלום", "iso8859_8", "iso-8859-8-i"),
    ("مرحبا", "cp1256", "windows-1256"),
    ("Délai ✓ žluťoučký", "utf-8", "iso-8859-1"),
    ("Délai ✓", "utf-8", "us-ascii"),
    ("Délai mulțumesc", "utf-8", "windows-1252"),
    ("mulțumesc", "utf-8", "iso-8859-2"),
    (RUSSIAN, "utf-8", "windows-1251"),
    (RUSSIAN, "utf-8", "koi8-r"),
    (CHINESE, "utf-8", "gb2312"),
    (TAIWANESE, "utf-8", "big5"),
    (JAPANESE, "utf-8", "shift_jis"),
    (KOREAN, "utf-8", "euc-kr"),
    ("hello délai", "utf-8", "utf-16"),
    ("Délai", b"\xef\xbb\xbfD\xc3\xa9lai", "utf-8"),
    ("Délai", b"\xef\xbb\xbfD\xc3\xa9lai", "iso-8859-1"),
    ("Délai 😀", b"D\xc3\xa9lai \xed\xa0\xbd\xed\xb8\x80", "utf-8"),
    ("Délai ✓", "utf-16", "utf-16"),
    ("Délai ✓", "utf-16-le", "utf-16le"),
    ("Délai ok", "utf-16-be", "utf-16"),
    ("Délai ok", "utf-16-le", "utf-16"),
    ("Délai ✓", "utf-16", ""),
    ("Délai ✓", "utf-16", "utf-8"),
    ("Délai", "utf-32", "utf-32"),
    ("Hi été", b"Hi +AOk-t+AOk-", "utf-7"),
    ("déjà", "utf-8", "'utf-8'"),
    ("déjà", "utf-8", "=utf-8"),
    ("déjà", "utf-8", "unicode-1-1-utf-8"),
]


@pytest.mark.parametrize(("words", "written", "label"), CASES, ids=lambda value: str(value)[:30])
def test_words_read_as_they_were_written_whatever_the_label_says(words: str, written: str | bytes, label: str) -> None:
    raw = written if isinstance(written, bytes) else words.encode(written)
    kind = f'text/plain; charset="{label}"' if label else "text/plain"
    assert parse_mail(mail(raw, Content_Type=kind, Content_Transfer_Encoding="binary")).text.strip() == words


@pytest.mark.parametrize(
    ("words", "codec", "label"),
    [
        ("«РОССИЯ» №5", "cp1251", "windows-1251"),
        ("Я»", "cp1251", "windows-1251"),
        ("ÀÁ Ã© café", "cp1252", "windows-1252"),
        ("联通", "gbk", "gb2312"),
        (RUSSIAN, "cp1251", "windows-1251"),
        ("éèà", "mac_roman", "macintosh"),
        ("Ελλάδα", "cp1253", "windows-1253"),
    ],
)
def test_a_true_label_is_believed(words: str, codec: str, label: str) -> None:
    assert decode_text(words.encode(codec), label) == (words, True)


@pytest.mark.parametrize(
    "label", ["zlib", "base64", "rot13", "idna", "punycode", "../../x", "os", "utf-8\0", "x" * 100]
)
def test_no_label_reaches_anything_but_a_charset(label: str) -> None:
    codec = find_codec(label[:60])
    assert codec is None or codec in ("idna", "punycode", "utf_8")
    text, _ = decode_text(b"d\xe9j\xe0 vu", label)
    assert "vu" in text


@pytest.mark.parametrize(
    ("raw", "charset", "subject"),
    [
        ("订单没有到".encode("gbk"), "gb2312", "订单没有到"),
        ("Заказ".encode("koi8_r"), "koi8-r", "Заказ"),
        ("ご注文".encode("cp932"), "shift_jis", "ご注文"),
        ("Délai".encode(), "gb2312", "Délai"),
        (b"D\xe9lai", "utf-8", "Délai"),
        (b"D\xe9lai", "iso-8859-1", "Délai"),
    ],
)
def test_raw_bytes_of_a_header_are_in_the_charset_of_the_text(raw: bytes, charset: str, subject: str) -> None:
    content = mail(b"x", Content_Type=f"text/plain; charset={charset}").replace(b"Order tb-20418", raw)
    message = parse_mail(content.replace(b"From: ", b'From: "' + raw + b'" <x@x.example>\r\nX-Was: ', 1))
    assert (message.subject, message.author.name) == (subject, subject)


@pytest.mark.parametrize(
    ("date", "hour"),
    [
        ("Wed, 05 Jun 2024 10:11:00 +07:00", 3), ("Wed, 05 Jun 2024 10:11:00 GMT+7", 3),
        ("Wed, 05 Jun 2024 10:11:00 +7", 3), ("Wed, 05 Jun 2024 10:11:00 CEST", 8),
        ("Wed, 05 Jun 2024 10:11:00 WIB", 3), ("Wed, 05 Jun 2024 10:11:00.123 +0000", 10),
        ("Wed (x), 05 Jun 2024 10:11:00 +0000", 10), ("Wed, =?utf-8?q?05?= Jun 2024 10:11:00 +0000", 10),
    ],
)  # fmt: skip
def test_odd_zones_of_a_date_are_read(date: str, hour: int) -> None:
    found = parse_date(date)
    assert found is not None and (found.day, found.hour, found.minute) == (5, hour, 11)


def test_f14_of_several_fields_the_first_that_says_something_counts() -> None:
    head = b"From:\r\nFrom: Sari <sari@x.example>\r\nDate: yesterday\r\nDate: Wed, 05 Jun 2024 10:11:00 +0000\r\n"
    head += b"Message-ID:\r\nMessage-ID: <2@x.example>\r\nSubject:\r\nSubject: Hello\r\n"
    message = parse_mail(head + b"\r\nwords\r\n")
    assert (message.author.address, message.message_id, message.subject) == ("sari@x.example", "2@x.example", "Hello")
    assert message.written_at is not None and not {Flag.BAD_DATE, Flag.NO_MESSAGE_ID, Flag.NO_FROM} & set(message.flags)
