"""What a test can change at the Jellyfin server."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front.settings import SelfHosted


@dataclass
class Settings(SelfHosted):
    # What /System/Info/Public says.
    version: str = "12.1.0"
    # Where it is beneath its host, as "/jellyfin"; everything else is sent there.
    base_path: str = ""
    # EnableLegacyAuthorization of system.xml: on up to 10.11, off from 12.0 on, upgraded or new.
    legacy_authorization: bool = False
    # As up to 10.8: a device is one account's, which is given its token again.
    one_session_per_device: bool = False
    quick_connect: bool = True
    # Of a code, and of one that was allowed.
    quick_connect_lifetime: float = 600
    # The e-mail address of an account that is an administrator's; every other is not.
    administrator: str = ""
    # After so many wrong passwords in a row the account is disabled; -1 for never, as at first.
    login_attempts_before_lockout: int = -1
    # 0 for any number.
    max_active_sessions: int = 0
