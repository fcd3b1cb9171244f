"""Finds the compiled module and makes sure that it is of this package's version.

In a wheel the module lies beside this file. In a Kodi add-on one zip may serve several machines, so
it lies in `native/<os>-<arch>/` beside the package, with the version in its name: a file replaced
at the same path would leave the old code running. The folders are named by Kodi's platform tags.
"""

from __future__ import annotations

import os
import sys

from . import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_loaded: ModuleType | None = None


def native() -> ModuleType:
    """The compiled module, checked. Loads it at the first call in this interpreter."""
    global _loaded  # noqa: PLW0603 - one module per interpreter, as in sys.modules
    if _loaded is None:
        module = _find()
        _check_version(module.version())
        _loaded = module
    return _loaded


def available() -> bool:
    """Whether `open()` would find a compiled module for this machine and this version. Loads
    nothing, changes nothing and raises nothing: for an add-on that can do without."""
    try:
        if _loaded is not None or os.path.isfile(platform_path()):
            return True
        import _imp

        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_native")
        return any(os.path.isfile(beside + suffix) for suffix in _imp.extension_suffixes())
    except Exception:  # noqa: BLE001 - a machine that nobody has thought of
        return False


def in_kodi() -> bool:
    """True where xbmc is built into the interpreter."""
    return "xbmc" in sys.modules or "xbmc" in sys.builtin_module_names


def platform_tag() -> str:
    """The name of the folder for this process, for example "linux-aarch64"."""
    system = _system()
    return f"{system}-{_architecture(system, _machine(), sys.maxsize > 2**32)}"


def platform_path() -> str:
    """Where the compiled module of a Kodi add-on lies for this process."""
    suffix = ".pyd" if sys.platform == "win32" else ".abi3.so"
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    file = f"_native_{__version__.replace('.', '_')}{suffix}"
    return os.path.join(root, "native", platform_tag(), file)


def _find() -> ModuleType:
    path = platform_path()
    if os.path.isfile(path):
        return _load(path)
    try:
        from . import _native
    except ImportError as error:
        beside = str(error)
    else:
        return _native
    from .errors import NativeModuleMissing

    raise NativeModuleMissing(
        f"Sessionkeeper has no compiled module for this machine ({platform_tag()}): {beside}",
        "Install the add-on's zip for this kind of machine, or the one for all machines.",
    )


def _load(path: str) -> ModuleType:
    """As `importlib` does it, without the milliseconds that importing `importlib.util` takes."""
    import _imp
    from _frozen_importlib import ModuleSpec
    from _frozen_importlib_external import ExtensionFileLoader

    name = f"{__package__}._native"
    spec = ModuleSpec(name, ExtensionFileLoader(name, path), origin=path)
    try:
        module: ModuleType = _imp.create_dynamic(spec)
        module.__file__ = path  # as importlib sets it
        _imp.exec_dynamic(module)
    except ImportError as error:
        reason = str(error)
    else:
        sys.modules[name] = module
        return module
    from .errors import NativeModuleMissing

    raise NativeModuleMissing(
        f"The compiled module for {platform_tag()} cannot be loaded: {reason}",
        "Install the add-on's zip for this kind of machine.",
    )


def _check_version(found: str) -> None:
    if found != __version__:
        from .errors import VersionMismatch

        raise VersionMismatch(
            f"The compiled module is of version {found}, the Python part of version {__version__}.",
            "Restart Kodi: the old version of the add-on is still loaded.",
        )


def _system() -> str:
    if sys.platform == "win32":
        return "windows"
    if sys.platform == "darwin":
        return "osx"
    # Up to 3.12, Python says "linux" on Android.
    if hasattr(sys, "getandroidapilevel") or "ANDROID_ROOT" in os.environ:
        return "android"
    return "linux"


def _machine() -> str:
    if sys.platform == "win32":
        # The module `platform` would start a process for this.
        return os.environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
    return os.uname().machine


def _architecture(system: str, machine: str, is_64_bit: bool) -> str:
    """The process counts, not the kernel: a 64-bit kernel often runs a 32-bit Kodi."""
    machine = machine.lower()
    if machine.startswith(("aarch64", "arm")):
        if not is_64_bit:
            return "armv7"
        return "arm64" if system == "osx" else "aarch64"
    if machine in ("x86_64", "amd64", "x86", "i386", "i486", "i586", "i686"):
        return "x86_64" if is_64_bit else "i686"
    return machine
