"""The storefront's own data: products, carts, customer numbers; kept over a restart.

A tracker is sold in two variants: with the suffix -ACT for an account that has a subscription, with
-NON for everybody. The solar tracker has no -NON variant, the harness has no suffix at all.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.servers.front.settings import write_json

ACCOUNT_SUFFIX = "-ACT"


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    price: str


PRODUCTS = (
    Product("GPS-OBD-ACT", "Vehicle tracker, for your plan", "29.99"),
    Product("GPS-OBD-NON", "Vehicle tracker", "49.99"),
    Product("CAM-DUO-ACT", "Dash camera, for your plan", "99.99"),
    Product("CAM-DUO-NON", "Dash camera", "149.99"),
    Product("SOLAR-AT-ACT", "Solar asset tracker, for your plan", "119.99"),
    Product("HARNESS-16", "Y-harness, 16 pins", "14.99"),
)
_BY_SKU = {product.sku: product for product in PRODUCTS}


@dataclass
class Item:
    id: str
    sku: str
    name: str
    price: str
    quantity: int


class Shop:
    def __init__(self, directory: Path) -> None:
        self._file = directory / "shop.json"
        self._customers: dict[str, str] = {}
        self._carts: dict[str, list[Item]] = {}
        if self._file.exists():
            state = json.loads(self._file.read_text(encoding="utf-8"))
            self._customers = state["customers"]
            for cart_id, items in state["carts"].items():
                self._carts[cart_id] = [Item(**one) for one in items]

    def customer(self, person_id: str) -> str:
        """The number a person has in the shop, for good."""
        if person_id not in self._customers:
            self._customers[person_id] = str(104200 + len(self._customers))
            self._save()
        return self._customers[person_id]

    def product(self, sku: str) -> Product | None:
        return _BY_SKU.get(sku)

    def cart(self, cart_id: str) -> dict[str, Any] | None:
        items = self._carts.get(cart_id)
        return {"id": cart_id, "items": [asdict(item) for item in items]} if items else None

    def put(self, cart_id: str, product: Product, quantity: int) -> str:
        """Put a product into a cart, a new one if there is none; more of what lies there already.

        Returns the cart's id.
        """
        if cart_id not in self._carts:
            cart_id = secrets.token_hex(16)
        items = self._carts.setdefault(cart_id, [])
        for item in items:
            if item.sku == product.sku:
                item.quantity += quantity
                break
        else:
            items.append(Item(secrets.token_hex(8), **asdict(product), quantity=quantity))
        self._save()
        return cart_id

    def take_out(self, cart_id: str, item_id: str) -> bool:
        """Remove an item; with the last one the cart is gone. False: there is no such item."""
        items = self._carts.get(cart_id, [])
        left = [item for item in items if item.id != item_id]
        if len(left) == len(items):
            return False
        if left:
            self._carts[cart_id] = left
        else:
            del self._carts[cart_id]
        self._save()
        return True

    def _save(self) -> None:
        carts = {name: [asdict(one) for one in items] for name, items in self._carts.items()}
        write_json(self._file, {"customers": self._customers, "carts": carts})
