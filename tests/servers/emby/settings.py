"""What a test can change at the Emby server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.front.settings import SelfHosted


@dataclass
class Settings(SelfHosted):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"admin_refusal": ("401", "403")}

    version: str = "4.9.0.33"
    # The e-mail addresses of an account that is an administrator's, and of one that is disabled.
    administrator: str = ""
    disabled: str = ""
    # Of an answer without a body: 200 by the documentation, 204 as servers are seen to answer.
    empty_status: int = 200
    # What is not an administrator's: 401 in the last public source, 403 by the documentation.
    admin_refusal: str = "401"
    # Whether /Users/Me is the user; some servers answer 500.
    users_me: bool = False
    # Whether a second login with a device is given the same token; else a new one, the old ended.
    reissues_token: bool = True
