"""Mastodon, and other servers that speak its client API: https://docs.joinmastodon.org/client/intro/."""

from connectors.mastodon.channel import MastodonConnector

__all__ = ["MastodonConnector"]
