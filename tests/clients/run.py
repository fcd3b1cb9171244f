"""Runs a script of this directory in the client libraries' own environment.

That is ~/.cache/sessionkeeper/clients, made by `.ci/setup clients`; SESSIONKEEPER_CLIENTS_PYTHON
names another interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.servers.fixture import StandIn

_ROOT = Path(__file__).resolve().parents[2]


def run(script: str, server: StandIn, *arguments: str, timeout: float = 60) -> dict[str, Any]:
    """What tests/clients/<script>.py prints last, a JSON object.

    The script finds the stand-in through the proxy of its environment, and trusts its CA. Skips the
    test where the libraries are not installed; in CI that is a failure.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "HTTP_PROXY": server.proxy,
        "HTTPS_PROXY": server.proxy,
        "http_proxy": server.proxy,
        "https_proxy": server.proxy,
        "REQUESTS_CA_BUNDLE": server.ca_file,
        "SSL_CERT_FILE": server.ca_file,
        "PYTHONPATH": str(_ROOT),
    }
    done = subprocess.run(
        [_python(), "-m", f"tests.clients.{script}", *arguments],
        cwd=_ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"{script} failed:\n{done.stdout}\n{done.stderr}"
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _python() -> str:
    named = os.environ.get("SESSIONKEEPER_CLIENTS_PYTHON")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    python = named or str(cache / "sessionkeeper" / "clients" / "bin" / "python")
    if not Path(python).exists():
        reason = "the services' client libraries are not installed (.ci/setup clients)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return python
