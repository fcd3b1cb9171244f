"""Emby, by a name and a password."""

from __future__ import annotations

from dataclasses import replace

from tests.python.services.case import PASSWORD, Case
from tests.python.services.journey import AtHome


class TestEmby(AtHome):
    case = Case("emby", "{base}/emby/System/Info", (PASSWORD,))
    lan = "emby.local"


class TestEmbyOfAnotherKind(TestEmby):
    """What its documentation leaves open, the other way round."""

    case = replace(
        TestEmby.case,
        settings={"reissues_token": False, "empty_status": 204, "users_me": True},
    )
