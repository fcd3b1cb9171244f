"""A program that ends does not take the login with it, where a refresh token serves once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.python.oauth.issuers import BOTH, Device, wait_for
from tests.python.programs import environment, run
from tests.servers.fixture import StandIn

PROGRAM = """
import json, sys, time
import sessionkeeper
keeper = sessionkeeper.open(**json.loads(sys.argv[1]))
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def due(server: StandIn, device: Device) -> Device:
    """A renewal is due, and its answer takes its time."""
    server.settings(access_lifetime=6)
    device.keeper.renew()
    server.settings(access_lifetime=3600)
    at = device.keeper.details().renews_at
    assert at is not None
    time.sleep(max(0.0, at + 1 - time.time()))
    server.fault(device.issuer.token, "delay", delay=1)
    server.clear_journal()
    return device


def plain(options: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Path) else v for k, v in options.items()}


def assert_kept(device: Device) -> None:
    assert len(device.renewals()) == 1
    device.server.clear_faults()
    status = device.open().status()
    assert (status.state, status.renewable) == ("signed_in", True)
    device.open().renew()


@pytest.mark.parametrize("issuer", BOTH, ids=str)
def test_a_program_that_ends_while_it_renews(due: Device) -> None:
    run(PROGRAM, {**plain(due.options), "background": True}, "0.5")
    assert_kept(due)


@pytest.mark.parametrize("issuer", BOTH, ids=str)
def test_a_service_that_is_ended_while_it_renews(due: Device) -> None:
    options = plain(due.options)
    arguments = ["--provider", options["provider"], "--data-dir", options["data_dir"]]
    arguments += ["--ca-file", options["ca_file"]]
    arguments += [f"--resolve={one}" for one in options["resolve"]]
    arguments += [f"--parameter={name}={value}" for name, value in options["parameters"].items()]
    # The keys are where the command line looks for them.
    share = due.home / "share"
    share.mkdir()
    (share / "sessionkeeper-keys").symlink_to(options["key_dir"])
    without_proxy = {k: v for k, v in environment().items() if "proxy" not in k.lower()}
    with subprocess.Popen(
        [sys.executable, "-m", "sessionkeeper", *arguments, "service"],
        env={**without_proxy, "XDG_DATA_HOME": os.fspath(share)},
        stdout=subprocess.PIPE,
    ) as process:
        wait_for(lambda: bool(due.renewals()))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert_kept(due)


@pytest.mark.parametrize("issuer", BOTH, ids=str)
def test_no_renewal_is_begun_at_the_end(due: Device) -> None:
    """At whatever moment it comes: what was sent is stored as well."""
    for seconds in ("0", "0.01", "0.03"):
        run(PROGRAM, {**plain(due.options), "background": True}, seconds)
        assert due.open().status().renewable, seconds
