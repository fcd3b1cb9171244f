"""Installs oidc-provider beside this file, as package-lock.json has it.

    python -m tests.servers.oidc.install

It does nothing when all is there. Any number of processes may call it at once.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
_NODE_NEEDED = 18
_LOCK = HERE / "package-lock.json"
# npm writes it last.
_DONE = HERE / "node_modules" / ".package-lock.json"


class NotInstalled(Exception):
    """What is missing and where to get it."""


def missing() -> str:
    """What this machine lacks, or nothing."""
    node = shutil.which("node")
    if node is None:
        return f"node is missing: install Node.js {_NODE_NEEDED} or later (Debian: nodejs)"
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = shown.strip().removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < _NODE_NEEDED:
        return f"node {shown.strip()} is too old: install Node.js {_NODE_NEEDED} or later"
    if not _is_done() and shutil.which("npm") is None:
        return "npm is missing: install it beside Node.js (Debian: npm)"
    return ""


def install() -> None:
    """Raises NotInstalled, with what to do about it."""
    lack = missing()
    if lack:
        raise NotInstalled(lack)
    with _alone():
        if _is_done():
            return
        npm = shutil.which("npm") or "npm"
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            ended = subprocess.run(
                command,
                cwd=HERE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=300,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotInstalled("npm ci took more than five minutes") from error
        if ended.returncode != 0:
            said = ended.stdout.decode("utf-8", "replace")
            raise NotInstalled(f"npm ci could not install oidc-provider:\n{said}")


def _is_done() -> bool:
    return _DONE.exists() and _DONE.stat().st_mtime >= _LOCK.stat().st_mtime


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(_LOCK, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        install()
    except NotInstalled as error:
        sys.exit(str(error))
