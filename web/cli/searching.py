"""balas search · balas index: the search box on the command line, and the health of what it reads."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from web.cli import CommandFailed
from web.cli.output import Progress, add_json, write_object


def add(commands: Any) -> None:
    search = commands.add_parser(
        "search",
        help="find messages, newest first",
        epilog="examples: balas search 'refund from:ana'     balas search '\"return label\"' --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    search.add_argument("query", metavar="QUERY")
    search.add_argument("--limit", type=_at_least_one, default=20, metavar="N")
    search.add_argument("--cursor", default=None, type=_cursor, metavar="C", help="as the last answer gave it")
    add_json(search)
    search.set_defaults(act=find)
    index = commands.add_parser("index", help="check, repair or rebuild the index", epilog="example: balas index check")
    acts = index.add_subparsers(dest="act_name", metavar="ACT", required=True)
    for name, act, text in (
        ("check", check_index, "compare every row with the index"),
        ("repair", repair_index, "mend what differs"),
        ("rebuild", rebuild_index, "index everything anew while search goes on"),
    ):
        parser = acts.add_parser(name, help=text, epilog=f"example: balas index {name}")
        add_json(parser)
        parser.set_defaults(act=_answered(act))


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of 1 or more")
    return int(text)


def _cursor(text: str) -> str:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"“{text}” is none that an answer gave")
    return text


def find(options: argparse.Namespace) -> int:
    from search.backend import SearchUnavailable, get_backend
    from web.cli.ready import make_ready

    make_ready()
    try:
        hits = get_backend().search(options.query, accounts=None, limit=options.limit, cursor=options.cursor)
    except SearchUnavailable as error:
        raise CommandFailed(str(error)) from None
    for hit in hits.hits:
        if options.json:
            write_object(
                {
                    "conversation": str(hit.conversation),
                    "message": str(hit.message),
                    "customer": str(hit.customer),
                    "subject": hit.subject,
                    "passage": hit.passage.text,
                    "sent_at": hit.sent_at,
                    "score": hit.score,
                }
            )
        else:
            print(f"{hit.sent_at:%Y-%m-%d %H:%M}  {hit.author}: {hit.subject}")
            print(f"    {' '.join(hit.passage.text.split())}")
    if hits.next and options.json:
        write_object({"next": hits.next})
    elif hits.next:
        print(f"… more with --cursor {hits.next}")
    if not hits.hits and not options.json:
        print("Nothing found.")
    return 0


def _answered(act: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """An index that is away is one sentence."""

    def answered(options: argparse.Namespace) -> int:
        from search.backend import SearchUnavailable

        try:
            return act(options)
        except SearchUnavailable as error:
            raise CommandFailed(str(error)) from None

    return answered


def check_index(options: argparse.Namespace) -> int:
    from search.backend import get_backend
    from web.cli.ready import make_ready

    make_ready()
    drift, status = get_backend().drift(), get_backend().status(datetime.now(UTC))
    facts = {"missing": drift.missing, "stale": drift.stale, "extra": drift.extra, "pending": status.pending}
    if options.json:
        write_object({"backend": status.backend, **facts})
    elif drift.total:
        print(f"Differs: {drift.missing} missing, {drift.stale} stale, {drift.extra} extra.")
        print("Mend it with: balas index repair")
    else:
        print(f"The index ({status.backend}) agrees with every row; {status.pending} waiting.")
    return 1 if drift.total else 0


def repair_index(options: argparse.Namespace) -> int:
    from search.backend import get_backend
    from web.cli.mail import drain
    from web.cli.ready import make_ready

    make_ready()
    found = get_backend().repair()
    drain()
    if options.json:
        write_object({"missing": found.missing, "stale": found.stale, "extra": found.extra})
    else:
        print(f"Mended {found.total} differences.")
    return 0


def rebuild_index(options: argparse.Namespace) -> int:
    from search.backend import get_backend
    from web.cli.ready import make_ready

    make_ready()
    progress = Progress("index")
    count = get_backend().rebuild(progress.advance)
    progress.close()
    if options.json:
        write_object({"indexed": count})
    else:
        print(f"{count:,} messages indexed.")
    return 0
