"""The storefront: the routes below /shop/api. Who is signed in, only the auth API can tell it.

Each request about a session is forwarded there over HTTP, with all cookies; its Set-Cookie lines
and its status come back as they are. Where it cannot be reached the answer is 500 with details.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.service import DRY_RUN
from tests.servers.front.wire import cookies_of, with_cookies

from . import cookies
from .settings import Settings
from .shop import ACCOUNT_SUFFIX, PRODUCTS, Shop

_YEAR = 365 * 24 * 3600


class Storefront:
    def __init__(self, shop: Shop, settings: Settings, auth: httpx.AsyncClient) -> None:
        self._shop = shop
        self._settings = settings
        self._auth = auth

    def application(self) -> Starlette:
        api = "/shop/api"
        return Starlette(
            routes=[
                Route("/shop", self.front, methods=["GET"]),
                Route(f"{api}/linxup/auth/login", self.log_in, methods=["POST"]),
                Route(f"{api}/linxup/auth/refresh", self.refresh, methods=["POST"]),
                Route(f"{api}/linxup/auth/logout", self.log_out, methods=["POST"]),
                Route(f"{api}/linxup/account", self.account, methods=["GET"]),
                Route(f"{api}/products", self.products, methods=["GET"]),
                Route(f"{api}/cart", self.cart, methods=["GET"]),
                Route(f"{api}/cart/items", self.add_item, methods=["POST"]),
                Route(f"{api}/cart/items/{{id}}", self.remove_item, methods=["DELETE"]),
            ],
            exception_handlers={httpx.TransportError: _unreachable, HTTPException: _refused},
        )

    async def front(self, _: Request) -> Response:
        return HTMLResponse("<!DOCTYPE html><html><title>Shop</title><h1>Trackers</h1></html>")

    # The session

    async def log_in(self, request: Request) -> Response:
        answer = await self._forward(request, "POST", "/v2/login", await request.body())
        if not answer.is_success:
            reason = answer.json().get("error", "")
            return self._relay(answer, {"success": False, "error": reason})
        person = answer.json()["person"]
        relayed = self._relay(answer, {"success": True, "person": person})
        customer = self._shop.customer(person["id"])
        return with_cookies(relayed, [self._own_cookie(cookies.CUSTOMER, customer)])

    async def refresh(self, request: Request) -> Response:
        answer = await self._forward(request, "POST", "/v2/refresh")
        return self._relay(answer, {"success": answer.is_success})

    async def log_out(self, request: Request) -> Response:
        """Whatever the auth API answers counts as done; the status alone says how it went."""
        answer = await self._forward(request, "POST", "/v2/logout")
        return self._relay(answer, {"success": True})

    async def account(self, request: Request) -> Response:
        answer = await self._forward(request, "GET", "/v2/person")
        return self._relay(answer, answer.json())

    async def _forward(
        self, request: Request, method: str, path: str, body: bytes = b""
    ) -> httpx.Response:
        passed = (b"cookie", b"content-type", b"user-agent", DRY_RUN.encode())
        headers = [pair for pair in request.headers.raw if pair[0] in passed]
        return await self._auth.request(method, path, content=body, headers=headers)

    def _relay(self, answer: httpx.Response, body: dict[str, object]) -> Response:
        status = answer.status_code
        bodiless = status in (204, 304)
        relayed = Response(status_code=status) if bodiless else JSONResponse(body, status)
        return with_cookies(relayed, answer.headers.get_list("set-cookie"))

    # The cart

    async def products(self, _: Request) -> Response:
        return JSONResponse({"products": [asdict(product) for product in PRODUCTS]})

    async def cart(self, request: Request) -> Response:
        return JSONResponse({"cart": self._shop.cart(_cart_id(request))})

    async def add_item(self, request: Request) -> Response:
        try:
            given = json.loads(await request.body())
            sku, quantity = given["sku"], given.get("quantity", 1)
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"error": "a sku is wanted"}, 400)
        if type(quantity) is not int or not 1 <= quantity <= 999:
            return JSONResponse({"error": "quantity is a number from 1 to 999"}, 400)
        product = self._shop.product(sku) if isinstance(sku, str) else None
        if product is None:
            return JSONResponse({"error": "no such product"}, 404)
        if sku.endswith(ACCOUNT_SUFFIX):
            person = await self._forward(request, "GET", "/v2/person")
            if not person.is_success:
                return JSONResponse({"error": "for signed-in customers"}, 403)
        cart_id = self._shop.put(_cart_id(request), product, quantity)
        answer = JSONResponse({"cart": self._shop.cart(cart_id)}, 201)
        return with_cookies(answer, [self._own_cookie(cookies.CART, cart_id)])

    async def remove_item(self, request: Request) -> Response:
        cart_id = _cart_id(request)
        if not self._shop.take_out(cart_id, request.path_params["id"]):
            return JSONResponse({"error": "no such item"}, 404)
        return JSONResponse({"cart": self._shop.cart(cart_id)})

    def _own_cookie(self, name: str, value: str) -> str:
        known = self._settings
        return cookies.of_storefront(name, value, _YEAR, known.now(), development=known.development)


def _cart_id(request: Request) -> str:
    return cookies_of(request).get(cookies.CART, "")


async def _unreachable(_: Request, error: Exception) -> Response:
    details = f"{type(error).__name__}: {error}"
    body = {"success": False, "error": "The auth service cannot be reached", "details": details}
    return JSONResponse(body, 500)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {"success": False, "error": error.detail}
    return JSONResponse(body, error.status_code, error.headers)
