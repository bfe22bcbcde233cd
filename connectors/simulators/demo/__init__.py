"""The demo: a made-up shop for bags, sixty made-up customers, and real IMAP and SMTP between them, on loopback only."""

from connectors.simulators.demo.servers import DemoServers
from connectors.simulators.demo.world import DemoWorld

__all__ = ["DemoServers", "DemoWorld"]
