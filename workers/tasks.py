"""Celery wrappers of the same job functions. Arguments are ids or nothing; a lost task is found by the sweep."""

from __future__ import annotations

from workers import jobs, languages
from workers.app import app
from workers.bells import ring

_BATCHES_A_HARD_TASK = 10
_BATCHES_A_TASK = 50  # then the queue's other work has its turn; a bell follows while there is more


@app.task(name="workers.tasks.fetch")
def fetch() -> None:
    for account_id in jobs.find_due_accounts(jobs.utc_now()):
        app.send_task("workers.tasks.poll", args=[account_id], queue="fetch", retry=False)


@app.task(name="workers.tasks.poll")
def poll(account_id: int) -> None:
    polled = jobs.poll(account_id)
    if not polled.sentence and not polled.is_busy and jobs.is_due(account_id):
        ring("fetch")  # the rest, or what rang meanwhile, has its turn after the others that are due


@app.task(name="workers.tasks.digest")
def digest() -> None:
    for _ in range(_BATCHES_A_TASK):
        if not jobs.digest_new():
            return
    digest.delay()


@app.task(name="workers.tasks.hard")
def hard() -> None:
    """What could not be read at the first attempt."""
    for _ in range(_BATCHES_A_HARD_TASK):
        if not jobs.digest_again(1):
            return
    hard.delay()


@app.task(name="workers.tasks.deliver", soft_time_limit=1500, time_limit=1560)
def deliver() -> None:
    for _ in range(_BATCHES_A_TASK):
        if not jobs.deliver():
            return


@app.task(name="workers.tasks.index")
def index() -> None:
    for _ in range(_BATCHES_A_TASK):
        if not jobs.index():
            return


@app.task(name="workers.tasks.language")
def language() -> None:
    for _ in range(_BATCHES_A_TASK):
        if not languages.tell():
            return
