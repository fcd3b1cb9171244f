"""Nextcloud: an address that the viewer opens, and an app password."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Journey


class TestNextcloud(Journey):
    case = Case(
        "nextcloud",
        "{base}/ocs/v2.php/cloud/user?format=json",
        hurry=("interval = 3", "interval = 1"),
    )
    poll_path = "/index.php/login/v2/poll"
    lifetime = "flow_lifetime"
