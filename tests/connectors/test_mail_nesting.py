"""The depth scan may say "too deep" too often, never too rarely: it is held to a real HTML parser."""

from __future__ import annotations

import random

import pytest
from selectolax.lexbor import LexborHTMLParser

from connectors.mail.nesting import _TIDY_BLOCKS, _TIDY_FORMATTING, _is_tidy, _Scan, looks_deeper_than_allowed

FRAGMENTS = """
<div>|</div>|<p>|</p>|<b>|</b>|<b id=1>|<i>|</i>|<li>|</li>|<dd>|<dt>|</dd>|<ul>|</ul>|<table>|</table>|<tr>|<td>|</td>
|</tr>|<x>|</x>|<span>|</span>|<form>|</form>|<a href=x>|</a>|<h1>|</h2>|<option>|<optgroup>|<rt>|<ruby>|</ruby>|x
|<!--</div>-->|<!--></div>|<div title='</div>'>|<div ">|<div a=b"></div>|<style></div></style>|<caption>|<th>|<tbody>
|</tbody>|<center>|</center>|<blockquote>|<font>|</font>|<nobr>|<address>|</address>|<pre>|</pre>|<hr>|<br/>|<div/>
|<fieldset>|<legend>|<svg>|</svg>|<math>|<mi>|<select>|</select>|<template>|</template>|<button>|</button>
|<![CDATA[</div>]]>|<?x </div>|</ x>|<textarea></div></textarea>|<dl>|</dl>|<article>|</article>|<div =">|<div a='
|<noscript>|</noscript>|<script><!--</script>|<object>|</object>|</body>|</html>|<html>|<tfoot>|<colgroup>|<col>
""".replace("\n", "").split("|")


def scanned_depth(html: str) -> int:
    """The greatest depth that the scan thought possible, with its limits out of the way."""
    scan = _Scan(html, 10**9)
    scan.is_too_much()
    return scan.deepest


def parsed_depth(html: str) -> int:
    top = LexborHTMLParser(html).body
    deepest, waiting = 0, [(top, 1)] if top is not None else []
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        child = node.last_child
        while child is not None:
            if child.is_element_node:
                waiting.append((child, depth + 1))
            child = child.prev
    return deepest


@pytest.mark.parametrize("seed", range(5))
def test_the_scan_never_sees_less_depth_than_the_parser_builds(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(1500):
        pool = dice.choices(FRAGMENTS, k=dice.randint(1, 6))
        html = "".join(dice.choices(pool, k=dice.randint(3, 150)))
        # body, and the table parts that a parser puts in by itself
        assert parsed_depth(html) <= scanned_depth(html) * 3 + 6, (pool, html)
        if "<table" not in html:
            assert parsed_depth(html) <= scanned_depth(html) + 3, (pool, html)


def tidy(dice: random.Random, room: int, is_inline: bool = False) -> str:
    """Plain tags, each closed by its own name, no block inside formatting."""
    if room <= 0:
        return "x<br>"
    names = [*sorted(_TIDY_FORMATTING if is_inline else _TIDY_FORMATTING | _TIDY_BLOCKS), "span"]
    out = []
    for _ in range(dice.randint(1, 3)):
        name = dice.choice(names)
        inner = tidy(dice, room - dice.randint(1, 4), is_inline or name in _TIDY_FORMATTING)
        attributes = dice.choice(("", " id=1", ' class="x > y"'))
        out.append(f"<{name}{attributes}>{inner}</{name}>")
    return "".join(out)


def test_what_is_tidy_nests_no_deeper_than_it_is_written() -> None:
    dice, seen = random.Random(1), 0
    for _ in range(3000):
        html = tidy(dice, dice.randint(1, 12))
        depth = parsed_depth(html)
        for limit in range(1, depth - 2):  # body, and what a parser adds around it
            assert not _is_tidy(html, limit), (limit, depth, html)
        seen += _is_tidy(html, 400)
    assert seen > 300


@pytest.mark.parametrize(
    "html",
    [
        "<div></p></div>", "<div><span></div></span>", "<b><div></div></b>", "<svg></svg>", "<div>x", "</div>", "a < b",
        "<div title='>'></div>", "<!-- --><div></div>", "<script></script>", "<DIV></DIV>", "<div/></div",
        '<div a="<"></div>',
    ],
)  # fmt: skip
def test_whatever_is_not_tidy_is_scanned(html: str) -> None:
    assert not _is_tidy(html, 400) or html == "<div>x"


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<span>",
        "<b>",
        "<dd><li>",
        '<div title="</div>">',
        "<x><div></x>",
        "<form><div></form>",
        "<div><!--</div>-->",
        "<div><style></div></style>",
        "<table><tr><td>",
        "<div ></ div>",
        "<optgroup>",
        "<rt>",
        "<svg>",
        "<div/>",
        "<font>",
    ],
)
def test_f83_twenty_thousand_open_tags_are_refused(unit: str) -> None:
    assert looks_deeper_than_allowed(unit * 20_000)


def test_f83_formatting_that_a_parser_would_copy_into_every_paragraph_is_refused() -> None:
    assert looks_deeper_than_allowed("<p>" + "".join(f"<b id={n}>" for n in range(390)) + "<p>x" * 50_000)


@pytest.mark.parametrize(
    "page",
    [
        "<p>one <b>two</b> <a href=x>three</a></p>" * 20_000,
        "<li>one" * 20_000,
        "<table>" + "<tr><td>a<td>b" * 20_000 + "</table>",
        "<p>unclosed <br>" * 20_000,
        "<div><table><tr><td><font color=red><p>x</font></td></tr></table></div>" * 5_000,
        "1 < 2 and 3 > 2 " * 20_000,
    ],
)
def test_long_flat_pages_are_not_refused(page: str) -> None:
    assert not looks_deeper_than_allowed(page)
