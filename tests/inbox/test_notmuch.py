"""Our threads beside those of notmuch, another program that groups mail by its references alone.

Threads are compared pairwise: of all pairs of mails that either puts into one thread, how many do both? Where they
differ, every pair must have one of two reasons, for which we mean to be as we are (docs/sameness.md):

    broken id    `<abc <one@x> <two@x>`: notmuch reads one long id up to the first `>` and loses <one@x>; we read both
    no id        mails without a Message-ID and with the same content lie in one thread; notmuch goes by their bytes
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from inbox.models import Delivery, Thread
from tests.builders import NOW, digest_all, make_account, make_item, put
from tests.corpora import NAMES, find_corpus
from tests.inbox.correspondence import STYLES, is_broken, make_mails, make_tree
from tests.servers.requirement import require

TREES = 830
Grouping = dict[str, int]  # file → number of its thread


def grouped_by_notmuch(folder: Path) -> Grouping:
    notmuch = require("notmuch", "notmuch")
    config = folder.parent / "notmuch-config"
    config.write_text(f"[database]\npath={folder}\n[user]\nname=t\nprimary_email=t@balas.example\n[new]\ntags=new\n")
    environment = {"PATH": os.environ["PATH"], "NOTMUCH_CONFIG": str(config), "HOME": str(folder.parent)}
    run = {"env": environment, "check": True, "capture_output": True, "timeout": 100}
    subprocess.run([notmuch, "new", "--quiet", "--no-hooks"], **run)  # type: ignore[call-overload]
    command = [notmuch, "show", "--format=json", "--body=false", "--entire-thread=true", "*"]
    shown = json.loads(subprocess.run(command, **run).stdout)  # type: ignore[call-overload]
    return {Path(name).name: number for number, thread in enumerate(shown) for name in _files(thread)}


def _files(shown: object) -> Iterator[str]:
    """notmuch nests [message, [answers …]] in lists of such pairs."""
    stack = [shown]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            names = one["filename"]
            yield from names if isinstance(names, list) else [names]
        elif isinstance(one, list):
            stack.extend(one)


def grouped_by_us(mails: dict[str, bytes]) -> Grouping:
    account = make_account(cut_at=NOW - timedelta(days=3650))
    uids = dict(enumerate(mails, 1))
    items = [make_item(mails[name], uid=uid) for uid, name in uids.items()]
    for start in range(0, len(items), 1000):
        put(account, *items[start : start + 1000])
        while digest_all(limit=1000).taken:
            pass
    root = {id: merged or id for id, merged in Thread.objects.values_list("id", "merged_into_id")}
    rows = Delivery.objects.values_list("raw_item__external_id", "message__strand__thread_id")
    return {uids[int(uid)]: root[thread] for uid, thread in rows}


def pairs(grouping: Grouping, among: Iterable[str]) -> set[tuple[str, str]]:
    threads: dict[int, list[str]] = defaultdict(list)
    for name in sorted(among):
        threads[grouping[name]].append(name)
    return {pair for names in threads.values() for pair in combinations(names, 2)}


def compare(mails: dict[str, bytes], folder: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The pairs that are one thread for us, and for notmuch, among what notmuch takes for mail."""
    folder.mkdir()
    for name, content in mails.items():
        (folder / name).write_bytes(content)
    theirs, ours = grouped_by_notmuch(folder), grouped_by_us(mails)
    assert set(ours) == set(mails)  # nothing is dropped by us
    shutil.rmtree(folder)  # thousands of files, which pytest would keep for three runs
    return pairs(ours, theirs), pairs(theirs, theirs)


@pytest.mark.django_db
@pytest.mark.servers
def test_f50_threads_of_all_real_mail_and_five_thousand_more_agree_with_notmuch(tmp_path):
    generated = {f"{n:05}": mail for n, mail in enumerate(make_mails(TREES))}
    real = {f"{name}-{path.name}": path.read_bytes() for name in NAMES for path in find_corpus(name)}
    assert len(generated) >= 5_000
    ours, theirs = compare({**generated, **real}, tmp_path / "mail")
    agreement = len(ours & theirs) / len(ours | theirs)
    print(f"{len(generated)} + {len(real)} mails, {len(ours | theirs)} pairs, agreement {agreement:.5f}")
    assert agreement >= 0.99
    assert theirs <= ours, "notmuch joins what we keep apart"
    tree_of = {name: tree_name(mail) for name, mail in generated.items()}
    broken = {tree_of[name] for name, mail in generated.items() if is_broken(mail)}
    for one, other in ours - theirs:
        if one in generated:
            assert tree_of[one] == tree_of[other] in broken
        else:
            assert not has_id(real[one]) and not has_id(real[other])


def tree_name(mail: bytes) -> bytes:
    return mail.partition(b"Words of ")[2].partition(b".")[0]


def has_id(mail: bytes) -> bool:
    return b"\nmessage-id:" in mail.partition(b"\n\n")[0].lower()


def test_the_generated_mail_has_all_client_styles_and_long_chains():
    nodes = [node for seed in range(TREES) for node in make_tree(seed)]
    assert len(STYLES) == 12
    assert max(len(node.path) for node in nodes) > 200
    assert {len(node.path) for node in nodes} >= set(range(12))
