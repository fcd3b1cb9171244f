"""Plex: four characters at plex.tv/link."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Journey


class TestPlex(Journey):
    case = Case("plex", "https://plex.tv/api/v2/user", hurry={"interval = 2": "interval = 1"})
    poll_path = "/api/v2/pins/"
    lifetime = "pin_lifetime"
