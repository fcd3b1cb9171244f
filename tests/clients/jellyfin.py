"""jellyfin-apiclient-python: signs in by name or by Quick Connect, asks, and signs out.

python -m tests.clients.jellyfin ADDRESS name NAME PASSWORD
python -m tests.clients.jellyfin ADDRESS quick CONTROL NAME PASSWORD
"""

from __future__ import annotations

import json
import sys
from typing import Any

from jellyfin_apiclient_python import JellyfinClient
from jellyfin_apiclient_python.exceptions import HTTPException

from tests.clients.viewer import approve


def main(address: str, way: str, *credentials: str) -> None:
    client = JellyfinClient()
    client.config.app("Vouching", "1.0", "Test bench", "vouching-device")
    client.config.data["auth.ssl"] = address.startswith("https:")
    found = client.auth.connect_to_address(address, {"ssl": address.startswith("https:")})
    if way == "name":
        answer = client.auth.login(address, *credentials)
    else:
        answer = _quick(client, address, *credentials)
    if not answer:
        print(json.dumps({"state": found["State"].name, "answer": answer}))
        return
    state = client.authenticate({"Servers": client.get_credentials()["Servers"]}, discover=False)
    client.start()
    api = client.jellyfin
    told = {
        "state": state["State"].name,
        "token": answer["AccessToken"],
        "name": api.get_user()["Name"],
        "devices": [one["DeviceName"] for one in api.get_device("vouching-device")],
        "system": api.get_system_info_new()["Version"],
    }
    api.sessions("/Logout", "POST")
    try:
        api.get_user()
        told["after"] = "alive"
    except HTTPException as error:
        told["after"] = error.status
    print(json.dumps(told))


def _quick(client: Any, address: str, control: str, name: str, password: str) -> Any:
    api = client.auth.API
    if not api.quick_connect_enabled(address):
        return {}
    started = api.quick_connect_initiate(address)
    assert not api.quick_connect_state(address, started["Secret"])["Authenticated"]
    approve(control, started["Code"], name, password)
    assert api.quick_connect_state(address, started["Secret"])["Authenticated"]
    return client.auth.login_with_quick_connect(address, started["Secret"])


if __name__ == "__main__":
    main(*sys.argv[1:])
