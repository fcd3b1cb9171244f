"""Checks the zips that package.py built, without the network.

Owns the questions that are asked of a package: its shape, its modes, and of the add-on itself what
the compiled module links, whether addon.xml names the machines that it is for, whether it loads in
every CPython from 3.8 to 3.13 that this machine has, and what Kodi's own kodi-addon-checker says
for Kodi 20 and 21.
That tool fetches ten repository lists before it looks at anything; a server on loopback with empty
ones answers instead.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

ADDON = "script.sessionkeeper"
PROVIDERS = "resource.sessionkeeper.providers"
NEEDED = {
    ADDON: ("addon.xml", "LICENSE.txt", "script.py", "service.py", "resources/settings.xml"),
    PROVIDERS: ("addon.xml", "LICENSE.txt", "resources/providers/angel.toml"),
}
# What the services are: no code is among it.
DATA = (".toml", ".xml", ".txt", ".png")
KODI_RELEASES = ("nexus", "omega")
ALL_RELEASES = ["gotham", "helix", "isengard", "jarvis", "krypton", "leia", "matrix"]
ALL_RELEASES += ["nexus", "omega", "piers"]
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

# Warnings that are meant: an add-on with a compiled, typed module has these, and the server on
# loopback answers for no web site.
EXPECTED = (
    r"non whitelisted file ending .*\.(so|pyi|typed|toml)\b",
    r"Max retries exceeded with url",
)

# Runs in each Python: the package must find the module by itself, and both must be of one version.
LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
import sessionkeeper
sessionkeeper.providers()
native = sys.modules["sessionkeeper._native"]
assert native.version() == sessionkeeper.__version__, native.version()
assert "/native/" in native.__file__, native.__file__
"""


def main() -> int:
    if len(sys.argv) < 2:
        print("usage: check_package.py ZIP…", file=sys.stderr)
        return 2
    faults = [fault for path in sys.argv[1:] for fault in faults_of(Path(path))]
    for fault in faults:
        print(f"FAULT  {fault}")
    print(f"package: {'refused' if faults else 'good'}")
    return 1 if faults else 0


def faults_of(package: Path) -> list[str]:
    addon = package.name.partition("-")[0]
    with tempfile.TemporaryDirectory() as directory, zipfile.ZipFile(package) as archive:
        faults = shape_faults(archive, addon)
        archive.extractall(directory)
        root = Path(directory) / addon
        if root.is_dir():
            for path in root.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
            if addon == ADDON:
                faults += module_faults(root)
                faults += platform_faults(root)
                faults += load_faults(root, Path(directory))
            faults += checker_faults(root, Path(directory))
    return faults


def shape_faults(archive: zipfile.ZipFile, addon: str) -> list[str]:
    if addon not in NEEDED:
        return [f"{addon} is no add-on of ours"]
    faults = []
    names = archive.namelist()
    roots = {name.split("/")[0] for name in names}
    if roots != {addon}:
        faults.append(f"root folders {sorted(roots)}, must be exactly {addon}")
    for entry in archive.infolist():
        if entry.external_attr >> 16 != 0o100644:
            faults.append(f"{entry.filename}: mode {entry.external_attr >> 16:o}, must be 100644")
        if "__pycache__" in entry.filename or ".." in entry.filename.split("/"):
            faults.append(f"{entry.filename}: does not belong into a package")
    faults += [f"{name} is missing" for name in NEEDED[addon] if f"{addon}/{name}" not in names]
    if addon == PROVIDERS:
        faults += [f"{name} is no data" for name in names if not name.endswith(DATA)]
    elif not any("/resources/lib/native/" in name for name in names):
        faults.append("there is no compiled module")
    return faults


