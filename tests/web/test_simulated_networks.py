"""The way from the demo to its simulated networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from inbox.models import Organisation
from tests.web.conftest import House
from web.rehearsal import CONTROL_FILE, write_control


@pytest.fixture
def demo(house: House, settings: Any, tmp_path: Path) -> Callable[[str], Any]:
    """Opens the link in a demo whose control page is at that address."""
    settings.BALAS_HOME = tmp_path
    (tmp_path / CONTROL_FILE).parent.mkdir()
    Organisation.objects.update(is_demo=True)

    def visit(address: str, **headers: str) -> Any:
        write_control(address)
        return house.client("own").get("/simulated-networks", **headers)

    return visit


def test_in_a_demo_the_rail_leads_to_the_control_page(house: House, demo: Callable[..., Any]) -> None:
    answer = demo("http://127.0.0.1:4711")
    assert (answer.status_code, answer["Location"]) == (302, "http://127.0.0.1:4711")
    assert b'href="/simulated-networks"' in house.client("own").get("/q/open").content


def test_outside_of_a_demo_the_rail_knows_nothing_of_it(house: House) -> None:
    assert b'href="/simulated-networks"' not in house.client("own").get("/q/open").content


@pytest.mark.parametrize("address", ["", "http://127.0.0.1.evil.example/", "http://other.example:4711"])
def test_it_leads_nowhere_but_to_this_machine(demo: Callable[..., Any], address: str) -> None:
    assert demo(address).status_code == 404


def test_somebody_from_elsewhere_is_not_led_there(demo: Callable[..., Any]) -> None:
    assert demo("http://127.0.0.1:4711", REMOTE_ADDR="192.0.2.7").status_code == 404


def test_without_simulators_there_is_nothing(house: House, demo: Callable[..., Any]) -> None:
    (settings.BALAS_HOME / CONTROL_FILE).unlink(missing_ok=True)
    assert house.client("own").get("/simulated-networks").status_code == 404
