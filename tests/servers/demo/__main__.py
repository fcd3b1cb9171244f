"""The command line: which services, one after the other, and what became of the proofs."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.servers.fixture import StandIn
from tests.servers.oidc import install

from . import chapters
from .device import Device, declared_parameters
from .scene import Scene
from .services import SERVICES, Service
from .story import ProofFailedError, Story

USAGE = f"usage: python -m tests.servers.demo [{'|'.join(SERVICES)}|all]"


def main() -> int:
    # A terminal that lacks a character of the QR code shows "?".
    sys.stdout.reconfigure(errors="replace")
    names = sys.argv[1:] or ["angel"]
    if len(names) != 1 or names[0] not in (*SERVICES, "all"):
        print(USAGE, file=sys.stderr)
        return 2
    chosen = list(SERVICES) if names == ["all"] else names
    lack = _lack() if "oidc" in chosen else ""
    if lack and names == ["oidc"]:
        print(f"The stand-in for oidc cannot run: {lack}", file=sys.stderr)
        return 1
    results = {}
    for name in chosen:
        if name == "oidc" and lack:
            results[name] = f"LEFT OUT: {lack}"
        else:
            results[name] = _tell(SERVICES[name])
    if len(chosen) > 1:
        width = max(map(len, results))
        print("\nAll together\n------------")
        for name, result in results.items():
            print(f"    {name:<{width}}  {result}")
    return int(any(result.startswith("FAILED") for result in results.values()))


def _lack() -> str:
    """What the stand-in for oidc would need, or nothing."""
    try:
        install.install()
    except install.NotInstalled as error:
        return str(error)
    return ""


def _tell(service: Service) -> str:
    started = time.monotonic()
    story = Story()
    with suppress(ProofFailedError):
        _act(service, story)
    took = f"{time.monotonic() - started:.0f} s"
    if story.failed:
        print(f"\nThe main job fails for {service.provider}: see FAILED above.", flush=True)
        return f"FAILED: {story.failed} ({took})"
    print(f"\nAll {story.proofs} proofs hold.", flush=True)
    return f"{story.proofs} proofs hold ({took})"


def _act(service: Service, story: Story) -> None:
    with tempfile.TemporaryDirectory(prefix="sessionkeeper-demo-") as directory:
        home = Path(directory)
        with StandIn(service.stand_in or service.provider, home / "server") as server:
            server.settings(**service.settings)
            declared = declared_parameters(service.provider)
            parameters = {n: v for n, v in server.parameters.items() if n in declared}
            _introduce(service, server, parameters)
            device = Device(service.provider, parameters, server, home / "device")
            scene = Scene(service, server, device, story)
            for chapter in service.chapters:
                getattr(chapters, chapter)(scene)
            chapters.audit(scene)


def _introduce(service: Service, server: StandIn, parameters: dict[str, str]) -> None:
    print(f"\nThe main job with {service.name}, played by a server on this machine:")
    width = max(len(resolve.partition(":")[0]) for resolve in server.resolve)
    for resolve in server.resolve:
        host, port, address = resolve.split(":")
        print(f"    {host:<{width}} is at {address}:{port}")
    print("Each command is a new process that knows only what is stored.")
    print(f"Every command also has --provider {service.provider}")
    for name, value in parameters.items():
        print(f"    --parameter {name}={value}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
