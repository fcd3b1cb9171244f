"""The HTTP interface of plex.tv."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Route, Router

from tests.servers.front.service import is_dry_run

from .answers import (
    Refused,
    device_list,
    no_devices,
    pin_fields,
    refused,
    refused_by_router,
    told,
    user_fields,
    xml,
)
from .store import Client, Session, Store

_FORM = "application/x-www-form-urlencoded"


class Api:
    def __init__(self, store: Store) -> None:
        self._store = store

    def application(self, hosts: tuple[str, str]) -> Starlette:
        both = [
            *_v2("pins", self.make_pin, "POST"),
            *_v2("pins/link", self.link, "PUT"),
            *_v2("pins/{id:int}", self.pin, "GET"),
            *_v2("users/signin", self.sign_in, "POST"),
            *_v2("users/signout", self.sign_out, "DELETE"),
            *_v2("user", self.user, "GET"),
            *_v2("ping", self.ping, "GET"),
        ]
        older = [
            Route("/devices.xml", self.devices),
            Route("/devices/{id:int}.xml", self.remove_device, methods=["DELETE"]),
        ]
        main, clients = hosts
        return Starlette(
            routes=[Host(main, Router([*both, *older])), Host(clients, Router(both))],
            exception_handlers={Refused: refused, HTTPException: refused_by_router},
        )

    # PINs

    async def make_pin(self, request: Request) -> Response:
        given = await _given(request)
        client = _client(given)
        strong = given.get("strong", "").lower() in ("true", "1")
        pin = self._store.make_pin(client, strong=strong)
        return told(request, "pin", pin_fields(pin, self._store.now()), 201)

    async def pin(self, request: Request) -> Response:
        client = _client(await _given(request))
        pin = self._store.pin(request.path_params["id"], client.identifier)
        if pin is None:
            raise Refused(1020)
        return told(request, "pin", pin_fields(pin, self._store.now()))

    async def link(self, request: Request) -> Response:
        given = await _given(request)
        session = self._signed_in(given)
        if not given.get("code"):
            raise Refused(1004)
        pin = self._store.open_pin(given["code"])
        if pin is None:
            raise Refused(1020)
        self._store.link(pin, self._store.users[session.email])
        return Response(status_code=204)

    # The account

    async def sign_in(self, request: Request) -> Response:
        given = await _given(request)
        client = _client(given)
        if "login" not in given or "password" not in given:
            raise Refused(1004)
        user = self._store.check_password(given["login"], given["password"])
        if user is None:
            raise Refused(1001)
        token = self._store.begin(user, client).token
        return told(request, "user", user_fields(user, token), 201)

    async def user(self, request: Request) -> Response:
        session = self._signed_in(await _given(request))
        fields = user_fields(self._store.users[session.email], session.token)
        return told(request, "user", fields)

    async def ping(self, request: Request) -> Response:
        self._signed_in(await _given(request))
        if "json" in request.headers.get("accept", ""):
            return told(request, "", {"pong": True})
        return xml("<pong>true</pong>")

    async def sign_out(self, request: Request) -> Response:
        session = self._signed_in(await _given(request))
        if not is_dry_run(request.headers):
            self._store.end(session, "logout")
        return Response(status_code=204)

    # Devices

    async def devices(self, request: Request) -> Response:
        session = await self._older(request)
        if session is None:
            return no_devices()
        if self._store.settings.media_server:
            self._store.add_media_server(self._store.users[session.email])
        return device_list(self._store.listed(session.email))

    async def remove_device(self, request: Request) -> Response:
        session = await self._older(request)
        if session is None:
            return no_devices()
        wanted = request.path_params["id"]
        found = [one for one in self._store.listed(session.email) if one.device_id == wanted]
        if not found:
            raise Refused(1002)
        if not is_dry_run(request.headers):
            self._store.remove_device(found)
        return Response(status_code=200)

    # Within

    def _signed_in(self, given: dict[str, str]) -> Session:
        _client(given)
        session = self._store.accepted(given.get("x-plex-token"))
        if session is None:
            raise Refused(1001)
        return session

    async def _older(self, request: Request) -> Session | None:
        given = await _given(request)
        _client(given)
        return self._store.accepted(given.get("x-plex-token"))


def _v2(path: str, handler: Any, method: str) -> list[Route]:
    address = f"/api/v2/{path}"
    endings = ("", ".json", ".xml")
    return [Route(address + ending, handler, methods=[method]) for ending in endings]


async def _given(request: Request) -> dict[str, str]:
    """Fields of the query and of a form, and headers before them; names in lower case.

    Raises Refused for a body that is not a form.
    """
    body = (await request.body()).decode("utf-8", "replace")
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if body and kind != _FORM:
        raise Refused(1004)
    pairs = [*request.query_params.multi_items(), *parse_qsl(body, keep_blank_values=True)]
    found = {name.lower(): value for name, value in pairs}
    return {**found, **{n: v for n, v in request.headers.items() if n.startswith("x-plex-")}}


def _client(given: dict[str, str]) -> Client:
    """Raises Refused where nobody says who asks."""
    if not given.get("x-plex-client-identifier"):
        raise Refused(1000)
    names = ("client-identifier", "product", "device-name", "platform", "device", "version")
    return Client(*(given.get(f"x-plex-{name}", "") for name in (*names, "provides")))
