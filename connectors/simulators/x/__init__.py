"""A simulated X (Twitter) for rehearsals and tests, made from X's public documentation."""

from connectors.simulators.x.access import ALL_SCOPES, App
from connectors.simulators.x.limits import Quota
from connectors.simulators.x.network import Refusal
from connectors.simulators.x.server import XServer

__all__ = ["ALL_SCOPES", "App", "Quota", "Refusal", "XServer"]
