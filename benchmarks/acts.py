"""Index writes of an act, however long the conversation: on the embedded index and on the one that is noted for."""

from __future__ import annotations

from benchmarks.figures import Figure, at_most
from benchmarks.ground import new_home, run_inside
from benchmarks.options import Options

INDEX_WRITES = 2
_NOWHERE = {"BALAS_ELASTICSEARCH_URL": "http://127.0.0.1:9"}  # an act notes its change and never calls the index


def run(options: Options) -> list[Figure]:
    figures: list[Figure] = []
    for name, settings in (("FTS5", {}), ("Elasticsearch", _NOWHERE)):
        with new_home() as home:
            ids = run_inside("fill", home, 2_000)
            found = run_inside("acts", home, ids["short"], ids["long"], settings=settings)
        for act, long in found["long"].items():
            short = found["short"][act]
            note = f"{short['statements']} statements with 10 messages, {long['statements']} with 1,000"
            most = max(short["index_rows"], long["index_rows"])
            figures.append(at_most("acts", f"{act}: index writes, {name}", most, INDEX_WRITES, "", note))
            growth = long["statements"] - short["statements"]
            figures.append(at_most("acts", f"{act}: more statements for 1,000 messages, {name}", growth, 0))
    return figures
