"""A client of the shop for the stand-in's own tests."""

from __future__ import annotations

from tests.servers import client
from tests.servers.client import Answer

API = "/shop/api"


class Client(client.Client):
    def log_in(self, username: str, password: str) -> Answer:
        return self.post(f"{API}/linxup/auth/login", {"username": username, "password": password})
