"""Synapse's API for administrators, asked as a person who runs the server would, past the front."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import urllib.parse
from typing import Any

from tests.servers.person import BehindTheFront

_ADMIN = "/_synapse/admin"


class Admin:
    def __init__(self, host: str, port: int, token: str = "") -> None:
        self._host = host
        self._port = port
        self.token = token

    def register_keeper(self, shared_secret: str) -> None:
        """An administrator, who makes the other accounts and is none of the stand-in's."""
        name, password = f"keeper-{secrets.token_hex(4)}", secrets.token_urlsafe()
        nonce = self.ask("GET", f"{_ADMIN}/v1/register")["nonce"]
        text = f"{nonce}\0{name}\0{password}\0admin"
        mac = hmac.new(shared_secret.encode(), text.encode(), hashlib.sha1).hexdigest()
        who = {"nonce": nonce, "username": name, "password": password, "admin": True, "mac": mac}
        self.token = self.ask("POST", f"{_ADMIN}/v1/register", who)["access_token"]

    def put_user(self, user_id: str, email: str, password: str, name: str) -> None:
        """Add an account, or give the one with this id another password."""
        self.ask(
            "PUT",
            f"{_ADMIN}/v2/users/{urllib.parse.quote(user_id)}",
            {
                "password": password,
                "logout_devices": False,
                "displayname": name,
                "threepids": [{"medium": "email", "address": email}],
            },
        )

    def delete_devices(self, user_id: str, devices: list[str]) -> None:
        path = f"{_ADMIN}/v2/users/{urllib.parse.quote(user_id)}/delete_devices"
        self.ask("POST", path, {"devices": devices})

    def accepts(self, token: str) -> bool:
        """What whoami says of an access token."""
        return self._send("GET", "/_matrix/client/v3/account/whoami", None, token)[0] == 200

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Raises ValueError with what Synapse says."""
        status, text = self._send(method, path, body, self.token)
        if status >= 400:
            raise ValueError(f"Synapse answers {status}: {text}")
        return json.loads(text)

    def _send(self, method: str, path: str, body: Any, token: str) -> tuple[int, str]:
        connection = BehindTheFront(self._host, self._port)
        headers = {"Host": self._host, "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with contextlib.closing(connection):
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
