"""Opens a Kodi with the packaged add-on in a throw-away profile, for looking and trying.

Shows it on $DISPLAY, or, where there is none, on a virtual screen, and says how to take a picture
of that. With --server the add-on talks to a stand-in server on this machine instead of the real
service. Profile, key and the server's state are removed at the end. The profile and the process are
tests/kodi/harness.py's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Open a Kodi with the add-on in a throw-away profile."
    )
    parser.add_argument("zip", type=Path, help="the add-on's package")
    parser.add_argument(
        "--server", help="the stand-in server to use instead of the real service, e.g. angel"
    )
    arguments = parser.parse_args()
    os.environ["SESSIONKEEPER_ZIP"] = str(arguments.zip.resolve())

    from tests.kodi.harness import Kodi

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
    ) as environment:
        kodi = Window(Path(home), environment)
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
def stand_in(name: str | None) -> Iterator[dict[str, str]]:
    """Runs the server and gives the variables that lead the add-on to it."""
    if not name:
        yield {}
        return
    command = [sys.executable, "-m", f"tests.servers.{name}", "--with-parent"]
    server = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        ready = json.loads(server.stdout.readline())
        print(
            f"stand-in server for {name}; "
            f"its control is at {ready['control']}, its users at {ready['control']}/users"
        )
        yield {
            "SESSIONKEEPER_RESOLVE": ",".join(ready["resolve"]),
            "SESSIONKEEPER_CA_FILE": ready["ca_file"],
        }
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
