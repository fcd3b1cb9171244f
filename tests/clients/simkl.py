"""simkl-mps, a scrobbler: its PIN login, and what it does with the token.

CONTROL CLIENT_ID USERNAME PASSWORD DIRECTORY
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
import threading
import time
import types
from typing import Any

from tests.clients.approving import approve


def load(home: str) -> Any:
    """Its module for the API, without the tray and the windows that its package opens with."""
    # It writes there, and would open a browser.
    os.environ.update(HOME=home, BROWSER="true", DISPLAY="")
    found = importlib.util.find_spec("simkl_mps")
    assert found is not None
    package = types.ModuleType("simkl_mps")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["simkl_mps"] = package
    from simkl_mps import simkl_api

    # Asks other services too, which are not here.
    simkl_api.is_internet_connected = lambda: True
    return simkl_api


def main() -> Any:
    control, client_id, user, password, home = sys.argv[1:]
    simkl_api = load(home)
    said = io.StringIO()

    def answer() -> None:
        while "enter the code: " not in said.getvalue():
            time.sleep(0.05)
        time.sleep(1)
        code = said.getvalue().partition("enter the code: ")[2].split()[0]
        approve(control, code, user, password)

    person = threading.Thread(target=answer, daemon=True)
    person.start()
    with contextlib.redirect_stdout(said):
        token = simkl_api.pin_auth_flow(client_id)
        settings = simkl_api.get_user_settings(client_id, token)
        dead = simkl_api.get_user_settings(client_id, "0" * 64)
    return {
        "token": token,
        "id": settings["user_id"],
        "name": settings["user"]["name"],
        "dead": dead,
    }


if __name__ == "__main__":
    print(json.dumps(main()))
