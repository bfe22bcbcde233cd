"""Starting the servers that other people wrote: uvicorn and Celery."""

from __future__ import annotations

import sys
import threading

import uvicorn
from django.conf import settings

from web.cli import CommandFailed, SetupIncomplete
from web.cli.ready import make_ready

DEFAULT_ADDRESS = "http://127.0.0.1:8025"


def public_address() -> str:
    """How people reach the pages, for links that are printed."""
    return str(settings.BALAS.public_url or DEFAULT_ADDRESS).rstrip("/")


def serve_pages(host: str, port: int) -> int:
    make_ready()
    proxies = settings.BALAS.trusted_proxies
    config = uvicorn.Config(
        "web.asgi:application",
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,  # open event streams would otherwise hold the process for ever
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        server_header=False,
        date_header=True,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit:
        raise CommandFailed(f"Port {port} on {host} cannot be used: is Balas already running? Try --port.") from None
    return 0


def run_celery(queues: str, concurrency: int) -> int:
    """A worker, and beside it the sweep that rings again whatever a lost bell left behind."""
    if not settings.BALAS.redis_url:
        raise SetupIncomplete("BALAS_REDIS_URL is not set: the embedded default needs no worker; it runs `balas jobs`.")
    make_ready()
    from workers.app import app
    from workers.schedule import sweep_for_ever

    stop = threading.Event()
    sweeper = threading.Thread(target=sweep_for_ever, args=(stop,), name="sweep", daemon=True)
    sweeper.start()
    try:
        app.worker_main(
            ["worker", "-Q", queues, "-c", str(concurrency), "-l", "WARNING", "--without-gossip", "--without-mingle"]
        )
    except SystemExit as end:
        return int(end.code or 0) if not isinstance(end.code, str) else 1
    finally:
        stop.set()
    sys.stdout.flush()
    return 0
