"""What a channel costs, on the pages: a manager's line, prices of our own, and a budget that stopped reading."""

from __future__ import annotations

import csv
import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import accounts, budgets, prices, spending
from inbox.models import Account, AuditRecord, Budget, Spend
from tests.web.conftest import House
from tests.web.posting import x_account
from web.views.health import spend_words
from workers import status


@pytest.fixture
def shop(house: House) -> Account:
    """An account on X that spent something on each of the last ten days."""
    account = x_account(house)
    today = timezone.now().date()
    for back in range(10):
        day = today - timedelta(days=back)
        Spend.objects.create(account=account, day=day, resource="owned.read", count=100, micros=100_000)
        Spend.objects.create(account=account, day=day, resource="post.create", count=2, micros=30_000)
    return account


def read(answer: object) -> str:
    text = html.unescape(answer.content.decode())  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_manager_sees_what_each_channel_costs_as_a_line_a_picture_and_a_table(house: House, shop: Account) -> None:
    answer = house.client("manager").get("/manage/spending")

    page = answer.content.decode()
    month = sum(1 for back in range(10) if (timezone.now() - timedelta(days=back)).month == timezone.now().month)
    assert f"{budgets.dollars(130_000 * month)} so far this month" in read(answer)
    assert "$0.91" in read(answer)  # the last seven days
    assert page.count('<rect class="bar"') == spending.TREND_DAYS
    assert "$0.13" in read(answer)
    assert house.client("own").get("/manage/spending").status_code == 403


def test_the_same_comes_as_csv_that_no_spreadsheet_runs(house: House, shop: Account) -> None:
    Account.objects.filter(id=shop.id).update(name="=shop()")

    answer = house.client("manager").get("/manage/spending?as=csv")

    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    mine = [row for row in rows if row["kind"] == "x"]
    assert len(mine) == spending.TREND_DAYS
    assert {row["channel"] for row in mine} == {"'=shop()"}
    assert mine[-1]["dollars"] == "0.130000"


def test_without_a_channel_that_charges_the_page_says_so(house: House) -> None:
    assert "No channel here costs anything." in read(house.client("owner").get("/manage/spending"))


def test_what_it_was_spent_on_stands_on_the_account_s_page(house: House, shop: Account) -> None:
    page = read(house.client("manager").get(f"/settings/accounts/{shop.id}"))

    assert "a mention or a post of our own read 100 $0.10" in page
    assert "a post or reply published 2 $0.03" in page


def test_a_price_of_our_own_is_entered_counts_and_is_taken_back(house: House, shop: Account) -> None:
    client, today = house.client("manager"), timezone.now().date()
    typed = {"resource": "owned.read", "price": "0,002", "valid_from": today.isoformat(), "source": "our contract"}

    client.post(f"/settings/accounts/{shop.id}/prices", typed)

    held = prices.prices_on("x", today)["owned.read"]
    assert (held.micros, held.source) == (2_000, "our contract")
    page = read(client.get(f"/settings/accounts/{shop.id}"))
    assert "your own price; published: $0.001 $0.002" in page and "our contract" in page

    client.post(f"/settings/accounts/{shop.id}/prices/drop", {"price": str(held.own_id)})
    assert prices.prices_on("x", today)["owned.read"].micros == 1_000
    acts = AuditRecord.objects.filter(subject="kind:x").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["price.enter", "price.take-back"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"price": "cheap"}, "A price is a sum in dollars"),
        ({"price": "-1"}, "A price lies between"),
        ({"price": "NaN"}, "A price is a sum in dollars"),
        ({"price": "1e99"}, "A price lies between"),
        ({"resource": "moon.read"}, "There is no such price"),
        ({"valid_from": "2020-01-01"}, "A new price holds from today"),
        ({"valid_from": "soon"}, "Choose the day"),
    ],
)
def test_what_is_no_price_is_refused_with_a_sentence(
    house: House, shop: Account, typed: dict[str, str], sentence: str
) -> None:
    good = {"resource": "owned.read", "price": "0.002", "valid_from": timezone.now().date().isoformat()}

    answer = house.client("manager").post(f"/settings/accounts/{shop.id}/prices", {**good, **typed}, follow=True)

    assert sentence in read(answer)
    assert prices.prices_on("x", timezone.now().date())["owned.read"].micros == 1_000


def test_health_says_when_a_budget_stopped_reading_and_until_when(house: House, shop: Account) -> None:
    now = timezone.now()
    until = now + timedelta(hours=3)
    Budget.objects.create(account=shop, daily_micros=130_000, stopped_until=until)
    accounts.waiting(shop.id, "The daily budget of shop ($0.13) is used up.", now, until)

    page = read(house.client("own").get("/health"))

    assert "Its budget is used up until" in page
    assert "The daily budget of shop ($0.13) is used up." in page
    told = {row["name"]: row["spend"] for row in status.collect(now)["accounts"]}
    assert told[shop.name]["stopped_until"] == until
    assert told[shop.name]["today_micros"] == 130_000
    assert told[house.support.name] is None


def test_health_warns_when_most_of_a_budget_is_spent(house: House, shop: Account) -> None:
    Budget.objects.create(account=shop, daily_micros=150_000, soft_percent=80)

    assert "Most of its budget is spent: $0.13 of $0.15" in read(house.client("own").get("/health"))
    assert spend_words(None) == ""
