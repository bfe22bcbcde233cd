"""Rows that hang on a row, as JSON built by the database: one statement, where the ORM would make one each."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, F, JSONField, QuerySet, Subquery
from django.db.models.functions import JSONObject

from inbox.sql import read_json, read_moment


class _Rows(Aggregate):
    """All rows of a group as one JSON array."""

    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **extra)


def as_json(queryset: QuerySet[Any], group: str, **columns: str | F) -> Subquery:
    """The rows of a correlated queryset as one JSON array; NULL when there are none."""
    rows = queryset.order_by().values(group).annotate(json_rows=_Rows(JSONObject(**columns)))
    return Subquery(rows.values("json_rows"))


def read_rows(rows: Any, *moments: str) -> list[dict[str, Any]]:
    """What as_json gave, as dicts; the named members become aware datetimes."""
    found: list[dict[str, Any]] = read_json(rows) or []
    for one in found:
        for name in moments:
            one[name] = read_moment(one[name])
    return found
