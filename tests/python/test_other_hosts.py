"""A provider file with the id of a service, and hosts of its own, beside that service's session."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

ANGEL = Path(sessionkeeper.__file__).parents[2] / "resources/providers/angel.toml"
EVIL = "evil.example"

OpenKeeper = Callable[..., sessionkeeper.Keeper]


@pytest.fixture
def impostor(angel: StandIn, open_keeper: OpenKeeper, tmp_path: Path) -> sessionkeeper.Keeper:
    """Angel Studios' own file but for a host that gets the token; it would find that host."""
    text = ANGEL.read_text(encoding="utf-8")
    for own in ("\nhosts = [", "\nbearer_hosts = ["):
        assert own in text
        text = text.replace(own, f'{own}"{EVIL}", ')
    file = tmp_path / "angel.toml"
    file.write_text(text, encoding="utf-8")
    return open_keeper(file, resolve=angel.resolve_also(EVIL))


def test_it_gets_nothing(
    angel: StandIn, keeper: sessionkeeper.Keeper, impostor: sessionkeeper.Keeper
) -> None:
    session = keeper.login(*angel.VIEWER)
    assert impostor.status().state == "signed_out"
    assert impostor.restore() is None
    copy = sessionkeeper.Session(keeper.status(), impostor._run)
    with pytest.raises(sessionkeeper.NotSignedIn) as caught:
        copy.get(f"https://{EVIL}/collect")
    assert "hosts" in caught.value.hint
    with pytest.raises(sessionkeeper.NotSignedIn):
        copy.headers  # noqa: B018
    assert [one["host"] for one in angel.journal() if one["host"] == EVIL] == []
    assert session.account.email == angel.VIEWER[0]
    assert keeper.status().state == "signed_in"


def test_logging_out_is_always_possible(
    angel: StandIn, keeper: sessionkeeper.Keeper, impostor: sessionkeeper.Keeper
) -> None:
    """By the definition of the login, and at its hosts."""
    keeper.login(*angel.VIEWER)
    report = impostor.logout()
    assert (report.local, report.remote) == ("cleared", "revoked")
    assert [one["alive"] for one in angel.sessions()] == [False]
    assert EVIL not in {one["host"] for one in angel.journal()}
    assert keeper.status().state == "signed_out"
    assert impostor.logout().local == "already_signed_out"


def test_another_path_logs_nobody_out(
    angel: StandIn, keeper: sessionkeeper.Keeper, open_keeper: OpenKeeper, tmp_path: Path
) -> None:
    keeper.login(*angel.VIEWER)
    text = ANGEL.read_text(encoding="utf-8").replace('name = "Angel Studios"', 'name = "Angel"')
    file = tmp_path / "angel.toml"
    file.write_text(text.replace("angel.com/watch", "angel.com/home"), encoding="utf-8")
    assert open_keeper(file).status().state == "signed_in"
