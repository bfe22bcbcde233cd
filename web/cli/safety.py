"""balas backup · balas restore."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from web.cli import CommandFailed
from web.cli.output import add_json, write_object


def add(commands: Any) -> None:
    backup = commands.add_parser(
        "backup", help="one consistent file, while running", epilog="example: balas backup monday.tar.gz"
    )
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument(
        "--with-keyring", action="store_true", help="include the keys: whoever has the file has the passwords"
    )
    add_json(backup)
    backup.set_defaults(act=make_backup)
    restore = commands.add_parser(
        "restore",
        help="put a backup into an empty home; its outbox starts frozen",
        epilog="example: balas restore monday.tar.gz",
    )
    restore.add_argument("file", type=Path, metavar="FILE")
    add_json(restore)
    restore.set_defaults(act=restore_backup)


def make_backup(options: argparse.Namespace) -> int:
    from web.cli import archive
    from web.cli.ready import make_ready

    make_ready()
    try:
        facts = archive.write(options.file, with_keyring=options.with_keyring)
    except OSError as error:
        raise CommandFailed(f"{options.file} cannot be written: {error.strerror}.") from None
    if options.json:
        write_object(facts)
    else:
        print(f"{options.file}: {facts['messages']:,} messages, {facts['bytes']:,} bytes.")
        if not options.with_keyring:
            print("The keyring is not in it. Keep a copy of it elsewhere, or accounts need their passwords again.")
    return 0


def restore_backup(options: argparse.Namespace) -> int:
    from web.cli import archive

    if not options.file.is_file():
        raise CommandFailed(f"{options.file} does not exist.")
    facts = archive.read(options.file)
    if options.json:
        write_object(facts)
    else:
        print(f"Restored {facts['messages']:,} messages as of {facts['made_at']}.")
        print("Nothing is sent until you say so: look at the outbox, then run: balas sending resume")
        if not facts["keyring"]:
            print("There was no keyring in it: put yours into the home, or connect the accounts again.")
    return 0
