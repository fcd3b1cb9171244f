"""Finding the compiled module, the version handshake, and what importing the package costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

import sessionkeeper
from sessionkeeper import loading
from tests.python.native_double import NativeDouble

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_that_of_the_crate() -> None:
    crate = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    assert sessionkeeper.__version__ == crate["package"]["version"]


def test_another_version_is_refused_before_any_data_is_touched(
    native: NativeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.reported_version = "0.0.9"
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setattr(loading, "_find", lambda: native)
    with pytest.raises(sessionkeeper.VersionMismatch, match=r"0\.0\.9") as caught:
        sessionkeeper.open()
    assert "Restart Kodi" in caught.value.hint
    assert native.opened == []
    assert native.started == []


def test_no_module_for_this_machine_names_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setitem(sys.modules, "sessionkeeper._native", None)
    monkeypatch.delattr(sessionkeeper, "_native", raising=False)
    monkeypatch.setattr(loading, "platform_path", lambda: str(tmp_path / "none"))
    with pytest.raises(sessionkeeper.NativeModuleMissing, match=loading.platform_tag()):
        sessionkeeper.open()


def test_a_module_that_cannot_be_loaded_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "_native.abi3.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setitem(sys.modules, "sessionkeeper._native", None)
    monkeypatch.delattr(sessionkeeper, "_native", raising=False)
    monkeypatch.setattr(loading, "platform_path", lambda: str(broken))
    with pytest.raises(sessionkeeper.NativeModuleMissing, match="cannot be loaded"):
        sessionkeeper.open()


def test_the_path_holds_machine_and_version() -> None:
    path = Path(loading.platform_path())
    assert path.parent.name == loading.platform_tag()
    assert path.parent.parent == Path(sessionkeeper.__file__).resolve().parents[1] / "native"
    assert path.name.startswith(f"_native_{sessionkeeper.__version__.replace('.', '_')}.")


@pytest.mark.parametrize(
    ("system", "machine", "is_64_bit", "expected"),
    [
        ("linux", "x86_64", True, "x86_64"),
        ("linux", "x86_64", False, "i686"),
        ("linux", "i686", False, "i686"),
        ("linux", "aarch64", True, "aarch64"),
        ("linux", "aarch64", False, "armv7"),
        ("linux", "armv7l", False, "armv7"),
        ("android", "armv8l", False, "armv7"),
        ("osx", "arm64", True, "arm64"),
        ("osx", "x86_64", True, "x86_64"),
        ("windows", "AMD64", True, "x86_64"),
        ("windows", "x86", False, "i686"),
        ("linux", "riscv64", True, "riscv64"),
    ],
)
def test_the_process_decides_the_architecture(
    system: str, machine: str, is_64_bit: bool, expected: str
) -> None:
    assert loading._architecture(system, machine, is_64_bit) == expected


def test_importing_loads_nothing_that_is_not_needed() -> None:
    """Every invocation in Kodi pays the import, so what it loads is counted."""
    script = (
        "import sys, os; before = set(sys.modules); import sessionkeeper;"
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('sessionkeeper')))"
    )
    package = str(ROOT / "python")
    ended = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {package!r}); {script}"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert set(ended.stdout.split()) <= {"__future__", "time"}


# What is there


def test_the_module_is_found_without_loading_it() -> None:
    package = str(ROOT / "python")
    script = (
        f"import sys; sys.path.insert(0, {package!r}); import sessionkeeper;"
        "print(sessionkeeper.available(), any('_native' in name for name in sys.modules),"
        " sessionkeeper.loading._loaded)"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, check=True, text=True, timeout=60
    )
    assert (ended.stdout, ended.stderr) == ("True False None\n", "")


def test_a_machine_without_a_module_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "sessionkeeper"
    package.mkdir()
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setattr(loading, "__file__", str(package / "loading.py"))
    assert sessionkeeper.available() is False
    path = Path(loading.platform_path())
    path.parent.mkdir(parents=True)
    (path.parent / "_native_0_0_1.abi3.so").touch()
    assert sessionkeeper.available() is False, "another version's"
    path.touch()
    assert sessionkeeper.available() is True
    path.unlink()
    (package / "_native.abi3.so").touch()
    assert sessionkeeper.available() is True

    def broken() -> str:
        raise OSError

    monkeypatch.setattr(loading, "platform_path", broken)
    assert sessionkeeper.available() is False
