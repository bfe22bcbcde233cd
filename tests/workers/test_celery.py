"""Celery rings and pools, nothing more: truth, due times, retries and claims are rows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from workers import tasks
from workers.app import app

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("connectors", "inbox", "search", "workers", "web")
OURS = {name: task for name, task in app.tasks.items() if name.startswith("workers.")}


def sources() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}


def test_the_broker_schedules_and_retries_nothing() -> None:
    forbidden = re.compile(
        r"\b(eta|countdown)=|\.apply_async\(|\.retry\(|autoretry_for|\bretry=True|beat_schedule|acks_late=True|AsyncResult"
    )
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in sources().items()
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


def test_every_publish_says_that_it_is_not_retried() -> None:
    """Otherwise it would block for seconds while Redis is away."""
    calls = [call for text in sources().values() for call in re.findall(r"send_task\([^)]*\)", text)]
    assert calls
    assert [call for call in calls if "retry=False" not in call] == []


def test_tasks_take_ids_and_nothing_else() -> None:
    assert set(OURS) == {
        f"workers.tasks.{name}" for name in ("fetch", "poll", "digest", "hard", "deliver", "index", "language")
    }
    for name, task in OURS.items():
        for parameter in inspect.signature(inspect.unwrap(task.run)).parameters.values():
            assert parameter.name.endswith("_id"), name
            assert parameter.annotation == "int", name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", False),
        ("task_reject_on_worker_lost", False),
        ("task_publish_retry", False),
        ("task_ignore_result", True),
        ("worker_prefetch_multiplier", 1),
        ("accept_content", ["json"]),
        ("task_serializer", "json"),
    ],
)
def test_settings_that_lose_or_double_nothing(name: str, value: object) -> None:
    assert app.conf[name] == value
    assert app.conf.result_backend in (None, "disabled://")


def test_every_room_with_work_has_a_queue_of_its_own() -> None:
    rooms = {"fetch", "digest", "hard", "deliver", "index", "language"}
    routes = app.conf.task_routes
    assert {routes[f"workers.tasks.{room}"]["queue"] for room in rooms} == rooms
    assert all(callable(getattr(tasks, room)) for room in rooms)


def test_no_task_may_run_longer_than_the_broker_waits_before_it_hands_it_to_another() -> None:
    limits = [task.time_limit or app.conf.task_time_limit for task in OURS.values()]
    assert max(limits) < app.conf.broker_transport_options["visibility_timeout"]
    for task, limit in zip(OURS.values(), limits, strict=True):
        assert (task.soft_time_limit or app.conf.task_soft_time_limit) < limit
