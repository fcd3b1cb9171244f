"""The table behind `make run`: it is told of everywhere, and says what the provider files say."""

from __future__ import annotations

import re
from pathlib import Path

import sessionkeeper
from tests.servers.demo.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_of_stand_ins_names_each_story() -> None:
    text = (ROOT / "tests" / "servers" / "README.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    named = re.findall(r"`make run PROVIDER=([\w-]+)`", "\n".join(rows))
    assert sorted(["angel", *named]) == sorted(SERVICES)


def test_what_lives_on_after_a_logout_is_said_by_the_file() -> None:
    files = {one.id: one for one in sessionkeeper.providers()}
    assert set(SERVICES) == set(files)
    for name, service in SERVICES.items():
        assert files[name].leaves or not service.lives_on, name
        assert files[name].renewable or not service.renewal, name


def test_each_story_logs_in_by_the_first_way_of_its_file() -> None:
    ways = {"address": "device_code", "code": "device_code", "browser": "authorization_code"}
    files = {one.id: one for one in sessionkeeper.providers()}
    for name, service in SERVICES.items():
        assert files[name].logins[0] == ways.get(service.way, service.way), name
