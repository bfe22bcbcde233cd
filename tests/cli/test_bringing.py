"""What `balas poll` and `balas import` say when something stands in the way."""

from __future__ import annotations

import gzip

import pytest

from inbox import accounts
from inbox.models import Message
from tests.builders import NOW, make_account, make_mail
from tests.cli.conftest import Balas

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_paused_mailbox_is_not_read_even_when_it_is_named(balas: Balas):
    account = make_account()
    accounts.pause(account.id, NOW)
    answer = balas("poll", "support", exits=1)
    assert answer.err.strip() == "balas: support is paused. Resume it first: balas account resume support"


def test_a_file_that_cannot_be_read_is_named_and_the_others_come_in(balas: Balas, tmp_path):
    make_account()
    (tmp_path / "good.eml").write_bytes(make_mail())
    (tmp_path / "torn.mbox.gz").write_bytes(gzip.compress(make_mail() * 50)[:90])
    answer = balas("import", str(tmp_path), "--account", "support", "--json", exits=1)
    assert (answer.object["new"], len(answer.object["problems"])) == (1, 1)
    assert "torn.mbox.gz" in answer.err
    assert Message.objects.count() == 1
