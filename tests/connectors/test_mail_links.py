"""Where links lead, and names that look like others (failures 51 and 53 as a reader meets them)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.html import clean_html
from connectors.mail.links import Link, host_of, look_at, named_host
from connectors.mail.lookalikes import Mark, is_foreign, seemings, skeleton


@pytest.mark.parametrize(
    ("href", "host"),
    [
        ("https://shop.example/x?y#z", "shop.example"),
        ("HTTPS://SHOP.Example:8443/", "shop.example"),
        ("https://paypal.com@evil.example/", "evil.example"),
        ("https://paypal.com:pass@evil.example:1/", "evil.example"),
        ("https:\\\\evil.example\\@good.example", "evil.example"),
        ("https://good.example\\@evil.example", "good.example"),
        ("htt\tps:/\nevil.example/", "evil.example"),
        ("https:evil.example", "evil.example"),
        ("https:////evil.example", "evil.example"),
        (" https://evil\u200b.example", "evil.example"),
        ("https://ｅvil.example", "evil.example"),
        ("https://pаypal.com", "xn--pypal-4ve.com"),
        ("https://evil.example.", "evil.example"),
        ("https://[::1]:80/", "[::1]"),
        ("https://evil.example?@good.example", "evil.example"),
        ("https://evil.example#@good.example", "evil.example"),
        ("mailto:a@b.example", ""),
        ("//evil.example", ""),
        ("javascript:x", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_link_is_the_one_a_browser_goes_to(href: str, host: str) -> None:
    assert host_of(href) == host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("paypal.com", "paypal.com"),
        ("https://paypal.com/login", "paypal.com"),
        ("www.paypal.com now", "www.paypal.com"),
        ("Log in at paypal.com today", "paypal.com"),
        ("→ PayPal.com/security", "paypal.com"),
        ("(see https://bank.example/x)", "bank.example"),
        ("Click here", ""),
        ("invoice.pdf", ""),
        ("write to me@paypal.com", ""),
        ("e.g.", ""),
        ("Node.js", ""),
        ("version 1.2.3", ""),
    ],
)
def test_a_links_words_name_a_host_or_none(text: str, host: str) -> None:
    assert named_host(text) == host


@pytest.mark.parametrize(
    ("href", "text", "misleads"),
    [
        ("https://evil.example/", "https://paypal.com", True),
        ("https://paypal.com.evil.example/", "paypal.com", True),
        ("https://evilpaypal.com/", "paypal.com", True),
        ("https://paypal.com@evil.example/", "Click", True),
        ("https://xn--pypal-4ve.com/", "Click", True),
        ("https://xn--80ak6aa92e.com/", "Click", True),
        ("https://www.paypal.com/x", "paypal.com", False),
        ("https://paypal.com/x", "www.paypal.com", False),
        ("https://click.shop.example/x", "shop.example", False),
        ("https://münchen.example/", "münchen.example", False),
        ("https://evil.example/", "Click here", False),
        ("https://user@evil.example/", "Click here", False),
    ],
)
def test_a_link_misleads_when_it_says_another_host_or_is_dressed_as_one(href: str, text: str, misleads: bool) -> None:
    link = look_at(href, text)
    assert link is not None and link.is_misleading is misleads


def cleaned(html: str) -> str:
    return clean_html(html, cid_url=lambda _id: None, leaving_url=lambda link: f"/l/{link.named}").html


def test_f74_every_link_tells_its_host_and_a_misleading_one_asks_first() -> None:
    shown = cleaned("<a href='https://shop.example/a'>Shop</a> <a href='https://evil.example/'>paypal.com</a>")
    assert 'title="shop.example"' in shown and 'href="https://shop.example/a"' in shown
    assert 'href="/l/paypal.com"' in shown and "https://evil.example" not in shown


def test_f74_a_sender_cannot_name_the_host_of_a_link_themselves() -> None:
    for html in (
        "<a href='https://evil.example/' title='paypal.com'>x</a>",
        "<svg><a title='paypal.com' href='https://evil.example/'>x</a></svg>",
        "<table><a title='paypal.com' href=https://evil.example/>x</table>",
        "<a title=0123456789abcdefpaypal.com href=https://evil.example/>x</a>",
    ):
        shown = cleaned(html)
        assert "paypal.com" not in shown
        assert "evil.example" in shown or "<a" not in shown


def test_f74_links_that_hide_behind_thousands_of_others_are_looked_at_or_lead_nowhere() -> None:
    many = "".join(f"<a href=https://x{number}.example/></a>" for number in range(5000))
    assert "https://evil.example" not in cleaned(f"{many}<a href='https://evil.example/'>paypal.com</a>")
    lying = "".join(f"<a href=https://x{number}.example/>paypal.com</a>" for number in range(3000))
    shown = cleaned(lying)
    assert 'href="https://x' not in shown
    assert shown.count('href="/l/paypal.com"') == 500


@given(st.text(alphabet="ab.:/@\\?#%[]- \t\u200b\u043e|<>\"'&;xn", max_size=60))
def test_no_link_breaks_the_look_or_gets_a_host_with_room_for_lies(text: str) -> None:
    link = look_at("https:" + text, text)
    assert link is None or (isinstance(link, Link) and not any(one in host_of(link.href) for one in "/@\\?# \t"))


# --- Names that look like others ------------------------------------------------------------------------------------

OURS = ("toko.example", "toko-kita.example")


@pytest.mark.parametrize(
    ("name", "address", "mark"),
    [
        ("billing@bank.example", "x@evil.example", Mark.ADDRESS_IN_NAME),
        ("Ana <ana@toko.example>", "x@evil.example", Mark.ADDRESS_IN_NAME),
        ("ana＠toko.example", "x@evil.example", Mark.ADDRESS_IN_NAME),
        ("Pаypal", "x@evil.example", Mark.MIXED_NAME),
        ("Ρaypal Support", "x@evil.example", Mark.MIXED_NAME),
        ("Ana", "ana@xn--pypal-4ve.com", Mark.FOREIGN_DOMAIN),
        ("Ana", "ana@xn--80ak6aa92e.com", Mark.FOREIGN_DOMAIN),
        ("Ana", "ana@xn--0.example", Mark.FOREIGN_DOMAIN),
        ("Ana", "ana@t0ko.example", Mark.LIKE_OURS),
        ("Ana", "ana@" + "tokо.example".encode("idna").decode(), Mark.LIKE_OURS),
        ("Ana", "ana@toko.example.evil.example", Mark.LIKE_OURS),
        ("Ana", "ana@mail.toko.example.evil.example", Mark.LIKE_OURS),
        ("Ana", "ana@toko-klta.example", Mark.LIKE_OURS),
        ("TOKO KITA", "x@evil.example", Mark.LIKE_OURS),
        ("Toko  Kıta", "x@evil.example", Mark.LIKE_OURS),
    ],
)
def test_f53_what_is_made_to_look_like_another_is_marked(name: str, address: str, mark: Mark) -> None:
    assert mark in [one.mark for one in seemings(name, address, OURS, ["Toko Kita"])]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Ana Pop", "ana@shop.example"),
        ("Ana Pop", "ana@mail.toko.example"),
        ("Toko Kita", "info@toko.example"),
        ("Анна Петрова", "anna@xn--80a1acny.xn--p1ai"),
        ("Γιώργος", "g@shop.example"),
        ("山田太郎", "y@xn--wgv71a119e.example"),
        ("José Ångström", "j@xn--mnchen-3ya.example"),
        ("ana@shop.example", "ana@shop.example"),
        ("Sales (EU) – Ελλάδα team", "s@shop.example"),
        ("", "x@shop.example"),
        ("Nobody", ""),
    ],
)
def test_f53_honest_names_in_any_alphabet_are_not_marked(name: str, address: str) -> None:
    assert seemings(name, address, OURS, ["Toko Kita"]) == []


def test_f53_a_skeleton_is_for_warnings_and_tells_look_alikes_by_their_look() -> None:
    assert skeleton("pаypаl") == skeleton("paypal") == skeleton("PayPal") == skeleton("paypa1")
    assert skeleton("rnicrosoft.com") == skeleton("microsoft.com")
    assert skeleton("ana") != skeleton("ane")
    assert not is_foreign("shop.example")


@given(st.text(max_size=80), st.text(max_size=80))
def test_f53_no_name_or_address_breaks_the_marks(name: str, address: str) -> None:
    seemings(name, address, OURS, ["Toko Kita"])
