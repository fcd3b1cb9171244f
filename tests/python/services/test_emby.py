"""Emby, by a name and a password."""

from __future__ import annotations

from tests.python.services.case import PASSWORD, Case
from tests.python.services.journey import AtHome


class TestEmby(AtHome):
    case = Case("emby", "{base}/emby/System/Info", (PASSWORD,))
    lan = "emby.local"
