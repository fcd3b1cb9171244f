"""Known holes in what Cargo.lock and the lists of Python packages name.

    python .ci/advisories.py              fails where a locked version has one; needs no network
    python .ci/advisories.py renew DIR    makes .ci/advisories.toml anew; in DIR are the unpacked
        https://osv-vulnerabilities.storage.googleapis.com/crates.io/all.zip and …/PyPI/all.zip

The databases cannot be fetched in continuous integration, so the list holds what they say about the
packages that we have, with its date. A package that comes in later is not in it: `renew` belongs to
each change of Cargo.lock or of a requirements.txt that adds one.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from pathlib import Path
from typing import Any, Iterator

import tomllib

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / ".ci" / "advisories.toml"
PYTHON = ("tests/requirements.txt", "tests/servers/requirements.txt")
HEAD = """\
# Known holes in the packages that we have, and the versions that have them. .ci/advisories.py
# compares them with Cargo.lock and the requirements.txt, and makes this list anew.
"""


def main(arguments: list[str]) -> int:
    if not arguments:
        return check()
    if arguments[0] == "renew" and len(arguments) > 1:
        return renew([Path(argument) for argument in arguments[1:]])
    sys.exit(__doc__)


def check() -> int:
    known = tomllib.loads(LIST.read_text("utf-8"))
    found = list(holes(known["advisory"], locked()))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(known['advisory'])} advisories, as of {known['date']}: {len(found)} concern us")
    return bool(found)


def holes(advisories: list[dict[str, Any]], packages: set[tuple[str, str, str]]) -> Iterator[str]:
    """The packages that have a hole, and which."""
    for one in advisories:
        named = [
            package for package in packages if package[:2] == (one["ecosystem"], one["package"])
        ]
        for _, name, version in sorted(named):
            if any(is_within(version, bounds) for bounds in one["affected"]):
                yield f"{name} {version} has {one['id']}: {', '.join(one['affected'])}"


def locked() -> set[tuple[str, str, str]]:
    """Ecosystem, name and version of all that we have."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))
    found = {("crates.io", package["name"], package["version"]) for package in lock["package"]}
    for file in PYTHON:
        lines = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
        found |= {("PyPI", plain(name), version) for name, version in lines}
    return found


def plain(name: str) -> str:
    """A name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_within(version: str, bounds: str) -> bool:
    """Whether a version is within bounds such as ">= 1.2, < 1.4"."""
    for bound in bounds.split(","):
        found = re.fullmatch(r"\s*(>=|<=|<)\s*(\S+)\s*", bound)
        if not found:
            raise ValueError(f"not a bound of versions: {bound!r}")
        own, other = order(version), order(found[2])
        if not {">=": own >= other, "<=": own <= other, "<": own < other}[found[1]]:
            return False
    return True


def order(version: str) -> tuple[list[int], bool, str]:
    """Sorts as versions do: numbers by size, a pre-release before its release."""
    found = re.match(r"[\d.]*", version.partition("+")[0])
    release = found[0] if found else ""
    stage = version.partition("+")[0][len(release) :]
    numbers = [int(number) for number in release.split(".") if number]
    return numbers + [0] * (4 - len(numbers)), not stage, stage


def renew(directories: list[Path]) -> int:
    names = {(ecosystem, name) for ecosystem, name, _ in locked()}
    files = [file for directory in directories for file in directory.rglob("*.json")]
    advisories = [one for file in files for one in read(file, names)]
    if not advisories:
        sys.exit("these directories hold no advisory about a package that we have")
    advisories.sort(key=lambda one: (one["ecosystem"], one["package"], one["id"]))
    lines = [HEAD, f"date = {dt.datetime.now(dt.timezone.utc).date()}\n"]
    for one in advisories:
        lines.append("\n[[advisory]]\n")
        lines += [f"{key} = {json.dumps(value)}\n" for key, value in one.items()]
    LIST.write_text("".join(lines), "utf-8")
    return check()


def read(file: Path, names: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """What a file of OSV's says about our packages; nothing where it was withdrawn."""
    said = json.loads(file.read_text("utf-8"))
    for affected in said.get("affected", ()) if "withdrawn" not in said else ():
        ecosystem, name = affected["package"]["ecosystem"], affected["package"]["name"]
        name = plain(name) if ecosystem == "PyPI" else name
        ranges = [
            bounds
            for one in affected.get("ranges", ())
            if one["type"] in ("SEMVER", "ECOSYSTEM")
            for bounds in in_bounds(one["events"])
        ]
        if (ecosystem, name) in names and ranges:
            yield {"id": said["id"], "ecosystem": ecosystem, "package": name, "affected": ranges}


def in_bounds(events: list[dict[str, str]]) -> Iterator[str]:
    """OSV's events as bounds: each `introduced` with what comes after it, if anything does."""
    since = ""
    for event in events:
        if "introduced" in event:
            since = f">= {event['introduced']}"
        elif since:
            end = f"< {event['fixed']}" if "fixed" in event else f"<= {event['last_affected']}"
            yield f"{since}, {end}"
            since = ""
    if since:
        yield since


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