def module_faults(root: Path) -> list[str]:
    faults = []
    for module in sorted(root.glob("resources/lib/native/*/*")):
        text = subprocess.run(
            ["readelf", "-dVW", module], capture_output=True, text=True, check=True
        ).stdout
        libraries = re.findall(r"\(NEEDED\).*\[(.+?)\]", text)
        glibc = max(
            ((int(major), int(minor)) for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", text)),
            default=(0, 0),
        )
        print(
            f"{module.parent.name}: {module.stat().st_size // 1024} KiB, "
            f"needs glibc {glibc[0]}.{glibc[1]}, links {' '.join(libraries)}"
        )
        if any("python" in library for library in libraries):
            faults.append(f"{module.name} links libpython: {libraries}")
    return faults


def platform_faults(root: Path) -> list[str]:
    """Kodi must offer the zip to the machines that there is a module for, and to no others."""
    named = (ET.parse(root / "addon.xml").findtext(".//platform") or "").split()
    modules = sorted(path.name for path in root.glob("resources/lib/native/*"))
    return [] if sorted(named) == modules else [f"addon.xml is for {named}, modules for {modules}"]


def load_faults(root: Path, elsewhere: Path) -> list[str]:
    faults, loaded = [], []
    for version, python in pythons():
        command = [python, "-I", "-B", "-c", LOAD, str(root / "resources/lib")]
        result = subprocess.run(
            command, cwd=elsewhere, capture_output=True, text=True, timeout=60, check=False
        )
        if result.returncode:
            faults.append(
                f"does not load in Python {version}: {result.stderr.strip().splitlines()[-1:]}"
            )
        else:
            loaded.append(version)
    missing = [version for version in PYTHONS if version not in dict(pythons())]
    print(
        f"loads in Python {' '.join(loaded)}"
        + (f"; not on this machine: {' '.join(missing)}" if missing else "")
    )
    return faults


@functools.lru_cache(maxsize=None)
def pythons() -> list[tuple[str, str]]:
    """The CPythons of this machine: on PATH, or below pyenv's directory."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = []
    for version in PYTHONS:
        candidates = [
            shutil.which(f"python{version}"),
            *sorted(map(str, pyenv.glob(f"versions/*/bin/python{version}"))),
        ]
        for candidate in filter(None, candidates):
            probe = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"
            result = subprocess.run(
                [candidate, "-I", "-c", probe], capture_output=True, text=True, check=False
            )
            if result.stdout.split() == ["cpython", version]:
                found.append((version, candidate))
                break
    return found


def checker_faults(root: Path, elsewhere: Path) -> list[str]:
    faults = []
    # Kodi knows the platforms by their architecture, this tool does not yet.
    description = root / "addon.xml"
    words = description.read_text(encoding="utf-8")
    words = re.sub("<platform>.*</platform>", "<platform>all</platform>", words)
    description.write_text(words, encoding="utf-8")
    with EmptyMirror(elsewhere / "mirror") as proxy:
        for release in KODI_RELEASES:
            command = [
                str(Path(sysconfig.get_path("scripts")) / "kodi-addon-checker"),
                "--branch",
                release,
                str(root),
            ]
            environment = {**os.environ, "http_proxy": proxy, "no_proxy": "", "NO_PROXY": ""}
            # The source's web site is asked over https: refused at once here, where it might hang.
            environment["https_proxy"] = proxy
            result = subprocess.run(
                command,
                cwd=elsewhere,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            lines = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout + result.stderr).splitlines()
            verdict = [line for line in lines if "We found" in line]
            warnings = [
                line.strip()
                for line in lines
                if line.lstrip().startswith("WARN") and line not in verdict
            ]
            problems = [
                line.strip()
                for line in lines
                if line.lstrip().startswith("ERROR") and line not in verdict
            ]
            print(
                f"kodi-addon-checker, {release}: {len(problems)} problems, {len(warnings)} warnings"
            )
            for line in warnings:
                expected = any(re.search(pattern, line) for pattern in EXPECTED)
                print(f"   {'expected' if expected else 'LOOK AT '}  {line}")
            faults += [f"{release}: {line}" for line in problems]
            if result.returncode and not problems:
                faults.append(
                    f"{release}: the checker ended with {result.returncode}: {lines[-3:]}"
                )
            elif not verdict:
                faults.append(f"{release}: the checker gave no verdict: {lines[-3:]}")
    return faults


class EmptyMirror:
    """A proxy on loopback that serves an empty add-on list for every Kodi release."""

    def __init__(self, directory: Path) -> None:
        for release in ALL_RELEASES:
            # A proxy is asked for whole URLs, which the file server takes for paths.
            path = directory / "http:" / "mirrors.kodi.tv" / "addons" / release
            path.mkdir(parents=True)
            (path / "addons.xml.gz").write_bytes(gzip.compress(b'<?xml version="1.0"?><addons/>'))
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=str(directory))
        )

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    sys.exit(main())
