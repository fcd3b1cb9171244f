"""The header MediaBrowser Client="…", Device="…", DeviceId="…", Version="…", Token="…".

It owns how the values are read, not which headers a server takes: that is a list of the server's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

_PAIR = re.compile(r'\s*([A-Za-z0-9]+)=("[^"]*"|[^,]*),?')


@dataclass
class Identity:
    """Who asks: a client on a device, and the token if there is one."""

    client: str = ""
    device: str = ""
    device_id: str = ""
    version: str = ""
    token: str = ""

    @property
    def complete(self) -> bool:
        """Enough to log in."""
        return all((self.client, self.device, self.device_id, self.version))


@dataclass
class Sources:
    """Where a server looks, in this order."""

    headers: tuple[str, ...]
    schemes: tuple[str, ...]
    token_headers: tuple[str, ...] = ()
    token_queries: tuple[str, ...] = ()
    # Whether the values are percent-encoded.
    encoded: bool = True


def identify(headers: Mapping[str, str], query: Mapping[str, str], sources: Sources) -> Identity:
    """`headers` and `query` by names in lower case."""
    values = _values(
        next((headers[one] for one in sources.headers if headers.get(one)), ""), sources
    )
    found = Identity(
        *(values.get(name, "") for name in ("Client", "Device", "DeviceId", "Version", "Token"))
    )
    for name in sources.token_headers:
        found.token = found.token or headers.get(name, "")
    for name in sources.token_queries:
        found.token = found.token or query.get(name, "")
    return found


def _values(header: str, sources: Sources) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() not in sources.schemes:
        return {}
    pairs = ((name, value.strip().strip('"')) for name, value in _PAIR.findall(rest))
    return {name: unquote_plus(value) if sources.encoded else value for name, value in pairs}
