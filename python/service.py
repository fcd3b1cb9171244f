"""Kodi's entry point for the background service. See sessionkeeper/kodi/service.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources", "lib"))

try:
    from sessionkeeper.kodi import guard, service
except Exception as error:  # noqa: BLE001 - whatever it is, it becomes words
    import xbmc

    # No dialog here: the service starts with Kodi. Whoever presses a button of the add-on is told.
    xbmc.log(
        "script.sessionkeeper: cannot start: " + type(error).__name__ + ": " + str(error),
        xbmc.LOGERROR,
    )
else:
    guard.run(service.main)
