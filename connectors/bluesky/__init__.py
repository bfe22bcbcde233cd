"""Bluesky and every server of its network (https://atproto.com): posts and direct messages of one account."""

from connectors.bluesky.channel import BlueskyConnector

__all__ = ["BlueskyConnector"]
