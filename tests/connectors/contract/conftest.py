"""The harness of each kind in turn. The fourth, tiny kind comes in as any other package's would: by an entry point."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from tests.connectors.contract import Harness

TOY = "feed"
KINDS = [*registry.kinds(), TOY]


def find_harness(kind: str) -> Any:
    name = f"tests.connectors.contract.of_{kind}"
    return importlib.import_module(name).Harness if importlib.util.find_spec(name) else None


def install_toy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str = "tests.connectors.contract.feed_kind:FeedConnector"
) -> None:
    """What `pip install` would leave behind, as far as entry points are concerned."""
    about = folder / "balas_feed-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: balas-feed\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[balas.connectors]\nfeed = {where}\n")
    monkeypatch.syspath_prepend(folder)
    registry._factories.cache_clear()


@pytest.fixture(params=KINDS)
def harness(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    kind = request.param
    if kind == TOY:
        (tmp_path / "site").mkdir()
        install_toy(tmp_path / "site", monkeypatch)
    made = find_harness(kind)
    if made is None:
        pytest.fail(f"the kind “{kind}” has no harness: tests/connectors/contract/of_{kind}.py")
    with made() as harness:
        yield harness
    monkeypatch.undo()
    registry._factories.cache_clear()


@pytest.fixture
def no_network() -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something asked the network")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "send", "sendall", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield
