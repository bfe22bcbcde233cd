"""Raw items → parsed ones, here or in child processes that may be killed.

A child imports no Django and holds no credentials. One that hangs or dies takes down only the items it was given; they
are then read one by one, and what still fails is a visible message that could not be read.
"""

from __future__ import annotations

import logging

from connectors.messages import Address, Flag, Parsed, ParsedMessage, RawItem
from connectors.registry import AccountSettings, make_connector

log = logging.getLogger(__name__)

Job = tuple[AccountSettings, RawItem]
SECONDS = 30.0
"""A child that says nothing for so long is ended."""


def parse_one(account: AccountSettings, item: RawItem) -> Parsed:
    return make_connector(account, {}).parse(item)


def unreadable(item: RawItem) -> ParsedMessage:
    """What stands for an item that no parser could read: visible, with its source to download."""
    return ParsedMessage(
        author=Address(""),
        recipients=(),
        subject="",
        text="",
        visible_text="",
        written_at=None,
        message_id="",
        flags=(Flag.UNREADABLE,),
    )
