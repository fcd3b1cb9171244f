"""Two add-ons of other people that use the viewer's accounts, or private ones, as small as they
get: a button in their settings that is two lines of XML, no service, and a script that does what it
is told and announces what came of it.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

from tests.kodi.harness import Kodi
from tests.kodi.staging import ROOT, place_script
from tests.servers.fixture import StandIn

PLAYER, RADIO = "script.client.player", "script.client.radio"
NAMES = {PLAYER: "Angel Player", RADIO: "Angel Radio"}
SETTINGS_XML = """<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<settings version="1">
  <section id="{id}">
    <category id="account" label="30000">
      <group id="account">
        {buttons}
      </group>
    </category>
  </section>
</settings>
"""
BUTTON = """<setting id="{verb}" type="action" label="{label}">
          <level>0</level>
          <data>RunScript(script.sessionkeeper,{verb},provider={provider},settings={id})</data>
          <control type="button" format="action"><close>true</close></control>
        </setting>"""
LABELS = {"login": 30001, "logout": 30002}
WORDS = """msgid ""
msgstr ""
"Language: en_GB\\n"

msgctxt "#30000"
msgid "Account"
msgstr ""

msgctxt "#30001"
msgid "Log in"
msgstr ""

msgctxt "#30002"
msgid "Log out"
msgstr ""
"""
SCRIPT = """
import time
began = time.perf_counter()
import json, sys, xbmc
number, do = sys.argv[1:]
said = {"number": number}
try:
    loaded = time.perf_counter()
    import sessionkeeper
    imported = time.perf_counter()
    keeper = sessionkeeper.open(
        PROVIDER, parameters=PARAMETERS, stop=xbmc.Monitor().abortRequested, **OPTIONS
    )
    opened = time.perf_counter()
    if do == "use":
        session = keeper.restore()
        restored = time.perf_counter()
        said["state"], said["restored"] = keeper.status().state, session is not None
        answer = session.get(URL) if session else keeper.renew()
        done = time.perf_counter()
        said["email"] = answer.json()["email"]
        said["ms"] = [
            round(1000 * (late - early), 2)
            for early, late in (
                (loaded, imported), (imported, opened), (opened, restored), (restored, done)
            )
        ]
    elif do == "ask":
        said["allowed"] = keeper.request_access()
    elif do == "login":
        said["account"] = keeper.login(*VIEWER).account.id
    elif do == "logout":
        said["remote"] = keeper.logout(deadline=2).remote
    else:
        from sessionkeeper import kodi
        result = getattr(kodi, do)(keeper)
        said["result"] = type(result).__name__
    said["data_dir"] = keeper.data_dir
except Exception as error:
    said["error"], said["message"] = type(error).__name__, str(error)
params = {"sender": SENDER, "message": "done", "data": said}
request = {"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.NotifyAll", "params": params}
xbmc.executeJSONRPC(json.dumps(request))
"""


def source(
    directory: Path,
    addon_id: str,
    provider: str,
    parameters: dict[str, str],
    *,
    url: str = "",
    **options: Any,
) -> Path:
    """The add-on's files, for Kodi.add_addon. It asks for `url`, and opens its keeper with these
    options.
    """
    target = directory / addon_id
    script = SCRIPT.replace("SENDER", repr(addon_id)).replace("URL", repr(url))
    script = script.replace("PROVIDER", repr(provider)).replace("PARAMETERS", repr(parameters))
    script = script.replace("OPTIONS", repr(options)).replace("VIEWER", repr(StandIn.VIEWER))
    place_script(target, NAMES[addon_id], script, "<assets><icon>icon.png</icon></assets>")
    language = target / "resources" / "language" / "resource.language.en_gb"
    language.mkdir(parents=True)
    (language / "strings.po").write_text(WORDS)
    buttons = "\n        ".join(
        BUTTON.format(verb=verb, label=label, provider=provider, id=addon_id)
        for verb, label in LABELS.items()
    )
    settings = SETTINGS_XML.format(id=addon_id, buttons=buttons)
    (target / "resources" / "settings.xml").write_text(settings)
    shutil.copy(
        ROOT / "examples" / "plugin.video.sessionkeeper-example" / "resources" / "icon.png", target
    )
    return target


class Client:
    """One of the two, in a running Kodi."""

    _numbers = itertools.count(1)

    def __init__(self, kodi: Kodi, addon_id: str) -> None:
        self.addon_id = addon_id
        self._kodi = kodi

    def begin(self, do: str) -> str:
        """Starts an invocation and gives its number."""
        number = str(next(self._numbers))
        self._kodi.run(number, do, addon=self.addon_id)
        return number

    def result(self, number: str) -> dict[str, Any]:
        """What the invocation with this number has said."""

        def said() -> dict[str, Any]:
            heard = self._kodi.remote.announcements(self.addon_id)
            return next((data for _, data in heard if data["number"] == number), {})

        found: dict[str, Any] = self._kodi.remote.wait_for(said, f"{self.addon_id}'s answer", 30)
        return found

    def do(self, what: str) -> dict[str, Any]:
        return self.result(self.begin(what))
