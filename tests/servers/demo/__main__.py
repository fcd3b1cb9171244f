"""The command line: which services, one after the other, and what became of the proofs."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.servers.fixture import StandIn

from . import chapters
from .device import PROVIDERS, Device, declared_parameters
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
    results = {}
    for name in chosen:
        lack = SERVICES[name].lack()
        if lack and len(chosen) == 1:
            print(f"The stand-in for {name} cannot run: {lack}", file=sys.stderr)
            return 1
        results[name] = f"LEFT OUT: {lack}" if lack else _tell(SERVICES[name])
    if len(chosen) > 1:
        width = max(map(len, results))
        print("\nAll together\n------------")
        for name, result in results.items():
            print(f"    {name:<{width}}  {result}")
    return int(any(result.startswith("FAILED") for result in results.values()))


def _tell(service: Service) -> str:
    started = time.monotonic()
    story = Story()
    with suppress(ProofFailedError):
        _act(service, story)
    took = f"{time.monotonic() - started:.0f} s"
    if story.failed:
        print(f"\nThe main job fails for {service.provider}: see FAILED above.", flush=True)
        return f"FAILED: {story.failed} ({took})"
    print(f"\nAll {story.proofs} proofs hold, in {took}.", flush=True)
    return f"{story.proofs} proofs hold ({took})"


def _act(service: Service, story: Story) -> None:
    with tempfile.TemporaryDirectory(prefix="sessionkeeper-demo-") as directory:
        home = Path(directory)
        with StandIn(service.stand_in or service.provider, home / "server") as server:
            server.settings(**service.settings)
            declared = {one["name"]: one["secret"] for one in declared_parameters(service.provider)}
            parameters = {n: v for n, v in server.parameters.items() if n in declared}
            secret = [name for name in parameters if declared[name]]
            _introduce(service, server, {**parameters, **dict.fromkeys(secret, "…")})
            device = Device(_provider(service, home), parameters, server, home / "device")
            scene = Scene(service, server, device, story)
            scene.secrets += [parameters[name] for name in secret]
            for chapter in service.chapters:
                getattr(chapters, chapter)(scene)
            chapters.audit(scene)


def _provider(service: Service, home: Path) -> str:
    """Its id, or a copy of its file with another interval."""
    if not service.interval:
        return service.provider
    text = (PROVIDERS / f"{service.provider}.toml").read_text(encoding="utf-8")
    slow = f"\ninterval = {service.interval}\n"
    assert text.count(slow) == 1, slow
    file = home / f"{service.provider}.toml"
    file.write_text(text.replace(slow, "\ninterval = 1\n"), encoding="utf-8")
    return str(file)


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
    if service.interval:
        usual = f"{service.interval} s, as in its file"
        print(f"Whether the viewer is done is asked every second here, not every {usual}.")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
