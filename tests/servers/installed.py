"""Where the servers and libraries are that `.ci/setup` installs outside of the tree."""

from __future__ import annotations

import os
from pathlib import Path


def cache(name: str) -> Path:
    """~/.cache/sessionkeeper/<name>, with XDG_CACHE_HOME honoured."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sessionkeeper" / name


def require(lack: str) -> None:
    """Skips the test for what this machine lacks, if anything; in CI that is a failure."""
    import pytest  # Not where a server runs.

    if lack and os.environ.get("CI") == "true":
        pytest.fail(lack)
    if lack:
        pytest.skip(lack)
