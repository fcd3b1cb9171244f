"""Kodi's entry point for RunScript(script.sessionkeeper,…): the settings' buttons. See
sessionkeeper/kodi/actions.py.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources", "lib"))

try:
    from sessionkeeper.kodi import actions, guard
except Exception as error:  # noqa: BLE001 - whatever it is, it becomes words
    import xbmc
    import xbmcaddon
    import xbmcgui

    xbmc.log(
        "script.sessionkeeper: cannot start: " + type(error).__name__ + ": " + str(error),
        xbmc.LOGERROR,
    )
    xbmcgui.Dialog().ok("Sessionkeeper", xbmcaddon.Addon().getLocalizedString(30230))
else:
    guard.run(actions.main, sys.argv[1:])
