"""A simulated Bluesky for rehearsals and tests, made from the lexicons and pages that the platform publishes."""

from connectors.simulators.bluesky.server import BlueskyServer

__all__ = ["BlueskyServer"]
