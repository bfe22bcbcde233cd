"""A shelf on paper for any kind: versions are items of their own, repeats change nothing."""

from __future__ import annotations

from connectors.base import Connector
from connectors.messages import Page, RawItem, Scope, Wish
from tests.connectors.paper_shelf import PaperShelf

Key = tuple[Scope, str, str]


def content_of(item: RawItem) -> bytes:
    assert (item.content is None) != (item.path is None)
    return item.content if item.content is not None else item.path.read_bytes()  # type: ignore[union-attr]


class Shelf(PaperShelf):
    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[Key, RawItem] = {}

    def put(self, page: Page) -> None:
        """Every page as it would be stored: nothing of a later one is needed."""
        for scope in page.retired:
            self._scopes.pop(scope, None)
        for item in page.items:
            assert content_of(item)
            self.versions.setdefault((item.scope, item.external_id, item.version), item)
        scopes = {*page.state, *(item.scope for item in page.items), *(one.scope for one in page.covered)}
        for scope in scopes | {one.scope for one in page.troubles} | {scope for scope, _ in page.gone}:
            self._update(scope, page)

    def take(self, connector: Connector, wish: Wish, pages: int | None = None) -> int:
        """Fetches on from here, at most so many pages; how many there were."""
        number = 0
        for number, page in enumerate(connector.fetch(self.known(), wish), 1):
            self.put(page)
            if number == pages:
                break
        return number

    def inbound(self) -> list[RawItem]:
        return [item for item in self.versions.values() if not item.is_sent]
