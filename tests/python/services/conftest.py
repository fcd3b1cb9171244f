"""Each shipped service by the real module, against a strict stand-in or the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.python.services.cases import CASES, CODE, Case
from tests.servers.browser import Browser
from tests.servers.fixture import StandIn


class Service:
    """A service with its server; `way` is how a viewer logs in."""

    def __init__(self, case: Case, way: str, server: StandIn, home: Path) -> None:
        self.case, self.way, self.server, self._home = case, way, server, home
        described = {one.id: one for one in sessionkeeper.providers()}[case.provider]
        wanted = {one.name for one in described.parameters}
        self.parameters = {k: v for k, v in server.parameters.items() if k in wanted}
        self.me = case.me.format(**server.parameters)

    def open(self, device: str = "пристрій", **options: Any) -> sessionkeeper.Keeper:
        """As a process that knows only what is stored on that device."""
        return sessionkeeper.open(
            self.case.provider,
            **{
                "parameters": self.parameters,
                "data_dir": self._home / device / "data",
                "key_dir": self._home / device / "ключ",
                **self.server.options(),
                **options,
            },
        )

    def log_in(
        self, keeper: sessionkeeper.Keeper, who: tuple[str, str] = StandIn.VIEWER
    ) -> sessionkeeper.Session:
        if self.way != CODE:
            return keeper.login(*who)
        login = keeper.start_device_login()
        self.server.approve(login.user_code or login.address, *who)
        return login.wait()

    def ask(self, session: sessionkeeper.Session) -> Any:
        """In the account's name."""
        return session.request(self.case.method, self.me)

    def copied(self, session: sessionkeeper.Session) -> Callable[[], int]:
        """What a thief would hold now; it tells with what status the service answers to it."""
        headers = dict(session.headers)
        if session.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in session.cookies.items())

        def use() -> int:
            browser = Browser(self.server)
            if self.case.method == "POST":
                return browser.post(self.me, b"{}", False, **headers).status
            return browser.get(self.me, False, **headers).status

        return use

    def alive(self) -> list[bool]:
        return [one["alive"] for one in self.server.sessions()]


def _all() -> list[Any]:
    return [
        pytest.param((case, way), id=f"{case.provider}-{way}")
        for case in CASES
        for way in case.ways
    ]


@pytest.fixture(params=_all())
def service(
    request: pytest.FixtureRequest, stand_in: Callable[[str], StandIn], tmp_path: Path
) -> Service:
    case, way = request.param
    server = stand_in(case.server).reset()
    if case.settings:
        server.settings(**case.settings)
    return Service(case, way, server, tmp_path / "Zoë 例え")


@pytest.fixture
def keeper(service: Service) -> sessionkeeper.Keeper:
    return service.open()
