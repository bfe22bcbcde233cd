"""The Celery application. Celery is a doorbell and a pool: truth, due times, retries and claims are rows.

A task's only arguments are ids. A ring that Redis loses is found by the sweep (workers/schedule.py), so nothing here is
acknowledged late, retried or scheduled by the broker.
"""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_process_init
from django.conf import settings

from inbox.interpreter import spare_the_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

_TRANSPORT = {
    "visibility_timeout": 7200,
    "socket_timeout": 15,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # With Redis gone, a publish must fail at once instead of blocking for seconds.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}

app = Celery("balas", set_as_current=True)
app.conf.update(
    broker_url=settings.BALAS.redis_url or "redis://127.0.0.1:1/0",
    broker_transport_options=_TRANSPORT,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    visibility_timeout=7200,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    enable_utc=True,
    timezone="UTC",
    task_acks_late=False,
    task_reject_on_worker_lost=False,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=400_000,
    worker_soft_shutdown_timeout=60,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    task_soft_time_limit=240,
    task_time_limit=300,
    task_default_queue="digest",
    task_routes={
        "workers.tasks.fetch": {"queue": "fetch"},
        "workers.tasks.digest": {"queue": "digest"},
        "workers.tasks.hard": {"queue": "hard"},
        "workers.tasks.deliver": {"queue": "deliver"},
        "workers.tasks.index": {"queue": "index"},
        "workers.tasks.language": {"queue": "language"},
    },
)
app.autodiscover_tasks(["workers"])


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _settle(**_: object) -> None:
    spare_the_loaded()
