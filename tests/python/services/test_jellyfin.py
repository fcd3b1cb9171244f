"""Jellyfin, by Quick Connect and by a name and a password."""

from __future__ import annotations

from tests.python.services.case import CODE, PASSWORD, Case
from tests.python.services.journey import AtHome


class TestJellyfin(AtHome):
    case = Case(
        "jellyfin",
        "{base}/Users/Me",
        (CODE, PASSWORD),
        hurry={"interval = 5": "interval = 1"},
    )
    poll_path = "/QuickConnect/Connect"
    lifetime = "quick_connect_lifetime"
    lan = "jellyfin.local"
