"""A simulated Mastodon server, see server.py."""

from connectors.simulators.mastodon.server import MastodonServer

__all__ = ["MastodonServer"]
