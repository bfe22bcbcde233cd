"""Limits and money: what the durable meter lets through, and what it remembers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections

from connectors.base import RetryLater
from connectors.metering import BudgetReached, WindowUsedUp
from connectors.social import Outline, Window
from inbox import budgets, metering, prices
from inbox.accounts import bare_connector
from inbox.metering import AccountMeter
from inbox.models import Account, AuditRecord, Budget, EndpointWindow, LiveEvent, PaidItem, Spend
from inbox.prices import PriceProblem
from tests.inbox.ground import make_account
from tests.inbox.tiny_kind import LINK, NOW, READ, SEND, installed, make_tiny

NOTES = "GET /notes"


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path) -> Iterator[None]:
    with installed(tmp_path):
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limited(daily: int | None = None, monthly: int | None = None, soft: int = 80, name: str = "tiny") -> Account:
    account = make_tiny(name)
    budgets.change(account.id, daily_micros=daily, monthly_micros=monthly, soft_percent=soft, actor="cli", now=NOW)
    return account


def use(meter: AccountMeter, resource: str, count: int, ids: tuple[str, ...] = ()) -> int:
    most = meter.reserve(resource, count)
    meter.settle(resource, most, most, ids)
    return most


def spent(account: Account) -> int:
    return sum(row.micros + row.reserved_micros for row in Spend.objects.filter(account=account))


# --- Money ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_used_takes_the_place_of_what_was_reserved(clock: Clock) -> None:
    account = make_tiny()
    meter = AccountMeter(account, clock)

    most = meter.reserve("note.read", 100)
    assert (most, spent(account)) == (100, 100 * READ)
    meter.settle("note.read", most, 37)

    row = Spend.objects.get()
    assert (row.count, row.micros, row.reserved, row.reserved_micros) == (37, 37 * READ, 0, 0)


@pytest.mark.django_db
def test_what_the_platform_charges_once_a_day_is_counted_once_a_day(clock: Clock) -> None:
    account = make_tiny()
    meter = AccountMeter(account, clock)

    use(meter, "note.read", 3, ("a", "b", "c"))
    use(meter, "note.read", 4, ("b", "c", "d", "d"))
    assert spent(account) == 4 * READ
    clock.go(days=1)
    use(meter, "note.read", 2, ("c", "d"))
    assert spent(account) == 6 * READ

    budgets.prune(clock.now.date())
    assert set(PaidItem.objects.values_list("day", flat=True)) == {clock.now.date()}


@pytest.mark.django_db
def test_a_thing_that_was_read_in_another_list_today_is_not_counted_again(clock: Clock) -> None:
    account = make_tiny()
    meter = AccountMeter(account, clock)

    use(meter, "note.own", 2, ("a", "b"))
    use(meter, "note.read", 3, ("a", "b", "c"))
    assert spent(account) == 2 * (READ // 10) + READ


@pytest.mark.django_db
def test_a_hard_stop_is_never_exceeded_and_says_until_when_and_what_to_press(clock: Clock) -> None:
    account = limited(daily=100 * SEND)
    meter = AccountMeter(account, clock)

    got = [use(meter, "note.create", 60), use(meter, "note.create", 60)]
    with pytest.raises(BudgetReached) as stop:
        meter.reserve("note.create", 1)

    assert got == [60, 40]
    assert stop.value.after == timedelta(hours=14)
    assert stop.value.sentence == (
        "The daily budget of tiny ($1.50) is used up until 25 November, 00:00 UTC."
        " To go on now, raise it under Settings, Mailboxes, tiny, Budget and spending."
    )
    clock.go(hours=14)
    assert use(meter, "note.create", 60) == 60


@pytest.mark.django_db
def test_reading_leaves_enough_of_the_budget_for_answers(clock: Clock) -> None:
    account = limited(daily=1_000_000)
    meter = AccountMeter(account, clock)

    read = 0
    with pytest.raises(BudgetReached) as stop:
        while True:
            read += use(meter, "note.read", 100)

    assert read == 982  # a little of what is left of the day, one answer at least
    assert "the rest is kept for answers" in stop.value.sentence
    assert Budget.objects.get().stopped_until == datetime(2026, 11, 25, tzinfo=UTC)
    assert use(meter, "note.create", 3) == 1


@pytest.mark.django_db
def test_more_is_kept_where_answers_have_cost_more(clock: Clock) -> None:
    account = limited(daily=1_000_000)
    for back in range(1, 8):
        day = NOW.date() - timedelta(days=back)
        Spend.objects.create(account=account, day=day, resource="note.create", count=20, micros=20 * SEND)

    assert AccountMeter(account, clock).reserve("note.read", 5_000) == 707  # 11.7 answers, 2 × √11.7 and one less


@pytest.mark.django_db
def test_a_month_has_a_limit_of_its_own_and_ends_at_midnight_utc(clock: Clock) -> None:
    account = limited(monthly=10 * SEND)
    meter = AccountMeter(account, clock)
    use(meter, "note.create", 10)
    clock.go(days=3)

    with pytest.raises(BudgetReached) as stop:
        meter.reserve("note.create", 1)
    assert "monthly budget of tiny ($0.15) is used up until 1 December, 00:00 UTC" in stop.value.sentence
    assert clock.now + (stop.value.after or timedelta()) == datetime(2026, 12, 1, tzinfo=UTC)

    clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert use(meter, "note.create", 4) == 4


@pytest.mark.django_db
def test_a_crash_between_reserving_and_settling_counts_the_reservation(clock: Clock) -> None:
    account = limited(daily=10 * SEND)
    AccountMeter(account, clock).reserve("note.create", 8)  # and nobody settles it
    use(AccountMeter(account, clock), "note.create", 1)

    clock.go(minutes=5)
    other = AccountMeter(account, clock)
    use(other, "note.create", 5)
    with pytest.raises(RetryLater) as busy:  # it may be a call that is still under way
        other.reserve("note.create", 1)
    assert not isinstance(busy.value, BudgetReached)

    clock.go(hours=1)
    with pytest.raises(BudgetReached):
        other.reserve("note.create", 1)
    assert spent(account) == 10 * SEND


@pytest.mark.django_db
def test_a_call_over_midnight_is_paid_on_the_day_and_at_the_price_of_its_beginning() -> None:
    clock = Clock(datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC))
    account = make_tiny()
    prices.enter("tiny", "note.read", 7_000, date(2026, 11, 25), "a letter", "cli", NOW)
    meter = AccountMeter(account, clock)

    most = meter.reserve("note.read", 10)
    clock.go(seconds=2)
    meter.settle("note.read", most, 4)
    use(meter, "note.read", 1)

    assert {row.day.day: row.micros for row in Spend.objects.all()} == {24: 4 * READ, 25: 7_000}
    assert all(row.reserved_micros == 0 for row in Spend.objects.all())


@pytest.mark.django_db
def test_which_price_held_when_can_be_looked_up_later() -> None:
    def price(day: int) -> tuple[int, str]:
        held = prices.prices_on("tiny", date(2026, 11, day))["note.read"]
        return held.micros, held.source

    prices.enter("tiny", "note.read", 2_000, date(2026, 11, 24), "the console", "cli", NOW)
    prices.enter("tiny", "note.read", 3_000, date(2026, 11, 26), "a letter", "cli", NOW)
    assert [price(day) for day in (23, 24, 25, 26)] == [
        (READ, "https://tiny.example/prices"),
        (2_000, "the console"),
        (2_000, "the console"),
        (3_000, "a letter"),
    ]
    later = NOW + timedelta(days=3)
    prices.take_back("tiny", prices.prices_on("tiny", later.date())["note.read"].own_id, "cli", later)
    assert [price(day)[0] for day in (25, 26, 27)] == [2_000, 3_000, 2_000]
    with pytest.raises(PriceProblem):
        prices.enter("tiny", "note.read", 1, date(2026, 11, 23), "", "cli", NOW)
    acts = AuditRecord.objects.filter(subject="kind:tiny").values_list("act", flat=True)
    assert sorted(acts) == ["price.enter", "price.enter", "price.take-back"]


@pytest.mark.django_db
def test_a_soft_limit_is_told_once_a_day(clock: Clock) -> None:
    account = limited(daily=10 * SEND, soft=50)
    meter = AccountMeter(account, clock)

    def told() -> int:
        return LiveEvent.objects.filter(topic="account", subject=account.id, data__budget="soft").count()

    use(meter, "note.create", 4)
    assert told() == 0
    use(meter, "note.create", 1)
    use(meter, "note.create", 1)
    assert told() == 1
    clock.go(days=1)
    use(meter, "note.create", 6)
    assert told() == 2


@pytest.mark.django_db
def test_raising_a_budget_lets_what_waited_go_on_at_once(clock: Clock) -> None:
    account = limited(daily=READ)
    meter = AccountMeter(account, clock)
    with pytest.raises(BudgetReached):
        while use(meter, "note.read", 5):
            pass
    Account.objects.update(next_poll_at=NOW + timedelta(hours=14))
    assert budgets.find_stopped([account.id], NOW)

    budgets.change(account.id, daily_micros=None, monthly_micros=None, soft_percent=80, actor="cli", now=NOW)

    assert Account.objects.get().next_poll_at == NOW
    assert not budgets.find_stopped([account.id], NOW)
    assert AuditRecord.objects.filter(act="budget.change").count() == 2


@pytest.mark.django_db
def test_what_a_reply_costs_is_told_at_the_prices_of_the_day() -> None:
    account = make_tiny()
    tiny = bare_connector(account)
    plain, link = Outline("Thank you!"), Outline("See https://shop.example")
    prices.enter("tiny", "note.create", 20_000, NOW.date(), "the console", "cli", NOW)

    costs = [metering.price_of(account, tiny, one, NOW) for one in (plain, link)]

    assert [cost.micros for cost in costs if cost] == [20_000, LINK]


def test_sums_are_written_with_as_many_digits_as_they_need() -> None:
    assert [budgets.dollars(one) for one in (5_000_000, 15_000, 1_000, 0, 12_345_678)] == [
        "$5.00",
        "$0.015",
        "$0.001",
        "$0.00",
        "$12.345678",
    ]


@pytest.mark.django_db(transaction=True)
def test_many_that_reserve_at_once_never_exceed_the_hard_stop_together() -> None:
    account = limited(daily=40 * SEND)
    start, got, refused = threading.Barrier(6), [], []

    def reserve() -> None:
        meter = AccountMeter(account, Clock())
        start.wait()
        try:
            for _ in range(4):
                most = meter.reserve("note.create", 3)
                got.append(most)
                meter.settle("note.create", most, most)
        except RetryLater:
            refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=reserve) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(got) == 40
    assert refused
    assert spent(account) == 40 * SEND


# --- Limits ---------------------------------------------------------------------------------------------------------


def window(remaining: int, resets_at: datetime, limit: int = 300, seconds: int = 900) -> Window:
    return Window(limit, remaining, resets_at, seconds)


@pytest.mark.django_db
def test_no_call_is_made_that_the_documented_limits_forbid(clock: Clock) -> None:
    """Two accounts of one app: 300 calls each in 15 minutes, 450 together."""
    one, two = AccountMeter(make_tiny("one"), clock), AccountMeter(make_tiny("two"), clock)
    made = 0
    for meter in (one, two):
        for _ in range(300):
            try:
                meter.open(NOTES)
            except WindowUsedUp as error:
                assert error.after == timedelta(minutes=15)
                break
            made += 1
    assert made == 450

    clock.go(minutes=15)
    two.open(NOTES)


@pytest.mark.django_db
def test_what_the_platform_says_is_left_counts_and_is_kept_across_a_restart(clock: Clock) -> None:
    account = make_tiny()
    meter = AccountMeter(account, clock)
    meter.open(NOTES)
    meter.note(NOTES, [window(2, NOW + timedelta(minutes=4))])
    AccountMeter(account, clock).open(NOTES)
    AccountMeter(account, clock).open(NOTES)

    with pytest.raises(WindowUsedUp) as stop:
        AccountMeter(account, clock).open(NOTES)

    assert stop.value.after == timedelta(minutes=4)
    assert "10:04 UTC" in stop.value.sentence
    clock.go(minutes=4)
    meter.open(NOTES)


@pytest.mark.django_db
def test_an_answer_that_was_overtaken_gives_no_calls_back(clock: Clock) -> None:
    meter = AccountMeter(make_tiny(), clock)
    reset = NOW + timedelta(minutes=10)
    meter.open(NOTES)
    meter.open(NOTES)
    meter.note(NOTES, [window(100, reset)])
    meter.note(NOTES, [window(101, reset + timedelta(seconds=1))])

    assert EndpointWindow.objects.get(endpoint=NOTES, seconds=900).remaining == 100


@pytest.mark.django_db
def test_a_day_s_window_stops_what_the_quarter_of_an_hour_would_allow(clock: Clock) -> None:
    meter = AccountMeter(make_tiny(), clock)
    meter.open(NOTES)
    evening = NOW + timedelta(hours=9)
    meter.note(NOTES, [window(299, NOW + timedelta(minutes=15)), window(0, evening, 1000, 86_400)])

    with pytest.raises(WindowUsedUp) as stop:
        meter.open(NOTES)
    assert stop.value.after == timedelta(hours=9)


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "most"), [(5, 8), (24, 12)])
def test_f72_headers_that_lie_about_the_reset_cost_few_calls_and_little_time(
    clock: Clock, hours: int, most: int
) -> None:
    """“Reset in five minutes”, but it is five hours, or a day."""
    account = make_tiny()
    really, refused = NOW + timedelta(hours=hours), 0
    while clock.now < really:
        meter = AccountMeter(account, clock)
        meter.open(NOTES)
        meter.note(NOTES, [window(0, clock.now + timedelta(minutes=5))], timedelta(minutes=5))
        refused += 1
        with pytest.raises(WindowUsedUp) as stop:
            meter.open(NOTES)
        assert stop.value.after and stop.value.after >= timedelta(minutes=5)
        clock.now += stop.value.after

    assert refused <= most
    assert clock.now - really <= timedelta(hours=6)
    meter.open(NOTES)
    meter.note(NOTES, [window(299, clock.now + timedelta(minutes=15))])
    meter.open(NOTES)
    assert EndpointWindow.objects.get(seconds=0).refusals == 0


@pytest.mark.django_db
def test_f72_a_reset_in_the_past_is_no_reason_to_ask_at_once(clock: Clock) -> None:
    meter = AccountMeter(make_tiny(), clock)
    meter.open(NOTES)
    meter.note(NOTES, [window(0, NOW - timedelta(hours=1))], timedelta(0))

    with pytest.raises(WindowUsedUp) as stop:
        meter.open(NOTES)
    assert stop.value.after == timedelta(seconds=60)


@pytest.mark.django_db
def test_a_clock_that_is_ahead_asks_no_more_than_the_platform_allows(clock: Clock) -> None:
    """Ours is ten minutes ahead: what the platform calls the end of a window lies in our past."""
    meter = AccountMeter(make_tiny(), clock)
    skew, made = timedelta(minutes=10), 0
    left, reset = 300, NOW - skew + timedelta(minutes=5)
    while clock.now - skew < reset and left > 0:
        try:
            meter.open(NOTES)
        except WindowUsedUp as error:
            clock.now += error.after or timedelta()
            continue
        made, left = made + 1, left - 1
        meter.note(NOTES, [window(left, reset)])
        clock.go(milliseconds=100)

    assert made <= 300


@pytest.mark.django_db
def test_several_refusals_of_calls_under_way_are_one_refusal(clock: Clock) -> None:
    meter = AccountMeter(make_tiny(), clock)
    for _ in range(5):
        meter.note(NOTES, (), timedelta(minutes=2))

    with pytest.raises(WindowUsedUp) as stop:
        meter.open(NOTES)
    assert stop.value.after == timedelta(minutes=2)


@pytest.mark.django_db
def test_a_reset_in_a_year_is_believed_for_a_day(clock: Clock) -> None:
    meter = AccountMeter(make_tiny(), clock)
    meter.note(NOTES, [window(0, NOW + timedelta(days=365))], timedelta(days=365))

    with pytest.raises(WindowUsedUp) as stop:
        meter.open(NOTES)
    assert stop.value.after == timedelta(hours=25)


@pytest.mark.django_db
def test_mail_has_no_meter() -> None:
    assert metering.meter_of(make_account()) is None
