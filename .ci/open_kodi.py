"""Opens a Kodi with the packaged add-on in a throw-away profile, for looking and trying.

Shows it on $DISPLAY, or, where there is none, on a virtual screen, and says how to take a picture
of that. With --server the add-on talks to a provider's stand-in server on this machine instead of
the real service; with --provider it talks to the real one. Either is chosen in its settings.
Profile, key and the server's state are removed at the end. The profile and the process are
tests/kodi/harness.py's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from tests.servers.fixture import StandIn


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Open a Kodi with the add-on in a throw-away profile."
    )
    parser.add_argument("zip", type=Path, help="the add-on's package")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--server", metavar="PROVIDER", help="the provider whose stand-in server to use, e.g. oidc"
    )
    which.add_argument("--provider", help="the provider to choose; by default the add-on's own")
    arguments = parser.parse_args()
    os.environ["SESSIONKEEPER_ZIP"] = str(arguments.zip.resolve())

    from tests.kodi.harness import Kodi
    from tests.kodi.services import built_in, parameters_for

    provider = arguments.server or arguments.provider
    if provider and provider not in built_in():
        parser.error(f"no such provider: {provider} (there are {', '.join(built_in())})")

    class Window(Kodi):
        """A Kodi on the screen there is."""

        def _open_screen(self) -> None:
            if os.environ.get("DISPLAY"):
                self._display = os.environ["DISPLAY"]
            else:
                super()._open_screen()
                print(
                    "no $DISPLAY: on a virtual screen; a picture: "
                    f"import -display {self._display} -window root kodi.png"
                )

    with tempfile.TemporaryDirectory(prefix="sessionkeeper-kodi-") as home, stand_in(
        arguments.server
    ) as server:
        kodi = Window(Path(home), server)
        if provider:
            kodi.choose_service(provider, parameters_for(provider, server) if server else {})
        try:
            kodi.start()
            print(f"Kodi is open, its profile in {home}. Close it, or press Ctrl-C.", flush=True)
            kodi.open_settings()
            while kodi.running:
                time.sleep(0.5)
        except KeyboardInterrupt:
            print("closing")
        finally:
            kodi.close()
    return 0


@contextlib.contextmanager
def stand_in(provider: str | None) -> Iterator[StandIn | None]:
    """Runs the provider's server, and says who can log in there and how."""
    if not provider:
        yield None
        return
    from tests.kodi.services import PROVIDERS, SERVED_BY, read
    from tests.servers.fixture import StandIn

    with StandIn(SERVED_BY.get(provider, provider)) as server:
        name, password = server.VIEWER
        print(f"stand-in server for {provider}; its control is at {server.control}")
        print(f"log in as {name} with the password: {password}")
        if read(PROVIDERS / f"{provider}.toml")["login"].get("flow") == "device_code":
            given = json.dumps({"user_code": "CODE", "username": name, "password": password})
            print("no browser finds the address that Kodi will show; to enter its code:")
            print(f"    curl -d '{given}' {server.control}/approve", flush=True)
        yield server


if __name__ == "__main__":
    sys.exit(main())
