"""The homeserver as the front sees it: Synapse in its own environment, asked past the front."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.front.answer import Answer
from tests.servers.front.child import Child
from tests.servers.front.ledger import Ledger
from tests.servers.front.request import Request
from tests.servers.front.service import Service as FrontService
from tests.servers.front.settings import write_json
from tests.servers.front.store import FIRST

from . import install
from .admin import Admin
from .database import Database
from .settings import Settings

HOST = "matrix.home-demo.example"
BASE = f"https://{HOST}"
API = "/_matrix/client/v3"
_ROOT = Path(__file__).resolve().parents[3]
_LOGOUTS = (f"{API}/logout", f"{API}/logout/all")


class Service(FrontService):
    hosts = (HOST,)
    parameters: ClassVar[dict[str, str]] = {"base": BASE}

    def __init__(self, directory: Path) -> None:
        self.settings = Settings()
        self._directory = directory.resolve()
        self._database = Database(self._directory / "homeserver.db")
        self._ledger = Ledger(self._directory / "sessions.json")
        self._synapse = Child(self._command, PYTHONPATH=str(_ROOT))
        self._admin = Admin(HOST, 0)
        # Of the one that runs.
        self._configured: dict[str, Any] = {}

    async def start(self) -> dict[str, int]:
        lack = install.missing()
        if lack:
            raise RuntimeError(lack)
        if not (self._directory / "homeserver.yaml").exists():
            await asyncio.to_thread(self._generate)
        self._write_clock()
        port = await self._synapse.start()
        self._admin = Admin(HOST, port)
        await asyncio.to_thread(self._add_first)
        return {HOST: port}

    async def stop(self) -> None:
        await self._synapse.stop()

    async def follow_settings(self) -> None:
        self._write_clock()
        if self._configuration() != self._configured:
            await self._synapse.stop()
            await self._synapse.start()

    async def rehearse(
        self, request: Request, ask: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        """A logout is answered by whether somebody is there to be logged out."""
        if request.method != "POST" or request.target.partition("?")[0] not in _LOGOUTS:
            return await ask(request)
        answer = await ask(replace(request, method="GET", target=f"{API}/account/whoami", body=b""))
        # Synapse lets one log out with a token that expired, and whoami says so of one.
        if answer.status == 200 or json.loads(answer.body).get("soft_logout"):
            answer.status, answer.body = 200, b"{}"
        return answer

    def trace(self, _: dict[str, str], bearer: str | None, form: dict[str, str]) -> str | None:
        self._look()
        return self._ledger.id_of(bearer, form.get("refresh_token"), form.get("access_token"))

    def users(self) -> list[dict[str, str]]:
        return self._database.users()

    async def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        await asyncio.to_thread(self._put_user, email, password, id, name)

    async def sessions(self) -> list[dict[str, Any]]:
        self._look()
        return self._ledger.sessions()

    async def end_session(self, id: str) -> None:
        self._look()
        user, device = self._ledger.name_of(id).split(" ", 1)
        await asyncio.to_thread(self._admin.delete_devices, user, [device])

    async def forget_sessions(self) -> None:
        for user in self._database.users():
            devices = [device for of, device in self._database.devices() if of == user["id"]]
            if devices:
                await asyncio.to_thread(self._admin.delete_devices, user["id"], devices)
        self._ledger.forget()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """ "jwt" is an access token; whoami is asked, unless that would be its first use."""
        access, refresh = given.get("jwt"), given.get("refresh_token")
        self._look()
        now = self.settings.now()
        if refresh:
            accepted = self._database.takes(refresh, now)
        elif access and self._database.is_unused(access, now):
            accepted = True
        else:
            accepted = bool(access) and await asyncio.to_thread(self._admin.accepts, access)
        return {"accepted": accepted, "session": self._ledger.id_of(access, refresh)}

    # Within

    def _look(self) -> None:
        self._ledger.follow(self._database.sessions(self.settings.now()))

    def _put_user(self, email: str, password: str, id: str, name: str) -> None:
        known = {user["email"]: user["id"] for user in self._database.users()}
        user_id = known.get(email) or f"@{id or _local_part(email)}:{HOST}"
        self._admin.put_user(user_id, email, password, name or email.partition("@")[0])

    def _add_first(self) -> None:
        """The administrator and the accounts of every stand-in, unless they are there."""
        file = self._directory / "keeper.json"
        if file.exists():
            self._admin.token = json.loads(file.read_text(encoding="utf-8"))
        else:
            generated = (self._directory / "homeserver.yaml").read_text(encoding="utf-8")
            found = re.search(r'^registration_shared_secret: "(.*)"$', generated, re.MULTILINE)
            assert found is not None
            self._admin.register_keeper(found[1])
            for email, password, name in FIRST:
                self._put_user(email, password, "", name)
            write_json(file, self._admin.token)

    def _write_clock(self) -> None:
        write_json(self._directory / "clock", float(self.settings.clock_offset))

    def _command(self, port: int) -> list[str]:
        self._configured = self._configuration()
        listener = {
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "tls": False,
            "x_forwarded": True,
            "resources": [{"names": ["client"]}],
        }
        # JSON is YAML.
        write_json(self._directory / "ours.yaml", {**self._configured, "listeners": [listener]})
        return [*self._synapse_command(), "-c", str(self._directory / "ours.yaml")]

    def _configuration(self) -> dict[str, Any]:
        """Beside what Synapse generates."""
        no_limit = {"per_second": 10_000, "burst_count": 10_000}
        return {
            "public_baseurl": BASE,
            "refreshable_access_token_lifetime": f"{self.settings.access_lifetime}s",
            "refresh_token_lifetime": f"{self.settings.refresh_lifetime}s",
            "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), no_limit),
            # This is a test server: its passwords need no time, and it talks to no other.
            "bcrypt_rounds": 4,
            "trusted_key_servers": [],
            "log_config": str(Path(__file__).with_name("log.yaml")),
            "modules": [
                {
                    "module": f"{__package__}.clock.Clock",
                    "config": {"file": str(self._directory / "clock")},
                }
            ],
        }

    def _generate(self) -> None:
        command = [*self._synapse_command(), "--server-name", HOST, "--report-stats=no"]
        subprocess.run(
            [*command, "--generate-config"],
            cwd=self._directory,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def _synapse_command(self) -> list[str]:
        generated = str(self._directory / "homeserver.yaml")
        return [install.python(), "-m", "synapse.app.homeserver", "-c", generated]


def _local_part(email: str) -> str:
    """The first word of an address, in what a Matrix id may have: zoë.ünïcode@… is zoe."""
    plain = unicodedata.normalize("NFKD", email.partition("@")[0].lower())
    return re.sub(r"[^a-z0-9]", "", plain.partition(".")[0]) or "user"
