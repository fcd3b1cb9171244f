"""Emby, by a name and a password."""

from __future__ import annotations

from tests.python.services.case import PASSWORD, Case
from tests.python.services.journey import Journey


class TestEmby(Journey):
    case = Case("emby", "{base}/emby/System/Info", (PASSWORD,))
