"""Angel Studios as the front sees it: the site, its users and its sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.front.upstreams import serve_asgi

from .settings import Settings
from .site import HOSTS, Site
from .store import Store

_SHOWN = ("id", "email", "alive", "jwt_expires_at", "logins", "renewals", "logouts")


class AngelStudios:
    hosts = HOSTS

    def __init__(self, directory: Path) -> None:
        self.parameters: dict[str, str] = {}
        self._store = Store(directory)

    @property
    def settings(self) -> Settings:
        return self._store.settings

    async def start(self) -> dict[str, int]:
        port = await serve_asgi(Site(self._store).application())
        return dict.fromkeys(HOSTS, port)

    async def stop(self) -> None:
        pass

    def trace(self, cookies: dict[str, str], bearer: str | None, _: dict[str, str]) -> str | None:
        session = self._store.traced(cookies, bearer)
        return session.id if session else None

    def users(self) -> list[dict[str, str]]:
        known = self._store.users.values()
        return [{"id": user.id, "email": user.email, "name": user.name} for user in known]

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        self._store.add_user(email, password, id, name)

    async def sessions(self) -> list[dict[str, Any]]:
        known = self._store.sessions.values()
        return [{name: getattr(session, name) for name in _SHOWN} for session in known]

    async def end_session(self, id: str) -> None:
        self._store.end(self._store.sessions[id], by_logout=False)

    async def forget_sessions(self) -> None:
        self._store.forget_sessions()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        session = self._store.accepted(given.get("cookies") or {}, given.get("jwt"))
        return {"accepted": session is not None, "session": session.id if session else None}
