"""X (https://docs.x.com/x-api): posts and direct messages of one account. tweepy is loaded when something is asked."""

from connectors.x.channel import XConnector

__all__ = ["XConnector"]
