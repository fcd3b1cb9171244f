"""Nextcloud: an address that the viewer opens, and an app password."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import AtHome


class TestNextcloud(AtHome):
    case = Case(
        "nextcloud",
        "{base}/ocs/v2.php/cloud/user?format=json",
        tells_expiry=False,
        hurry={"interval = 3": "interval = 1", "expires_in = 1200": "expires_in = 6"},
    )
    poll_path = "/index.php/login/v2/poll"
    lifetime = "flow_lifetime"
    lan = "cloud.local"
