"""A service with its server, as a viewer meets it, and what somebody else could do there."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.canaries import Search
from tests.python.services.case import BROWSER, PASSWORD, Case
from tests.servers.browser import Browser
from tests.servers.fixture import StandIn

FILES = Path(__file__).resolve().parents[3] / "resources" / "providers"
SHORT = 12


class Service:
    """`way` is how a viewer logs in."""

    def __init__(self, case: Case, way: str, server: StandIn, home: Path) -> None:
        self.case, self.way, self.server, self._home = case, way, server, home

    @property
    def me(self) -> str:
        return self.case.me.format(**self.server.parameters)

    @property
    def parameters(self) -> dict[str, str]:
        given = self.server.parameters
        text = (FILES / f"{self.case.provider}.toml").read_text("utf-8")
        return {name: value for name, value in given.items() if f"[parameters.{name}]" in text}

    def open(self, device: str = "пристрій", **options: Any) -> sessionkeeper.Keeper:
        """As a process that knows only what is stored on that device."""
        return sessionkeeper.open(
            self._provider(),
            **{
                "parameters": self.parameters,
                "data_dir": self._home / device / "data",
                "key_dir": self._home / device / "ключ",
                **self.server.options(),
                **options,
            },
        )

    def _provider(self) -> Any:
        """The file that ships; where it has an interval of its own, with a shorter one."""
        if not self.case.hurry or self.way == PASSWORD:
            return self.case.provider
        text = (FILES / f"{self.case.provider}.toml").read_text("utf-8")
        for slow, quick in self.case.hurry.items():
            assert slow in text
            text = text.replace(slow, quick)
        file = self._home / f"{self.case.provider}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def log_in(
        self, keeper: sessionkeeper.Keeper, who: tuple[str, str] = ("", "")
    ) -> sessionkeeper.Session:
        who = who if who[0] else self.case.viewer
        if self.way == PASSWORD:
            return keeper.login(*who)
        if self.way == BROWSER:
            browsed = keeper.start_browser_login(redirect="paste")
            return browsed.finish(self.case.browse(self.server, browsed.url, who))
        login = keeper.start_device_login()
        self.approve(login, who)
        return login.wait()

    def approve(
        self, login: sessionkeeper.DeviceLogin, who: tuple[str, str] = ("", ""), deny: bool = False
    ) -> None:
        who = who if who[0] else self.case.viewer
        self.server.approve(login.user_code or login.address, *who, deny=deny)

    def ask(self, session: sessionkeeper.Session) -> Any:
        """In the account's name."""
        more: dict[str, Any] = {} if self.case.method == "GET" else {"json": {}}
        return session.request(self.case.method, self.me, **more)

    def copied(self, session: sessionkeeper.Session) -> Callable[[], int]:
        """What a thief would hold now; it tells with what status the service answers to it."""
        headers = dict(session.headers)
        assert headers or session.cookies
        if session.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in session.cookies.items())
        headers.setdefault("User-Agent", "thief/1")

        def use() -> int:
            browser = Browser(self.server)
            if self.case.method == "POST":
                typed = {"Content-Type": "application/json", **headers}
                return browser.post(self.me, b"{}", False, **typed).status
            return browser.get(self.me, False, **headers).status

        return use

    def alive(self) -> list[bool]:
        return [one["alive"] for one in self.server.sessions()]

    def leaks(
        self, keeper: sessionkeeper.Keeper, secrets: dict[str, str], shown: list[object]
    ) -> list[str]:
        """The secrets that stand in what the keeper tells, keeps in the clear, or raised."""
        search = Search(secrets)
        told = [keeper, keeper.status(), keeper.details(), keeper.audit(1000), keeper.doctor()]
        told += [keeper.events(0), keeper.outbox(), keeper.accounts(), *keeper.take_log(), *shown]
        found = search.content("what was told", "\n".join(f"{one!r} {one}" for one in told))
        keys = list(self._home.rglob("*.key"))
        assert keys
        return found + search.files(self._home, without=keys)


def secrets_of(session: sessionkeeper.Session) -> dict[str, str]:
    """What a request carries that nobody else may have."""
    found = {f"cookie {name}": value for name, value in session.cookies.items()}
    names = {"authorization", "x-emby-token", "x-plex-token"}
    for name, value in session.headers.items():
        if name.lower() in names:
            last = (
                value.rpartition(" ")[2].rpartition("=")[2] if '"' in value else value.split()[-1]
            )
            found[f"header {name}"] = last.strip('"')
    secrets = {name: value for name, value in found.items() if len(value) > SHORT}
    assert secrets
    return secrets


def failure(act: Callable[[], object], *kinds: type[sessionkeeper.Error]) -> list[object]:
    """What the error says, in every way."""
    with pytest.raises(kinds or sessionkeeper.Error) as caught:
        act()
    error = caught.value
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return [error, error.hint, error.as_dict(), vars(error), "".join(lines)]
