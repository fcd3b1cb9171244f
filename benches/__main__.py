"""What Sessionkeeper costs an add-on, beside what add-ons use without it: `make bench`.

Every figure is the median of runs in fresh processes, because Kodi starts a new interpreter for
each call. The service is the stand-in on loopback, so that no network is measured. The peer is
requests with the cookies in a JSON file, which is how many add-ons keep a session. Proves nothing;
tests do.

    python -m benches [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.fixture import AngelServer

ROOT = Path(__file__).resolve().parent.parent

# The pieces that a run is made of. argv: data directory, user name, password, cookie file.
START = "import sys, time; began = time.perf_counter()"
STOP = "print((time.perf_counter() - began) * 1000)"
OPEN = "import sessionkeeper; keeper = sessionkeeper.open('angel', data_dir=sys.argv[1])"
LOG_IN = "keeper.login(sys.argv[2], sys.argv[3])"
RESTORE = "assert keeper.restore(offline=True) is not None"
LOG_OUT = "assert keeper.logout().local == 'cleared'"
REQUESTS = "import json, pathlib, requests; session = requests.Session()"
COOKIES = "session.cookies.update(json.loads(pathlib.Path(sys.argv[4]).read_text()))"

# Before anything is measured the account is signed in, so that there is something to restore.
WITHOUT_NETWORK = [
    ("nothing: a clock read twice", [START, STOP]),
    ("import sessionkeeper", [START, "import sessionkeeper", STOP]),
    ("import requests", [START, "import requests", STOP]),
    ("sessionkeeper: import, open, signed in from disk", [START, OPEN, RESTORE, STOP]),
    ("requests: import, session, cookies from a file", [START, REQUESTS, COOKIES, STOP]),
    ("sessionkeeper: restored once more", [OPEN, RESTORE, START, RESTORE, STOP]),
    ("sessionkeeper: what is stored", [OPEN, RESTORE, START, "keeper.status()", STOP]),
]
WITH_SERVER = [
    ("log in: three pages, callback, stored", [OPEN, START, LOG_IN, STOP]),
    ("log out, proved by the server", [OPEN, LOG_IN, START, LOG_OUT, STOP]),
]
SERVER_AWAY = ("log out, server away: signed out here", [OPEN, START, LOG_OUT, STOP])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Measure.")
    parser.add_argument("--rounds", type=int, default=15, help="runs per figure")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="sessionkeeper-bench-") as directory:
        home = Path(directory)
        with AngelServer(home / "server") as server:
            bench = Bench(home, server)
            print(f"{'':52}{'median':>9}{'worst':>9}  (ms, {rounds} fresh processes each)")
            bench.run([OPEN, LOG_IN])
            for name, pieces in WITHOUT_NETWORK:
                show(name, [bench.run(pieces) for _ in range(rounds)])
            for name, pieces in WITH_SERVER:
                show(name, [bench.run(pieces) for _ in range(rounds)])
            show(SERVER_AWAY[0], [bench.run_with_server_away() for _ in range(rounds)])
    for module in sorted((ROOT / "python" / "sessionkeeper").glob("_native*")):
        if module.suffix != ".pyi":
            print(f"{'size of the compiled module':52}{module.stat().st_size // 1024:>6} KiB")
    return 0


class Bench:
    def __init__(self, home: Path, server: AngelServer) -> None:
        self._server = server
        cookies = home / "cookies.json"
        cookies.write_text('{"session": "' + "x" * 400 + '"}', encoding="utf-8")
        self._arguments = [str(home / "data"), *AngelServer.VIEWER, str(cookies)]
        inherited = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        self._environment = {
            **inherited,
            **server.environment(),
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "keys"),
        }

    def run(self, pieces: list[str]) -> float:
        """The milliseconds that the run printed; 0 when it measures nothing."""
        code = "\n".join(["import sys", *pieces])
        result = subprocess.run(  # noqa: S603 - our own pieces, from above
            [sys.executable, "-c", code, *self._arguments],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if result.returncode:
            raise SystemExit(f"a run failed:\n{code}\n{result.stderr}")
        return float(result.stdout or 0)

    def run_with_server_away(self) -> float:
        self.run([OPEN, LOG_IN])
        self._server.stop()
        try:
            return self.run(SERVER_AWAY[1])
        finally:
            self._server.start()


def show(name: str, times: list[float]) -> None:
    print(f"{name:52}{statistics.median(times):9.2f}{max(times):9.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
