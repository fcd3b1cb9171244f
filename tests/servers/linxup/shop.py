"""The storefront's own data: the customers' numbers; kept over a restart."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Shop:
    def __init__(self, directory: Path) -> None:
        self._file = directory / "shop.json"
        self._customers: dict[str, str] = {}
        if self._file.exists():
            self._customers = json.loads(self._file.read_text(encoding="utf-8"))["customers"]

    def customer(self, person_id: str) -> str:
        """The number a person has in the shop, for good."""
        if person_id not in self._customers:
            self._customers[person_id] = str(104200 + len(self._customers))
            self._save()
        return self._customers[person_id]

    def _save(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"customers": self._customers}), encoding="utf-8")
        os.replace(new, self._file)
