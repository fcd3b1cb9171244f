"""The preloaded library that lets the disk fail (`faults.c`): built, armed, and read out."""

from __future__ import annotations

import ctypes
import errno
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")

# The order of the enumeration in faults.c.
CLASSES = ("write", "fsync", "rename", "ftruncate", "unlink", "open", "writing", "create", "vault")
BIT = {name: 1 << number for number, name in enumerate(CLASSES)}

LOGGED = 8192


@dataclass(frozen=True)
class Fault:
    """What fails: the `first` call of some classes, then none (`every` = 0), all (1), each second…
    `in_vault`: only calls on the database file count."""

    classes: tuple[str, ...]
    error: str
    first: int
    every: int
    in_vault: bool = False

    def arm(self, root: Path) -> None:
        """Errors are named as in errno.h. "short" is a write of half, "torn EIO" fails after it;
        "kill" ends the process in place of the call."""
        half = self.error == "short" or self.error.startswith("torn")
        name = self.error.split()[-1]
        number = {"short": 0, "kill": -1}.get(name) or getattr(errno, name, 0)
        library = ctypes.CDLL(None)
        library.faults_arm(
            str(root).encode(),
            sum(BIT[name] for name in self.classes),
            BIT["vault"] * self.in_vault,
            ctypes.c_long(self.first),
            ctypes.c_long(self.every),
            number,
            int(half),
        )


NOTHING = Fault((), "EIO", 0, 0)


@dataclass(frozen=True)
class Record:
    """What the library saw: the classes of each call, how many failed, and the first of those."""

    calls: list[int]
    failed: int
    struck: str


def disarm() -> Record:
    log, struck = (ctypes.c_ushort * LOGGED)(), ctypes.create_string_buffer(5000)
    calls = ctypes.c_long()
    library = ctypes.CDLL(None)
    library.faults_disarm.restype = ctypes.c_long
    failed = library.faults_disarm(log, LOGGED, ctypes.byref(calls), struck, len(struck))
    return Record(list(log[: calls.value]), failed, struck.value.decode("utf-8", "replace"))


def build(directory: Path) -> Path:
    """Compiles the library, with the compiler that the build of the module needs anyway."""
    library = directory / "faults.so"
    if not library.exists() or library.stat().st_mtime < SOURCE.stat().st_mtime:
        directory.mkdir(parents=True, exist_ok=True)
        flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["cc", *flags, "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library
