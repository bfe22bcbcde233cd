"""balas web · jobs · listen · worker · migrate: the parts alone."""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from importlib import import_module
from typing import Any

LISTENER_ASKED_SECONDS = 2.0
LISTENER_STOP_SECONDS = 3.0


def add(commands: Any) -> None:
    web = commands.add_parser("web", help="the pages alone", epilog="example: balas web --port 8025")
    add_address(web)
    _add_parent(web)
    web.set_defaults(act=serve)
    jobs = commands.add_parser("jobs", help="the jobs and the listener (embedded)", epilog="example: balas jobs")
    _add_parent(jobs)
    jobs.set_defaults(act=run_jobs)
    listen = commands.add_parser(
        "listen", help="the listener alone: hears at once that mail came (servers)", epilog="example: balas listen"
    )
    _add_parent(listen)
    listen.set_defaults(act=run_listener)
    worker = commands.add_parser(
        "worker",
        help="a Celery worker (needs BALAS_REDIS_URL)",
        epilog="example: balas worker --queues fetch,digest,hard,deliver,index,language",
    )
    worker.add_argument(
        "--queues", default="fetch,digest,hard,deliver,index,language", help="which queues this worker serves"
    )
    worker.add_argument("--concurrency", type=int, default=2)
    worker.set_defaults(act=run_worker)
    migrate = commands.add_parser("migrate", help="bring the database up to date", epilog="example: balas migrate")
    migrate.set_defaults(act=migrate_database)


def add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8025, help="port to listen on (default 8025)")


def _add_parent(parser: argparse.ArgumentParser) -> None:
    # `balas run` names itself here, so that its parts do not outlive it when it is killed.
    parser.add_argument("--with-parent", type=int, default=0, metavar="PID", help=argparse.SUPPRESS)
    parser.add_argument("--gate", type=int, default=-1, metavar="FD", help=argparse.SUPPRESS)


def _is_let_in(options: argparse.Namespace, *modules: str) -> bool:
    """Loads what will be needed, then waits where the parent says so."""
    from web.cli.children import wait_at

    if options.gate < 0:
        return True
    for name in modules:
        import_module(name)
    return wait_at(options.gate)


def _end_with(parent: int) -> None:
    """Ends this process soon after its parent is gone: politely first."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)

    if parent:
        threading.Thread(target=watch, name="parent", daemon=True).start()


def serve(options: argparse.Namespace) -> int:
    from web.cli.serving import serve_pages

    _end_with(options.with_parent)
    if not _is_let_in(options, "web.asgi", "web.urls"):
        return 1
    return serve_pages(options.host, options.port)


def run_jobs(options: argparse.Namespace) -> int:
    from web.cli.children import Child, Keeper, balas
    from web.cli.ready import make_ready
    from workers.schedule import run_until_stopped
    from workers.wanted import is_anybody_to_hear

    _end_with(options.with_parent)
    if not _is_let_in(options, "workers.schedule"):
        return 1
    make_ready()
    listener = Child("listen", balas("listen", "--with-parent", str(os.getpid())))
    keeper = Keeper(listener, is_anybody_to_hear, LISTENER_ASKED_SECONDS)
    keeper.start()
    try:
        return run_until_stopped()
    finally:
        keeper.close(LISTENER_STOP_SECONDS)


def run_listener(options: argparse.Namespace) -> int:
    from web.cli.ready import make_ready
    from workers.listen import run_until_stopped

    _end_with(options.with_parent)
    make_ready()
    return run_until_stopped()


def run_worker(options: argparse.Namespace) -> int:
    from web.cli.serving import run_celery

    return run_celery(options.queues, options.concurrency)


def migrate_database(options: argparse.Namespace) -> int:
    from web.cli.ready import make_ready

    make_ready(migrate=True)
    print("The database is up to date.")
    return 0
