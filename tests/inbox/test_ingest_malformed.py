"""Malformed mail through both doors: its bytes are kept, and somebody can see it."""

from __future__ import annotations

import os

import pytest

from inbox.models import Delivery, Message, RawBody, StrandLink
from inbox.models import RawItem as StoredItem
from tests.builders import digest_all, make_account, make_item, put
from tests.connectors.malformed import case

CASES = 20_000 if os.environ.get("BALAS_SOAK") else 600


@pytest.mark.django_db
@pytest.mark.timeout(3000)
def test_f13_every_malformed_mail_is_kept_byte_for_byte_and_seen() -> None:
    account = make_account()
    for first in range(0, CASES, 500):
        contents = [case(number) for number in range(first, min(first + 500, CASES))]
        put(account, *(make_item(content, uid=first + at + 1) for at, content in enumerate(contents)))
        while digest_all().taken:
            pass
        kept = dict(StoredItem.objects.filter(account=account).values_list("external_id", "id"))
        bodies = dict(RawBody.objects.filter(item_id__in=kept.values()).values_list("item_id", "content"))
        for at, content in enumerate(contents):
            assert bytes(bodies[kept[str(first + at + 1)]]) == content
    assert Delivery.objects.filter(account=account).count() == CASES
    assert not StoredItem.objects.filter(due_at__isnull=False).exists()
    seen = StrandLink.objects.filter(ended_at=None).values("strand_id")
    assert not Message.objects.exclude(strand_id__in=seen).exists()
