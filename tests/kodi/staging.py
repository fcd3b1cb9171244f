"""Puts the add-on where Kodi would have unpacked it.

Takes the package zip named by SESSIONKEEPER_ZIP, or makes the same layout from the checkout and one
compiled module. Never builds anything and never writes into the checkout.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

ADDON_ID = "script.sessionkeeper"
ROOT = Path(__file__).resolve().parents[2]


def place_addon(addons: Path) -> Path:
    """Unpacks or assembles the add-on below `addons` and returns its directory."""
    target = addons / ADDON_ID
    package = os.environ.get("SESSIONKEEPER_ZIP")
    if package:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(addons)
    else:
        assemble(target)
    return target


def place_script(target: Path, name: str, script: str, metadata: str = "") -> None:
    """Makes an add-on that uses this one: a script, named by its directory. `metadata` is XML."""
    target.mkdir(parents=True)
    (target / "addon.xml").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<addon id="{target.name}" name="{name}" version="1.0.0" provider-name="tests">
  <requires>
    <import addon="xbmc.python" version="3.0.1"/>
    <import addon="{ADDON_ID}" version="0.1.0"/>
  </requires>
  <extension point="xbmc.python.script" library="script.py">
    <provides>executable</provides>
  </extension>
  <extension point="xbmc.addon.metadata">
    <summary lang="en_GB">Uses Sessionkeeper</summary>
    {metadata}
  </extension>
</addon>
""")
    (target / "script.py").write_text(script)


def place_services(target: Path) -> Path:
    """The add-on of the services alone, as its package has it. Gives where their files are."""
    source, files = ROOT / "resources" / "providers", target / "resources" / "providers"
    shutil.copytree(source, files, ignore=shutil.ignore_patterns("*.xml"))
    shutil.copy(source / "addon.xml", target)
    shutil.copy(ROOT / "resources" / "icon.png", target / "resources")
    return files


def assemble(target: Path) -> None:
    """The layout of the package, from the files of the checkout."""
    target.mkdir(parents=True)
    shutil.copy(ROOT / "addon.xml", target)
    for entry in ("script.py", "service.py"):
        shutil.copy(ROOT / "python" / entry, target)
    shutil.copytree(
        ROOT / "resources",
        target / "resources",
        ignore=shutil.ignore_patterns("*.py", "__pycache__"),
    )
    library = target / "resources" / "lib" / "sessionkeeper"
    shutil.copytree(
        ROOT / "python" / "sessionkeeper",
        library,
        ignore=shutil.ignore_patterns("__pycache__", "_native*.so"),
    )
    shutil.copy(native_module(), library)


def native_module() -> Path:
    """SESSIONKEEPER_NATIVE, or the module that a development build left in the package."""
    named = os.environ.get("SESSIONKEEPER_NATIVE")
    if named:
        return Path(named)
    found = sorted((ROOT / "python" / "sessionkeeper").glob("_native*.so"))
    if not found:
        raise FileNotFoundError(
            "no compiled module: set SESSIONKEEPER_ZIP or SESSIONKEEPER_NATIVE, "
            "or build it into python/sessionkeeper"
        )
    return found[0]
