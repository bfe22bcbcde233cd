"""What X, and those who took over its rules, take for a host name in a running text: twitter-text's letters and ends.

https://github.com/twitter/twitter-text, “extract URLs” (Apache-2.0). Facts only; each kind walks over a text as its
platform does.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

# For the inside of brackets in a regular expression.
SPACES = r"\x09-\x0D\x20\x85\xA0\u1680\u180E\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
NEVER = r"\uFFFE\uFEFF\uFFFF"
DIRECTIONS = r"\u202A-\u202E\u061C\u200E\u200F\u2066\u2067\u2068\u2069"
LATIN = (
    r"\xC0-\xD6\xD8-\xF6\xF8-\xFF\u0100-\u024F\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268\u026F\u0272\u0289"
    r"\u028B\u02BB\u0300-\u036F\u1E00-\u1EFF"
)
NO_HOST = r"!'#%&()*+,\\/:;<=>?@\[\]^{|}~$" + SPACES + NEVER + DIRECTIONS  # nor, at the ends of a part: . - _


@cache
def host_ends() -> frozenset[str]:
    """Top-level domains of every alphabet, in lower case."""
    text = files("connectors").joinpath("hostends.txt").read_text("utf-8")
    return frozenset(end for line in text.splitlines() if not line.startswith("#") for end in line.split())
