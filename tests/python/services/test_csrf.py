"""Ways in and out behind CSRF tokens: a site with Django's own admin, and MediaWiki itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from tests.servers.exchange import Reply, exchange
from tests.servers.fixture import StandIn
from tests.servers.installed import require
from tests.servers.mediawiki import install


@dataclass(frozen=True)
class Site:
    """`page` is shown to whoever is logged in; `logout` is where one logs out. The token that goes
    there is in `token_page`."""

    file: str
    server: str
    page: str
    logout: str
    token_page: str

    def who(self, answer: Any) -> str:
        """Whose page it is, by what it says; empty where it is nobody's."""
        if self.server == "mediawiki":
            told = json.loads(answer.text)["query"]["userinfo"]
            return "" if "anon" in told else str(told["email"])
        found = re.findall(r"Welcome,\s*<strong>(.*?)</strong>", answer.text)
        return found[0] if found else ""


DJANGO = Site("csrf_django.toml", "django-admin", "/admin/", "/admin/logout/", "/admin/")
WIKI = Site(
    "csrf_mediawiki.toml",
    "mediawiki",
    "/api.php?action=query&meta=userinfo&uiprop=email&format=json&formatversion=2",
    "/api.php",
    "/api.php",
)


@pytest.fixture(params=[DJANGO, WIKI], ids=lambda one: one.server)
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.param
    return found


@pytest.fixture
def server(site: Site, stand_in: Callable[[str], StandIn]) -> StandIn:
    if site is WIKI:
        require(install.missing())
    return stand_in(site.server).reset()


class Reader:
    """A viewer of such a site, on one device."""

    def __init__(self, site: Site, server: StandIn, home: Path) -> None:
        self.site, self.server, self._home = site, server, home
        self.page = server.parameters["base"] + site.page

    def open(self, **options: Any) -> sessionkeeper.Keeper:
        return sessionkeeper.open(
            Path(__file__).with_name(self.site.file),
            parameters=self.server.parameters,
            data_dir=self._home / "data",
            key_dir=self._home / "key",
            **self.server.options(),
            **options,
        )

    def asked_with(self, cookies: dict[str, str]) -> Reply:
        """What the server answers to somebody with these cookies."""
        line = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return exchange(self.server, "GET", self.page, {"Cookie": line})

    def accepted(self, cookies: dict[str, str]) -> bool:
        answer = self.asked_with(cookies)
        return answer.status == 200 and self.site.who(answer) != ""


@pytest.fixture
def reader(site: Site, server: StandIn, tmp_path: Path) -> Reader:
    return Reader(site, server, tmp_path)


def test_in_back_after_a_restart_and_out(reader: Reader) -> None:
    reader.open().login(*StandIn.VIEWER)
    session = reader.open().restore()
    assert session is not None
    answer = session.get(reader.page)
    assert answer.status_code == 200
    assert reader.site.who(answer) == reader.site.who(reader.asked_with(session.cookies)) != ""
    if reader.site is WIKI:
        assert session.account.email == StandIn.VIEWER[0]
    held = dict(session.cookies)
    assert reader.accepted(held)
    report = reader.open().logout()
    assert (report.local, report.remote) == ("cleared", "revoked"), report
    assert not reader.accepted(held)
    assert [one["alive"] for one in reader.server.sessions()] == [False]
    again = reader.open().logout()
    assert (again.local, again.remote) == ("already_signed_out", "nothing_to_revoke")


def test_out_without_the_network_is_delivered_later(reader: Reader) -> None:
    keeper = reader.open()
    held = dict(keeper.login(*StandIn.VIEWER).cookies)
    reader.server.stop()
    assert keeper.logout().remote == "deferred"
    reader.server.start()
    assert reader.accepted(held)
    drained = reader.open().drain()
    assert (drained.revoked, reader.open().outbox()) == (1, []), drained
    assert not reader.accepted(held)


def test_a_wrong_password(reader: Reader) -> None:
    keeper = reader.open()
    with pytest.raises(sessionkeeper.CredentialsRefused):
        keeper.login(StandIn.VIEWER[0], "wrong")
    assert keeper.session is None
    assert keeper.outbox() == []
    keeper.login(*StandIn.NON_ASCII)


def test_ended_by_somebody_else(reader: Reader) -> None:
    keeper = reader.open()
    keeper.login(*StandIn.VIEWER)
    reader.server.end_session(reader.server.sessions()[-1]["id"])
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "already_ended"), report
    posted = [one for one in reader.server.journal(reader.site.logout) if one["method"] == "POST"]
    assert posted == []


def test_without_its_token_nothing_is_sent_and_nothing_is_claimed(reader: Reader) -> None:
    """The page that has it is out of order: it is tried again later."""
    keeper = reader.open()
    held = dict(keeper.login(*StandIn.VIEWER).cookies)
    reader.server.clear_journal()
    reader.server.fault(reader.site.token_page, "status:503", times=3)
    assert keeper.logout().remote == "deferred"
    posted = [one for one in reader.server.journal(reader.site.logout) if one["method"] == "POST"]
    assert posted == []
    reader.server.clear_faults()
    assert reader.accepted(held)
    assert reader.open().drain().revoked == 1
    assert not reader.accepted(held)


def test_no_token_is_told(reader: Reader) -> None:
    keeper = reader.open(log_level="debug")
    session = keeper.login(*StandIn.VIEWER)
    secrets = [value for value in session.cookies.values() if len(value) > 12]
    assert secrets
    keeper.logout()
    told = [keeper.audit(1000), keeper.details(), keeper.doctor(), keeper.take_log()]
    text = "\n".join(f"{one!r}" for one in told)
    assert [value for value in secrets if value in text] == []
