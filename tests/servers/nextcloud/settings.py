"""What differs from one Nextcloud to the next."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front.settings import SelfHosted


@dataclass
class Settings(SelfHosted):
    flow_lifetime: float = 1200
    # The web server rewrites addresses, so that /index.php is left out of them.
    pretty_addresses: bool = True
    # What the server takes for its own address; by default the one it was asked at.
    own_address: str = ""
    # Users have a second factor: their real password opens nothing but the pages.
    two_factor: bool = False
    # The user asked that the devices be wiped: all app passwords that are alive.
    wipe: bool = False
    maintenance: bool = False
    # Wrong credentials in half an hour; one more, and nobody from there is let in.
    attempts: float = 10
