"""What a test can change about the wiki.

PHP's clock cannot be moved. A change of `clock_offset` ages the sessions that there are instead,
and nothing in a wiki but a session expires.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings as front


@dataclass
class Settings(front.Settings):
    pass
