"""Customers as plain objects, each with the identities that were linked to them and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from inbox.exports.rows import Row, ids_of
from inbox.models import Conversation, Customer, IdentityLink


def customer_rows(chunk: Sequence[Customer], names: Mapping[int, str]) -> Iterator[Row]:
    ids = ids_of(chunk)
    identities: dict[int, list[Row]] = defaultdict(list)
    for link in IdentityLink.objects.filter(customer__in=ids, ended_at=None).select_related("identity").order_by("id"):
        one = link.identity
        identities[link.customer_id].append(
            {
                "kind": one.kind,
                "address": one.address,
                "external_id": one.external_id or None,
                "display": one.display,
                "evidence": link.evidence,
                "linked_at": link.linked_at,
                "linked_by": link.actor,
                "verified": one.verified,
            }
        )
    conversations: dict[int, list[str]] = defaultdict(list)
    for customer, conversation in (
        Conversation.objects.filter(customer__in=ids).order_by("id").values_list("customer_id", "id")
    ):
        conversations[customer].append(str(conversation))
    for row in chunk:
        yield {
            "id": str(row.id),
            "name": row.name,
            "identities": identities[row.id],
            "conversations": conversations[row.id],
            "merged_from": [],
        }
