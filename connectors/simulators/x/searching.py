"""The query language of recent search, as far as it is used: docs.x.com/x-api/posts/search/integrate/build-a-query.

Words and "phrases", @name, #tag, from:, to:, conversation_id:, in_reply_to_tweet_id:, quotes_of_tweet_id:, url:, lang:,
is:reply, is:quote, is:retweet, has:links, has:media, has:mentions, with OR, minus and parentheses. A space is "and".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from connectors.simulators.exchange import Malformed
from connectors.simulators.x.network import XNetwork
from connectors.simulators.x.things import XPost

Test = Callable[[XPost], bool]
_TOKEN = re.compile(r'\s*(\(|\)|-(?=\S)|OR\b|"[^"]*"|[^\s()"]+(?:"[^"]*")?)')
_DEPTH = 20


def matcher(query: str, world: XNetwork) -> Test:
    """Raises Malformed for a query that X would not understand."""
    tokens = [match[1] for match in _TOKEN.finditer(query)]
    test, rest = _either(tokens, world, 0)
    if rest:
        raise Malformed("There were errors processing your request: unbalanced parenthesis")
    return test


def _either(tokens: list[str], world: XNetwork, depth: int) -> tuple[Test, list[str]]:
    if depth > _DEPTH:
        raise Malformed("The query is nested too deeply.")
    tests: list[Test] = []
    while True:
        test, tokens = _all(tokens, world, depth)
        tests.append(test)
        if not tokens or tokens[0] != "OR":
            return (lambda post: any(one(post) for one in tests)), tokens
        tokens = tokens[1:]


def _all(tokens: list[str], world: XNetwork, depth: int) -> tuple[Test, list[str]]:
    tests: list[Test] = []
    while tokens and tokens[0] not in (")", "OR"):
        is_not = tokens[0] == "-"
        tokens = tokens[1:] if is_not else tokens
        if not tokens:
            break
        if tokens[0] == "(":
            test, tokens = _either(tokens[1:], world, depth + 1)
            if not tokens or tokens[0] != ")":
                raise Malformed("There were errors processing your request: missing parenthesis")
        else:
            test = _single(tokens[0], world)
        tokens = tokens[1:]
        tests.append(_opposite(test) if is_not else test)
    if not tests:
        raise Malformed("There were errors processing your request: empty clause")
    return (lambda post: all(one(post) for one in tests)), tokens


def _opposite(test: Test) -> Test:
    return lambda post: not test(post)


def _single(token: str, world: XNetwork) -> Test:
    name, colon, value = token.partition(":")
    value = value.strip('"')
    if colon and name.lower() in _OPERATORS:
        return _OPERATORS[name.lower()](value, world)
    if token.startswith("@"):
        return _mentions(token[1:], world)
    words = token.strip('"').lower()
    return lambda post: re.search(rf"(?<!\w){re.escape(words)}(?!\w)", post.text.lower()) is not None


def _mentions(name: str, world: XNetwork) -> Test:
    return lambda post: any(
        member.username.lower() == name.lstrip("@").lower() for _, _, member in world.mentioned(post)
    )


def _author(value: str, world: XNetwork) -> Test:
    member = world.members.get(value) or world.find_member(value)
    return lambda post: member is not None and post.author_id == member.id


def _answered(value: str, world: XNetwork) -> Test:
    member = world.members.get(value) or world.find_member(value)

    def test(post: XPost) -> bool:
        answered = world.posts.get(post.answers)
        return answered is not None and member is not None and answered.author_id == member.id

    return test


def _is(value: str, world: XNetwork) -> Test:
    attribute = {"reply": "answers", "quote": "quotes", "retweet": "reposts"}.get(value)
    if attribute is None:
        raise Malformed(f"is:{value} is not known here.")
    return lambda post: bool(getattr(post, attribute))


def _has(value: str, world: XNetwork) -> Test:
    tests: dict[str, Test] = {
        "links": lambda post: bool(post.links),
        "media": lambda post: bool(post.uploads),
        "mentions": lambda post: bool(world.mentioned(post)),
    }
    if value not in tests:
        raise Malformed(f"has:{value} is not known here.")
    return tests[value]


def _same(attribute: str) -> Callable[[str, XNetwork], Test]:
    return lambda value, world: lambda post: getattr(post, attribute) == value


_OPERATORS: dict[str, Callable[[str, XNetwork], Test]] = {
    "from": _author,
    "to": _answered,
    "conversation_id": _same("conversation_id"),
    "in_reply_to_tweet_id": _same("answers"),
    "quotes_of_tweet_id": _same("quotes"),
    "retweets_of_tweet_id": _same("reposts"),
    "lang": _same("lang"),
    "is": _is,
    "has": _has,
    "url": lambda value, world: lambda post: any(value.lower() in link.long.lower() for link in post.links),
}
