"""Which fields and expansions a request asks for: docs.x.com/x-api/fundamentals/fields and …/expansions.

The documentation speaks of tweets (`tweet.fields`, `includes.tweets`, `edit_history_tweet_ids`), X's newest SDK of
posts (`post.fields`, `includes.posts`, `edit_history_post_ids`). Both are understood; the answer speaks as the request
does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.simulators.exchange import Request


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TWEET_FIELDS = _names(
    "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata "
    "non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics public_metrics "
    "referenced_tweets reply_settings scopes source text withheld username"
)
USER_FIELDS = _names(
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified location "
    "most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url protected public_metrics "
    "receives_your_dm subscription subscription_type url username verified verified_followers_count verified_type "
    "withheld"
)
MEDIA_FIELDS = _names(
    "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url promoted_metrics "
    "public_metrics type url variants width"
)
POLL_FIELDS = _names("duration_minutes end_datetime id options voting_status")
DM_FIELDS = _names(
    "attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets sender_id text"
)
PLACE_FIELDS = _names("contained_within country country_code full_name geo id name place_type")
EXPANSIONS = _names(
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet "
    "attachments.poll_ids author_id author_screen_name edit_history_tweet_ids entities.mentions.username geo.place_id "
    "in_reply_to_user_id entities.note.mentions.username pinned_tweet_id referenced_tweets.id "
    "referenced_tweets.id.author_id referenced_tweets.id.attachments.media_keys sender_id participant_ids "
    "most_recent_tweet_id affiliation.user_id"
)
# An expansion brings the field that holds the ids, too.
_FIELD_OF = {
    "attachments.media_keys": "attachments",
    "attachments.poll_ids": "attachments",
    "author_id": "author_id",
    "in_reply_to_user_id": "in_reply_to_user_id",
    "entities.mentions.username": "entities",
    "referenced_tweets.id": "referenced_tweets",
    "referenced_tweets.id.author_id": "referenced_tweets",
    "referenced_tweets.id.attachments.media_keys": "referenced_tweets",
    "sender_id": "sender_id",
    "participant_ids": "participant_ids",
}
_NAMES = {"tweet.fields": TWEET_FIELDS, "user.fields": USER_FIELDS, "media.fields": MEDIA_FIELDS}
_NAMES |= {"poll.fields": POLL_FIELDS, "dm_event.fields": DM_FIELDS, "place.fields": PLACE_FIELDS}
_NAMES |= {"expansions": EXPANSIONS}
FIELD_PARAMETERS = frozenset({*_NAMES, "post.fields"})
_NEW_NAMES = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "tweet_count": "post_count",
    "retweet_count": "repost_count",
    "most_recent_tweet_id": "most_recent_post_id",
    "pinned_tweet_id": "pinned_post_id",
    "media_source_tweet": "media_source_post",
}
_OLD_NAMES = {new: old for old, new in _NEW_NAMES.items()}


class UnknownField(ValueError):
    """`parameter` names one that X does not have."""

    def __init__(self, parameter: str, value: str) -> None:
        super().__init__(f"The `{parameter}` query parameter value [{value}] is not one of those that exist.")
        self.parameter, self.value = parameter, value


@dataclass(frozen=True, slots=True)
class Wanted:
    tweet: frozenset[str] = frozenset()
    user: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    poll: frozenset[str] = frozenset()
    direct: frozenset[str] = frozenset()
    expansions: frozenset[str] = frozenset()
    speaks_of_posts: bool = field(default=False)


def is_newest_sdk(request: Request) -> bool:
    """By its words; where a request needs none of them (who am I?), by its name."""
    return "post.fields" in request.query or request.headers.get("user-agent", "").startswith("xdk-")


def read_wanted(request: Request) -> Wanted:
    """Raises UnknownField."""
    found: dict[str, frozenset[str]] = {}
    speaks_of_posts = is_newest_sdk(request)
    for parameter, known in _NAMES.items():
        given = [one for text in request.query.get(parameter, ()) for one in text.split(",")]
        if parameter == "tweet.fields":
            given += [one for text in request.query.get("post.fields", ()) for one in text.split(",")]
        names = [_old_name(one.strip()) for one in given if one.strip()]
        speaks_of_posts = speaks_of_posts or names != [one.strip() for one in given if one.strip()]
        for name in names:
            if name not in known:
                raise UnknownField(parameter, name)
        found[parameter] = frozenset(names)
    expansions = found["expansions"]
    brought = frozenset(_FIELD_OF[one] for one in expansions if one in _FIELD_OF)
    return Wanted(
        tweet=found["tweet.fields"] | brought,
        user=found["user.fields"],
        media=found["media.fields"],
        poll=found["poll.fields"],
        direct=found["dm_event.fields"] | brought,
        expansions=expansions,
        speaks_of_posts=speaks_of_posts,
    )


def _old_name(name: str) -> str:
    head, dot, rest = name.partition(".")
    head, rest = _OLD_NAMES.get(head, head), _OLD_NAMES.get(rest, rest)
    return head + dot + rest


def in_new_words(value: Any, inside: str = "") -> Any:
    """An answer as X's newest SDK names its fields."""
    if isinstance(value, list):
        return [in_new_words(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = {**_NEW_NAMES, "tweets": "posts"} if inside == "includes" else _NEW_NAMES
    return {names.get(name, name): in_new_words(one, name) for name, one in value.items()}
