"""Which stand-in serves which provider, and what the provider's file leaves open.

Reads the provider files as they are in the checkout.
"""

from __future__ import annotations

import re

from tests.kodi.staging import ROOT
from tests.servers.fixture import StandIn

PROVIDERS = ROOT / "resources" / "providers"
# One server, two ways in.
SERVED_BY = {"workos-device": "workos"}


def parameters_for(provider: str, server: StandIn) -> dict[str, str]:
    """Those that the provider's file declares, as this server wants them."""
    return {name: value for name, value in server.parameters.items() if name in declared(provider)}


def declared(provider: str) -> dict[str, bool]:
    """The parameters of a provider file by name, and whether one has to be given."""
    text = (PROVIDERS / f"{provider}.toml").read_text("utf-8")
    tables = re.findall(r"^\[parameters\.(\w+)\]\n((?:\w+ = .*\n)*)", text, re.MULTILINE)
    return {name: not re.search(r"^default = ", keys, re.MULTILINE) for name, keys in tables}


def built_in() -> dict[str, str]:
    """Id and name of every built-in provider."""
    found = {}
    for file in sorted(PROVIDERS.glob("*.toml")):
        head = file.read_text("utf-8").partition("\n[")[0]
        named = dict(re.findall(r'^(id|name) = "(.*)"$', head, re.MULTILINE))
        found[named["id"]] = named["name"]
    return found
