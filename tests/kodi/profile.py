"""A throw-away profile: Kodi's own settings, which keep first-run dialogs, sound and update checks
away, and the add-on's, where a test does not press them together itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.sax.saxutils import escape

ADVANCED_SETTINGS = """<advancedsettings version="1.0">
  <loglevel hide="true">1</loglevel>
  <splash>false</splash>
  <jsonrpc><tcpport>{port}</tcpport></jsonrpc>
</advancedsettings>
"""
GUI_SETTINGS = """<settings version="2">
  <setting id="addons.unknownsources">true</setting>
  <setting id="general.addonupdates">2</setting>
  <setting id="services.esenabled">true</setting>
  <setting id="services.esport">{event_port}</setting>
  <setting id="services.zeroconf">false</setting>
  <setting id="services.wsdiscovery">false</setting>
  <setting id="screensaver.mode"></setting>
  <setting id="audiooutput.guisoundmode">0</setting>
  <setting id="audiooutput.streamsilence">0</setting>
  <setting id="lookandfeel.enablerssfeeds">false</setting>
</settings>
"""
# Without a sound device Kodi would fill its log with sink errors. This one takes silence as fast as
# it comes, so Kodi is to send none (streamsilence): it would keep half a processor busy.
SILENT_SOUND = "pcm.!default { type null }\nctl.!default { type null }\n"


def write(home: Path, port: int, event_port: int) -> None:
    """The profile of a Kodi whose home directory this is; JSON-RPC and keys come to these ports."""
    userdata = home / ".kodi" / "userdata"
    userdata.mkdir(parents=True, exist_ok=True)
    (home / ".asoundrc").write_text(SILENT_SOUND)
    (userdata / "advancedsettings.xml").write_text(ADVANCED_SETTINGS.format(port=port))
    (userdata / "guisettings.xml").write_text(GUI_SETTINGS.format(event_port=event_port))


def copy(template: Path, home: Path) -> None:
    """The profile of a Kodi that has ended, without its logs and what add-ons keep there."""
    left_out = shutil.ignore_patterns("temp", "addon_data")
    shutil.copytree(template / ".kodi", home / ".kodi", ignore=left_out)


def write_settings(data_directory: Path, values: dict[str, str]) -> None:
    """Writes the add-on's settings file as a viewer's choices would have left it."""
    lines = (f'<setting id="{name}">{escape(value)}</setting>' for name, value in values.items())
    data_directory.mkdir(parents=True, exist_ok=True)
    (data_directory / "settings.xml").write_text(
        '<settings version="2">{}</settings>'.format("".join(lines))
    )
