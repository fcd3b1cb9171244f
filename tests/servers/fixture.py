"""Starts a stand-in server as a process and speaks to its control interface.

For every suite (Python, Kodi): stdlib only, Python 3.8 or later; the server itself runs in the
interpreter named by SESSIONKEEPER_SERVER_PYTHON (by default this one), which needs
requirements.txt. The server ends with the process that started it, whatever happens to that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
# Proxies of the environment are for the network, not for this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StandIn:
    """The stand-in for the service of a provider ("jwt-audit" is the package jwt_audit). Ports,
    users, sessions and CA outlive stop() and start().

    `directory` keeps them; without one it is temporary and goes with the object.
    """

    VIEWER = ("viewer@example.com", "correct horse")
    NON_ASCII = ("zoë.ünïcode@例え.jp", "пароль-密码-🔑")

    def __init__(
        self, name: str, directory: Path | str | None = None, python: str | None = None
    ) -> None:
        self.name = name
        self._temporary = None
        if directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix=f"{name}-")
            directory = self._temporary.name
        self.directory = Path(directory)
        self._python = python or os.environ.get("SESSIONKEEPER_SERVER_PYTHON") or sys.executable
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.control = ""
        self.ca_file = ""
        self.resolve: list[str] = []
        # What the provider file needs to find the service, for `parameters` of sessionkeeper.open.
        self.parameters: dict[str, str] = {}

    # The process

    def start(self) -> StandIn:
        """Start it, on the ports it had before if it ever ran; returns when it is ready."""
        if self._process is not None:
            return self
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [self._python, "-m", "tests.servers", self.name, "--with-parent"]
        command += ["--directory", str(self.directory), "--port", str(self.port)]
        command += ["--control-port", self.control.rpartition(":")[2] or "0"]
        with open(self._log, "ab") as log:
            process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise RuntimeError(f"the stand-in did not start:\n{self._log.read_text('utf-8')}")
        ready = json.loads(line)
        self._process = process
        self.port = ready["port"]
        self.control = ready["control"]
        self.ca_file = ready["ca_file"]
        self.resolve = ready["resolve"]
        self.parameters = ready["parameters"]
        return self

    def stop(self) -> None:
        """End it. Connections to its port are refused from now on.

        Raises AssertionError when the server itself broke (a traceback in its log).
        """
        self._end(kill=False)
        text = self._log.read_text("utf-8") if self._log.exists() else ""
        assert "Traceback" not in text, f"the stand-in broke:\n{text}"

    def kill(self) -> None:
        """End it as a power failure would."""
        self._end(kill=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def reset(self) -> StandIn:
        """Running, without sessions, faults, settings and journal; users stay. For the start of
        each test.
        """
        self.start()
        for path in ("/faults", "/settings", "/sessions", "/journal"):
            self._ask("DELETE", path)
        return self

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            if self._temporary is not None:
                self._temporary.cleanup()

    # How a client reaches it

    def resolve_also(self, *hosts: str) -> list[str]:
        """The resolve list with more hosts: a client lured there arrives here, in the journal."""
        return self.resolve + [f"{host}:{self.port}:127.0.0.1" for host in hosts]

    def options(self) -> dict[str, Any]:
        """With what `sessionkeeper.open` comes here, and nowhere else."""
        return {"ca_file": self.ca_file, "resolve": self.resolve, "proxy": "none"}

    def arguments(self) -> list[str]:
        """The same for the command line."""
        return ["--ca-file", self.ca_file] + [f"--resolve={one}" for one in self.resolve]

    @property
    def proxy(self) -> str:
        """The proxy that leads here, for a program that can be told of a proxy alone, as Kodi."""
        return f"http://127.0.0.1:{self.port}"

    # What arrived

    def journal(self, path: str | None = None, host: str | None = None) -> list[dict[str, Any]]:
        """The requests that arrived, oldest first; of one path or host, when given."""
        requests = self._ask("GET", "/journal")["requests"]
        return [
            one for one in requests if path in (None, one["path"]) and host in (None, one["host"])
        ]

    def connections(self) -> list[dict[str, Any]]:
        """Connections that brought no request: refused by a fault, or lost in the handshake."""
        found: list[dict[str, Any]] = self._ask("GET", "/journal")["connections"]
        return found

    def clear_journal(self) -> None:
        self._ask("DELETE", "/journal")

    # What goes wrong

    def fault(
        self,
        path: str,
        name: str,
        host: str | None = None,
        times: int | None = None,
        **parameters: Any,
    ) -> None:
        """Let requests for `path` (may end in *) meet a fault; rules act in the order they came.

        The names and parameters are in the table of tests/servers/front/__init__.py.
        """
        rule = {"path": path, "fault": name, **parameters}
        if host is not None:
            rule["host"] = host
        if times is not None:
            rule["times"] = times
        self._ask("PUT", "/faults", rule)

    def known_faults(self) -> list[str]:
        found: list[str] = self._ask("GET", "/faults")["known"]
        return found

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings (settings.py of front and of the service) and return them all."""
        found: dict[str, Any] = self._ask("PUT", "/settings", changes)
        return found

    # Who is there

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        self._ask("POST", "/users", {"email": email, "password": password, "id": id, "name": name})

    def users(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._ask("GET", "/users")
        return found

    def sessions(self) -> list[dict[str, Any]]:
        """All sessions there ever were, oldest first."""
        found: list[dict[str, Any]] = self._ask("GET", "/sessions")
        return found

    def end_session(self, id: str) -> None:
        """End a session as if somebody else had."""
        self._ask("POST", f"/sessions/{id}/end")

    def check(
        self,
        jwt: str | None = None,
        cookies: dict[str, str] | None = None,
        refresh_token: str | None = None,
    ) -> bool:
        """Whether the server would accept these credentials now; sends no journaled request."""
        given: dict[str, Any] = {"cookies": cookies or {}}
        if jwt is not None:
            given = {"jwt": jwt}
        elif refresh_token is not None:
            given = {"refresh_token": refresh_token}
        return bool(self._ask("POST", "/check", given)["accepted"])

    def approve(
        self,
        user_code: str,
        username: str = VIEWER[0],
        password: str = VIEWER[1],
        deny: bool = False,
    ) -> None:
        """Answer a device login as its user would in a browser. Only where there is such a login.

        Raises ValueError when the code or the password is wrong.
        """
        given: dict[str, Any] = {"username": username, "password": password}
        if deny:
            given = {"deny": True}
        self._ask("POST", "/approve", {"user_code": user_code, **given})

    def authorize(
        self,
        url: str,
        username: str = VIEWER[0],
        password: str = VIEWER[1],
        deny: bool = False,
    ) -> str:
        """Answer an authorization request as its user would in a browser, and return where the
        browser is led: to the client's redirect URI, which nobody opens. Only where there is such
        a login.

        Raises ValueError, with what the page says, when it is not led back.
        """
        given: dict[str, Any] = {"username": username, "password": password}
        if deny:
            given["deny"] = True
        return str(self._ask("POST", "/authorize", {"url": url, **given})["location"])

    # Within

    @property
    def _log(self) -> Path:
        return self.directory / "server.log"

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.control + path, data, headers, method=method)
        try:
            with _OPENER.open(request, timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            raise ValueError(f"{method} {path}: {error.code} {text}") from None
