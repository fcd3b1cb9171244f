"""Which stand-in serves which provider, and what the provider's file leaves open.

Reads the provider files as they are in the checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomllib

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
    parameters = read(PROVIDERS / f"{provider}.toml").get("parameters", {})
    return {name: "default" not in keys for name, keys in parameters.items()}


def built_in() -> dict[str, str]:
    """Id and name of every built-in provider."""
    files = map(read, sorted(PROVIDERS.glob("*.toml")))
    return {file["id"]: file["name"] for file in files}


def read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))
