"""Builds the add-on's zip, and that of the services alone: one root folder each, the way Kodi
installs it.

Owns the layout of the zips, the translation of the crate's version, and the platforms that
addon.xml names. The compiled module is taken out of a maturin wheel, one per platform, and lies
under native/<os>-<arch>/ with the version in its name, because a loaded module that is replaced at
the same path leaves the old code running. The same sources give the same zip, byte for byte: sorted
names, one date, mode 0644. Never checks the result: check_package.py does.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ADDON = "script.sessionkeeper"
# Its files are the built-in services, its version is its own.
PROVIDERS = "resource.sessionkeeper.providers"
ROOT = Path(__file__).resolve().parent.parent

# Kodi's words for a platform, and Rust's. All but the machine's own are built with zig's linker,
# against a glibc old enough for every LibreELEC that can run the module.
TARGETS = {
    "linux-x86_64": "x86_64-unknown-linux-gnu",
    "linux-aarch64": "aarch64-unknown-linux-gnu",
    "linux-armv7": "armv7-unknown-linux-gnueabihf",
}

# What may be in the zip. Anything else in these directories is refused, so that nothing slips in.
ENDINGS = {".py", ".pyi", ".typed", ".xml", ".po", ".png", ".jpg"}
# Compiled into the module; what the pictures are drawn with.
LEFT_OUT = {"providers", "art", "__pycache__"}


def main() -> int:
    arguments = parse()
    version = crate_version((arguments.root / "Cargo.toml").read_text(encoding="utf-8"))
    files = source_files(arguments.root)
    files["addon.xml"] = addon_xml(
        (arguments.root / "addon.xml").read_text(encoding="utf-8"), version, arguments.platforms
    )
    for name in arguments.platforms:
        path = f"resources/lib/native/{name}/{module_name(version)}"
        files[path] = (
            arguments.module.read_bytes()
            if arguments.module
            else build_module(arguments.root, name)
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    target = write_zip(arguments.out, ADDON, addon_version(version), files)
    print(
        f"{target}: {len(files)} files, {target.stat().st_size // 1024} KiB, "
        f"for {', '.join(arguments.platforms)}"
    )
    files = provider_files(arguments.root)
    target = write_zip(arguments.out, PROVIDERS, version_in(files["addon.xml"]), files)
    print(f"{target}: {len(files)} files")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the add-on's zip.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the source tree")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the zip goes")
    parser.add_argument(
        "--platforms",
        type=platform_list,
        default=[host_platform()],
        help="e.g. linux-x86_64,linux-aarch64",
    )
    parser.add_argument(
        "--module", type=Path, help="a compiled module to take instead of building one"
    )
    arguments = parser.parse_args()
    if arguments.module and len(arguments.platforms) != 1:
        parser.error("--module is one file, so --platforms must name one platform")
    return arguments


def platform_list(text: str) -> list[str]:
    names = [name for name in re.split(r"[\s,]+", text) if name]
    unknown = sorted(set(names) - set(TARGETS))
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown) or 'empty'}: known are {', '.join(TARGETS)}"
        )
    return names


def host_platform() -> str:
    machine = platform.machine().lower()
    if sys.maxsize < 2**32 and machine in ("aarch64", "armv7l", "armv8l"):
        return "linux-armv7"
    return {"x86_64": "linux-x86_64", "amd64": "linux-x86_64", "aarch64": "linux-aarch64"}.get(
        machine, f"linux-{machine}"
    )


def crate_version(cargo_toml: str) -> str:
    match = re.search(
        r'^\[package\]$.*?^version = "([^"]+)"$', cargo_toml, re.MULTILINE | re.DOTALL
    )
    if not match:
        raise SystemExit("Cargo.toml has no version in [package]")
    return match.group(1)


def addon_version(version: str) -> str:
    """Kodi marks pre-releases by a tilde, with no dot behind it: 0.1.0-beta.1 is 0.1.0~beta1."""
    number, _, stage = version.partition("-")
    return f"{number}~{stage.replace('.', '').replace('-', '')}" if stage else number


def module_name(version: str) -> str:
    return f"_native_{re.sub('[^0-9A-Za-z]', '_', version)}.abi3.so"


def addon_xml(text: str, version: str, platforms: list[str]) -> bytes:
    """The root addon.xml with what only a zip knows: the crate's version, which Cargo.toml alone
    says, and the platforms it is for, so that Kodi installs it on no other.
    """
    for place, pattern, value in (
        ("version in <addon>", r'(<addon\b[^>]*?\sversion=")[^"]*(")', addon_version(version)),
        ("<platform>", r"(<platform>)[^<]*(</platform>)", " ".join(platforms)),
    ):
        text, count = re.subn(pattern, rf"\g<1>{value}\g<2>", text, count=1)
        if count != 1:
            raise SystemExit(f"addon.xml: there is no {place}")
    return text.encode("utf-8")


def source_files(root: Path) -> dict[str, bytes]:
    """Path in the zip → content."""
    files = {
        "LICENSE.txt": (root / "LICENSE.txt").read_bytes(),
        "script.py": (root / "python/script.py").read_bytes(),
        "service.py": (root / "python/service.py").read_bytes(),
    }
    for source, target in (
        ("resources", "resources"),
        ("python/sessionkeeper", "resources/lib/sessionkeeper"),
    ):
        for path in sorted((root / source).rglob("*")):
            inside = path.relative_to(root / source)
            if not path.is_file() or LEFT_OUT & set(inside.parts):
                continue
            if path.name.startswith("_native") and path.suffix in (".so", ".pyd"):
                continue  # left here by `make build`; in Kodi it has a folder per platform
            if path.suffix not in ENDINGS:
                raise SystemExit(
                    f"{path.relative_to(root)}: not expected in the add-on (see ENDINGS)"
                )
            files[f"{target}/{inside.as_posix()}"] = path.read_bytes()
    return files


def provider_files(root: Path) -> dict[str, bytes]:
    """Path in the zip of the services → content."""
    source = root / "resources/providers"
    files = {
        f"resources/providers/{path.name}": path.read_bytes() for path in source.glob("*.toml")
    }
    return {
        **files,
        "addon.xml": (source / "addon.xml").read_bytes(),
        "LICENSE.txt": (root / "LICENSE.txt").read_bytes(),
        "resources/icon.png": (root / "resources/icon.png").read_bytes(),
    }


def version_in(addon_xml: bytes) -> str:
    found = re.search(rb'<addon\b[^>]*?\sversion="([^"]+)"', addon_xml)
    if not found:
        raise SystemExit("resources/providers/addon.xml has no version")
    return found.group(1).decode()


def build_module(root: Path, name: str) -> bytes:
    own = name == host_platform()
    with tempfile.TemporaryDirectory() as directory:
        command = [
            str(Path(sysconfig.get_path("scripts")) / "maturin"),
            "build",
            "--release",
            "--locked",
            "--quiet",
        ]
        command += ["--out", directory]
        if own and not os.environ.get("SESSIONKEEPER_ZIG"):
            command += ["--compatibility", "linux"]
        else:
            command += ["--target", TARGETS[name], "--zig", "--compatibility", "manylinux2014"]
        print(f"building the module for {name}", flush=True)
        if subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, check=False).returncode:
            raise SystemExit(f"the module for {name} could not be built")
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read("sessionkeeper/_native.abi3.so")


def write_zip(directory: Path, addon: str, version: str, files: dict[str, bytes]) -> Path:
    """In place of older ones."""
    for old in directory.glob(f"{addon}-*.zip"):
        old.unlink()
    target = directory / f"{addon}-{version}.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{addon}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, whatever this machine is: the mode counts
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path], compresslevel=9)
    return target


if __name__ == "__main__":
    sys.exit(main())
