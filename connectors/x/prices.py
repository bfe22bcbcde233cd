"""What the X API charges, pay-per-use, as last read. The rates move: the Developer Console shows those of the day.

Sources: docs.x.com/x-api/getting-started/pricing ("Credit consumption details": reads are charged for each resource
in the answer, writes for each request; "Deduplication": a resource once per UTC day, a soft guarantee), and X's note
of 2026-04-17 on owned reads (from 2026-04-20: our own posts and `/2/users/:id/mentions` at $0.001 where the app and
the account belong together) and on posts with a link ($0.200).

Resources that come along by expansion are in the answer, so they are charged as what they are: an author as a user.
"""

from __future__ import annotations

from datetime import date

from connectors.metering import PriceList

PRICES = PriceList(
    as_of=date(2026, 11, 25),
    source="https://docs.x.com/x-api/getting-started/pricing",
    micros={
        "post.read": 5_000,
        "owned.read": 1_000,
        "user.read": 10_000,
        "dm.read": 10_000,
        "media.read": 5_000,
        "post.create": 15_000,
        "post.create-with-link": 200_000,
        "dm.create": 15_000,
        "media.metadata": 5_000,
    },
    words={
        "post.read": "a post read",
        "owned.read": "a mention or a post of our own read",
        "user.read": "an author's profile read",
        "dm.read": "a direct message read",
        "media.read": "a picture's or film's facts read by themselves",
        "post.create": "a post or reply published",
        "post.create-with-link": "a post or reply with a link published",
        "dm.create": "a direct message sent",
        "media.metadata": "a picture's description saved",
    },
    once_a_day=frozenset({"post.read", "owned.read", "user.read", "dm.read", "media.read"}),
    same_as={"owned.read": "post.read"},  # a post is one thing, in whichever list it was read
)

# What each endpoint that we use charges for: (resource of `data`, resources that its expansions bring).
YIELDS = {
    "GET /2/users/me": ("user.read", ()),
    "GET /2/users/:id/mentions": ("owned.read", ("user.read",)),
    "GET /2/users/:id/tweets": ("owned.read", ()),
    "GET /2/tweets": ("post.read", ()),
    "GET /2/tweets/:id/quote_tweets": ("post.read", ("user.read",)),
    "GET /2/tweets/search/recent": ("post.read", ("user.read",)),
    "GET /2/dm_events": ("dm.read", ("user.read",)),
    "POST /2/tweets": ("post.create", ()),
    "POST /2/dm_conversations/:dm_conversation_id/messages": ("dm.create", ()),
    "POST /2/dm_conversations/with/:participant_id/messages": ("dm.create", ()),
    "POST /2/media/metadata": ("media.metadata", ()),
}
