"""Documentation is held to the code: what it names exists, and what exists is named."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from connectors.base import Connector
from connectors.messages import Flag
from inbox.rules.states import SendState
from web.cli import build_parser
from web.env import Environment

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```.*?^```|^    [^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(r"(connectors|inbox|search|workers|web|tests|benchmarks)(\.\w+)+")
_PATH = re.compile(r"\.?\w[\w.-]*(/[\w.-]+)*/?")
_TOP = {path.name for path in ROOT.iterdir()}
_LINK = re.compile(r"(?:\]\(|src=\")([^)\"]+)")


def words_of(page: Path) -> Iterator[str]:
    """What stands in backticks, outside code blocks."""
    yield from _CODE.findall(_BLOCK.sub("", page.read_text()))


def resolve(name: str) -> Any:
    """The object behind a dotted name. Raises ModuleNotFoundError or AttributeError."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_and_dotted_name_in_backticks_exists(page: Path) -> None:
    missing = []
    for word in words_of(page):
        if _NAME.fullmatch(word) and not (ROOT / word).exists():
            try:
                resolve(word)
            except (ModuleNotFoundError, AttributeError):
                missing.append(word)
        elif "/" in word and _PATH.fullmatch(word) and word.split("/")[0] in _TOP - {"var"}:
            missing += [] if (ROOT / word).exists() else [word]
    assert missing == []


def test_a_name_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(AttributeError):
        resolve("workers.jobs.no_such_job")
    assert "workers.jobs.poll" in set(words_of(ROOT / "ARCHITECTURE.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    broken = []
    for target in _LINK.findall(page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []


def test_every_picture_is_used_and_small() -> None:
    text = "".join(page.read_text() for page in PAGES)
    for picture in (ROOT / "docs" / "screenshots").glob("*.png"):
        assert f"screenshots/{picture.name}" in text, picture.name
        assert picture.stat().st_size <= 300_000, picture.name


def table(page: str, column: int = 0) -> list[str]:
    """The words in backticks of one column of a page's tables."""
    rows = re.findall(r"^\| (.+) \|$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    return [word for row in rows for word in _CODE.findall(row.split(" | ")[column])]


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    documented = [word for word in table("settings.md") if re.fullmatch(r"BALAS_\w+", word)]
    assert list(dict.fromkeys(documented)) == [f"BALAS_{field.name.upper()}" for field in fields(Environment)]


def test_every_check_of_the_settings_is_documented_and_no_other() -> None:
    source = (ROOT / "web" / "checks.py").read_text()
    found = re.findall(r"_(wrong|doubtful)\(\s*(\d+),", source)
    ids = {f"balas.{'E' if kind == 'wrong' else 'W'}{int(number):03}" for kind, number in found}
    assert set(re.findall(r"balas\.[EW]\d{3}", (ROOT / "docs" / "settings.md").read_text())) == ids


def test_every_flag_is_documented_in_order() -> None:
    assert table("flags.md") == [flag.value for flag in Flag]


def test_every_state_of_a_send_is_documented() -> None:
    assert set(table("sending.md")) == {state.value for state in SendState}


def commands(parser: argparse.ArgumentParser, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield (*before, name)
                yield from commands(below, (*before, name))


def test_every_command_and_act_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    paragraphs = text.split("\n\n")
    for name, *acts in commands(build_parser()):
        about = "\n".join(part for part in paragraphs if f"`balas {name}" in part)
        assert about, f"balas {name}"
        for act in acts:
            assert re.search(rf"\b{act}\b", about), f"balas {name} {act}"


def test_every_command_has_an_example_in_its_help() -> None:
    for path in commands(build_parser()):
        parser = build_parser()
        for name in path:
            parser = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction)).choices[name]
        assert "balas " in parser.format_help().split("usage:", 1)[1].split("\n", 1)[1] or path[-1] == "add", path


@pytest.mark.parametrize("options", ["folder", "sent-folder", "since", "alias", "relay", "authserv-id", "undo-seconds"])
def test_options_of_a_mailbox_that_are_documented_exist(options: str) -> None:
    assert f"--{options}" in (ROOT / "docs" / "mailbox.md").read_text()
    arguments = [
        "account",
        "add",
        "email",
        "x",
        "--address",
        "a@b.example",
        "--imap",
        "imaps://h",
        "--smtp",
        "smtps://h",
    ]
    value = "2026-11-01" if options == "since" else "5"
    build_parser().parse_args([*arguments, f"--{options}", value])


def our_models() -> list[type[models.Model]]:
    return [*apps.get_app_config("inbox").get_models(), *apps.get_app_config("search").get_models()]


def test_every_table_and_every_unique_constraint_is_documented() -> None:
    words = set(words_of(ROOT / "docs" / "data-model.md"))
    constraints = [
        constraint.name
        for model in our_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]
    assert [model.__name__ for model in our_models() if model.__name__ not in words] == []
    assert [name for name in constraints if name not in words] == []


def test_every_method_of_the_contract_is_in_the_guide_for_connectors() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text().partition("## Adding a connector")[2]
    methods = [name for name in vars(Connector) if not name.startswith("_") and callable(getattr(Connector, name))]
    known = {"list_ids", "check"}  # said by the contract itself
    assert [name for name in methods if name not in known and not re.search(rf"\b{name}\b", guide)] == []
