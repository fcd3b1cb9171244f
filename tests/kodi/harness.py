"""A real Kodi with a throw-away profile and a screen of its own.

Owns the virtual display, the process, its log and screenshots. It never looks inside the add-on.
Kodi's own settings are profile.py's, keys and JSON-RPC are remote.py's, the add-on's files
staging.py's. A profile outlives its Kodi: start(), kill(), start() is a power cut. Several run at
once, each with a screen and ports of its own; each has one JSON-RPC connection (one for every
request would make Kodi 20.1 crash).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

from tests.kodi import profile
from tests.kodi.neighbour import NEIGHBOUR_ID, place_neighbour
from tests.kodi.remote import Remote, RemoteError
from tests.kodi.staging import ADDON_ID, ROOT, place_addon
from tests.servers.fixture import StandIn

# Debian keeps the programme below the machine's own library directory; another Kodi can be named.
KODI = os.environ.get("SESSIONKEEPER_KODI") or next(
    map(str, Path("/usr/lib").glob("*/kodi/kodi.bin")), ""
)
SCREENSHOTS = ROOT / "target" / "kodi-screenshots"

# A dialog fades in, slowly where the graphics are software.
SETTLING_S = 1.0
# What Kodi writes into its log before it runs an add-on's script.
SCRIPT_STARTED = "start processing"


class NotStarted(RuntimeError):
    """Kodi crashed, or stood still, before it answered. `threads` are the stacks that count, as far
    as gdb could look at them, and `ours` is what shows in one of them that our module is to blame.
    """

    def __init__(self, how: str, threads: list[str], ours: tuple[str, ...], log: str) -> None:
        stacks = "\n".join(threads)
        super().__init__(f"{how}\n{stacks}\nits log:\n{log}")
        self.is_kodis_own = bool(threads) and not any(
            all(mark in thread for mark in ours) for thread in threads
        )


class KodiCrashed(RuntimeError):
    """Kodi has crashed; tells the stack of the thread in which it did."""


class KodisOwnCrash(KodiCrashed):
    """Kodi 20.1 has crashed over its own code, and the test is to be run again (.ci/test does).

    For each invocation its main thread appends its modules to Python's table of built-in modules,
    which moves, without holding the GIL; an interpreter that is made at that moment reads what was
    there before.
    """


# Where Kodi appends them.
KODIS_OWN_MARK = "PyImport_ExtendInittab"


class Kodi:
    """With `like`, the home directory of a Kodi that has ended, it begins with a copy of that one's
    profile, the add-ons enabled; without, they are put there and enabled at the first start.
    `server` is its proxy to the network, and is trusted, as the add-on's settings say: nothing in
    the add-on is there for tests.
    """

    def __init__(self, home: Path, server: StandIn | None = None, like: Path | None = None) -> None:
        self.home = home
        self.profile = home / ".kodi"
        self.server = server
        self.environment = {"HTTPS_PROXY": server.proxy} if server else {}
        self.screen = "1280x720"
        self.remote: Remote
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._screen: subprocess.Popen[bytes] | None = None
        self._display = ""
        self._to_enable: list[str] = []
        self.addon = self.profile / "addons" / ADDON_ID
        if like:
            profile.copy(like, home)
        else:
            place_addon(self.profile / "addons")
            place_neighbour(self.profile / "addons")
            self._to_enable += [ADDON_ID, NEIGHBOUR_ID]
        profile.write(home, self._port, _free_port(socket.SOCK_DGRAM))
        if server:
            profile.write_settings(self.data_directory, {"ca_file": server.ca_file})

    def add_addon(self, source: Path) -> Path:
        """Puts a further add-on into the profile, before the first start."""
        target = self.profile / "addons" / source.name
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        self._to_enable.append(source.name)
        return target

    def choose_service(self, provider: str, parameters: dict[str, str]) -> None:
        """Before the start, or between two: as the choice of a developer would have been stored."""
        self.say({provider: parameters}, provider=provider)

    def say(self, parameters: dict[str, dict[str, str]], **values: str) -> None:
        """The same, with what was said about several services, by their ids."""
        values = {"developer_services": "true", **values, "parameters": json.dumps(parameters)}
        if self.server:
            values["ca_file"] = self.server.ca_file
        profile.write_settings(self.data_directory, values)

    # Life

    def start(self, timeout: float = 45.0) -> None:
        """Starts Kodi; returns when it answers and the add-on, with its service, is enabled."""
        if self._screen is None:
            self._open_screen()
        # A viewer's Kodi has none of these. With PYTHONDONTWRITEBYTECODE, say, every invocation
        # would compile every module.
        environment = {
            key: value
            for key, value in os.environ.items()
            if "proxy" not in key.lower() and not key.startswith("PYTHON")
        }
        environment.update(
            HOME=str(self.home),
            DISPLAY=self._display,
            LIBGL_ALWAYS_SOFTWARE="1",
            LP_NUM_THREADS="1",
            # Heaps that ended threads leave behind would pass for a growth of memory.
            MALLOC_ARENA_MAX="1",
            # Kodi sets these itself, to these values, while other threads of it read the
            # environment: one more variable moves it from under their hands, and Kodi 20.1 crashes.
            # What is there already is only replaced.
            PYTHONOPTIMIZE="1",
            LIRC_SOCKET_PATH="/var/run/lirc/lircd",
            XDG_DATA_HOME=str(self.home / "data"),
            **self.environment,
        )
        self._launch(environment)
        try:
            self._connect(timeout)
        except NotStarted as failure:
            # Kodi 20.1 crashes or stands still now and then while it starts. Once more, but only
            # where it cannot have been our code.
            if SCRIPT_STARTED in self.log() and not failure.is_kodis_own:
                raise
            # Shown in the summary; see pyproject.toml.
            warnings.warn(f"Kodi was started once more: {failure}", stacklevel=2)
            self.kill()
            self._launch(environment)
            self._connect(timeout)
        if self._to_enable:
            self._enable_addons()

    def _launch(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [KODI, "--windowing=x11", "-fs"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.home,
        )
        resource.prlimit(self._process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)

    def _crashed_threads(self) -> list[str]:
        """Where a crash found Kodi's threads, the one that crashed first, if there are a core file
        and gdb.
        """
        core = next(self.home.glob("core*"), None)
        if core is None:
            return []
        crashed, everyone = (
            _stacks(command, str(core)) for command in ("bt", "thread apply all bt")
        )
        core.unlink()
        return crashed[:1] + everyone

    def _tell_crash(self) -> None:
        """Raises where Kodi does not answer because it has crashed."""
        assert self._process
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        threads = self._crashed_threads()
        if not threads:
            return
        is_kodis_own = "_native" not in threads[0] and any(
            KODIS_OWN_MARK in thread for thread in threads
        )
        raise (KodisOwnCrash if is_kodis_own else KodiCrashed)(threads[0])

    def quit(self, timeout: float = 20.0) -> float:
        """Asks Kodi to end and returns the seconds it took."""
        assert self._process
        asked = time.monotonic()
        self.rpc("Application.Quit")
        self._process.wait(timeout)
        took = time.monotonic() - asked
        self._forget_process()
        return took

    def kill(self) -> None:
        """SIGKILL: what a power cut is to the process."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._forget_process()

    def close(self) -> None:
        self.kill()
        if self._screen:
            self._screen.terminate()
            self._screen.wait()
            self._screen = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        assert self._process
        return self._process.pid

    def resident_bytes(self) -> int:
        """What the process holds in memory now."""
        status = Path(f"/proc/{self.process_id}/smaps_rollup").read_text()
        found = re.search(r"^Rss:\s+(\d+) kB", status, re.MULTILINE)
        assert found
        return int(found.group(1)) * 1024

    # What it shows and writes

    def rpc(self, method: str, **params: Any) -> Any:
        return self.remote.rpc(method, **params)

    def run(self, *arguments: str, addon: str = ADDON_ID) -> None:
        """Runs an add-on's script, as RunScript(id,…) would."""
        self.rpc("Addons.ExecuteAddon", addonid=addon, params=list(arguments), wait=False)

    def open_settings(self) -> None:
        """Started without arguments, the script opens the add-on's settings."""
        self.run()
        self.remote.wait_for_dialog("DialogAddonSettings.xml")

    def screenshot(self, name: str) -> Path:
        time.sleep(SETTLING_S)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        subprocess.run(
            ["import", "-window", "root", str(path)],
            env={**os.environ, "DISPLAY": self._display},
            check=True,
            timeout=30,
        )
        return path

    def log(self) -> str:
        """This run's kodi.log; empty until Kodi has begun one."""
        file = self.profile / "temp" / "kodi.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def logs(self) -> str:
        """The logs of this run and of the one before."""
        files = sorted((self.profile / "temp").glob("kodi*.log"))
        return "\n".join(file.read_text(errors="replace") for file in files)

    def lines_about_the_addon(self) -> list[str]:
        """What it wrote into the logs of this run and of the one before, and Kodi about it."""
        marks = (f"{ADDON_ID}: ", f"[{ADDON_ID}]: ")
        return [line for line in self.logs().splitlines() if any(mark in line for mark in marks)]

    @property
    def data_directory(self) -> Path:
        return self.profile / "userdata" / "addon_data" / ADDON_ID

    # The parts of starting

    def _open_screen(self) -> None:
        reader, writer = os.pipe()
        self._screen = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(writer),
                "-screen",
                "0",
                f"{self.screen}x24",
                "+extension",
                "GLX",
                "-nolisten",
                "tcp",
            ],
            pass_fds=[writer],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self._display = f":{number}"

    def _connect(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.running:
                assert self._process
                code = self._process.returncode
                raise NotStarted(
                    f"exit status {code}",
                    self._crashed_threads()[:1],
                    ("_native",),
                    self.log()[-3000:],
                )
            try:
                self.remote = Remote(self._port)
                self.remote.rpc("JSONRPC.Ping", timeout=5)
                # JSON-RPC answers before the home window takes keys.
                self.remote.wait_for(
                    lambda: self.remote.is_true("Window.IsVisible(home)"), "the home window", 30
                )
                self.remote.on_silence = self._tell_crash
                return
            except (OSError, RemoteError):
                self._disconnect()
                time.sleep(0.2)
        # It waits for us only where Python called the module: threads of the module's own have
        # nothing to do in every Kodi.
        raise NotStarted(
            f"no answer within {timeout:g} s",
            _stacks("thread apply all bt", "-p", str(self.process_id)),
            ("_native", "libpython"),
            self.log()[-3000:],
        )

    def _enable_addons(self) -> None:
        """Kodi asks, once for each profile, about each add-on that it has found and not installed;
        Yes would open its settings first.
        """
        self.remote.wait_for_dialog("DialogConfirm.xml")
        while self.remote.dialog() == "DialogConfirm.xml":
            self.remote.press("Back")
            time.sleep(0.8)
        while self._to_enable:
            self.rpc("Addons.SetAddonEnabled", addonid=self._to_enable.pop(0), enabled=True)

    def _forget_process(self) -> None:
        self._disconnect()
        self._process = None

    def _disconnect(self) -> None:
        # There may never have been an answer.
        if hasattr(self, "remote"):
            self.remote.close()


NEEDED = "needs Kodi, Xvfb and ImageMagick"


def available() -> bool:
    """Whether this machine has what the harness needs."""
    return Path(KODI).is_file() and all(shutil.which(tool) for tool in ("Xvfb", "import"))


# Below those that the kernel gives to outgoing connections, which could take one before Kodi does.
# Each process begins somewhere else.
_PORTS = itertools.count(16000 + os.getpid() * 61 % 12000)


def _stacks(command: str, *process: str) -> list[str]:
    """What gdb says of the threads of a running Kodi, or of the one in which it crashed."""
    if not shutil.which("gdb"):
        return []
    found = subprocess.run(
        ["gdb", "-batch", "-ex", command, KODI, *process],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    stacks = re.split(r"^(?=Thread )", found.stdout, flags=re.MULTILINE)
    frames = ([line for line in stack.splitlines() if line.startswith("#")] for stack in stacks)
    return ["\n".join(lines) for lines in frames if lines]


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    for port in _PORTS:
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the ports have ended")
