"""By which way this installation reaches the platforms: one for the whole process, set once at its start."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Route:
    """`proxy`: "http://[USER:PASSWORD@]HOST:PORT", "" for none. `ca_file`: authorities in PEM, "" for the system's."""

    proxy: str = field(default="", repr=False)
    ca_file: str = ""


_chosen = Route()


def use_route(route: Route) -> None:
    global _chosen
    _chosen = route


def chosen_route() -> Route:
    return _chosen
