"""Search tests run on the database's own index and, where it can be had, on a real Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from search.backend import SearchBackend, get_backend
from search.cluster import Cluster
from search.elastic import ElasticBackend
from search.models import IndexGeneration
from tests.servers.elasticsearch import running_elasticsearch

_prefixes = count(1)


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    with running_elasticsearch() as server:
        yield server.url


@pytest.fixture
def cluster(elasticsearch_url: str, db: None) -> Iterator[Cluster]:
    """An Elasticsearch without indices of ours."""
    cluster = Cluster(elasticsearch_url, f"test{next(_prefixes)}")
    yield cluster
    for name in IndexGeneration.objects.values_list("name", flat=True):
        cluster.drop(name)


class Indexed:
    """A back end, and `settle`, after which all that was noted can be found through its index alone."""

    def __init__(self, backend: SearchBackend, cluster: Cluster | None = None) -> None:
        self.backend = backend
        self.cluster = cluster

    def settle(self) -> None:
        while not self.backend.drain().is_done:
            pass
        if self.cluster is not None:
            for name in IndexGeneration.objects.exclude(state="retired").values_list("name", flat=True):
                self.cluster.refresh(name)

    def find(self, query: str, accounts: set[int] | None = None, limit: int = 200) -> list[int]:
        return [hit.message for hit in self.backend.search(query, accounts=accounts, limit=limit).hits]


_ELASTICSEARCH = [pytest.mark.servers, pytest.mark.xdist_group("elasticsearch")]  # one node is enough


@pytest.fixture(params=["database", pytest.param("elasticsearch", marks=_ELASTICSEARCH)])
def index(request: pytest.FixtureRequest, db: None) -> Indexed:
    if request.param == "database":
        return Indexed(get_backend())
    cluster = request.getfixturevalue("cluster")
    return Indexed(ElasticBackend(cluster), cluster)
