"""What the add-on's entry points call: imports a part of the shim and runs it.

Owns what happens where the shim cannot even be imported, as after an interrupted update: a
line in the log, and a dialog for whoever pressed a button. So it imports nothing of the add-on
before it is called. A compiled module that is missing is noticed later, by whoever opens a keeper.
"""

from __future__ import annotations

# IDS["error_native_module_missing"]; the table of names may be what cannot be imported.
CANNOT_RUN = 30220


def run_script(arguments: list[str]) -> None:
    try:
        from sessionkeeper.kodi import actions, error_boundary

        action = actions.find(arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes words
        import xbmcaddon
        import xbmcgui

        _log(error)
        xbmcgui.Dialog().ok("Sessionkeeper", xbmcaddon.Addon().getLocalizedString(CANNOT_RUN))
    else:
        error_boundary.run(actions.main, action, arguments)


def run_service() -> None:
    """Without a dialog: the service starts with Kodi. Whoever presses a button is told."""
    try:
        from sessionkeeper.kodi import error_boundary, service
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes words
        _log(error)
    else:
        error_boundary.run(service.main)


def _log(error: Exception) -> None:
    import xbmc

    xbmc.log(f"script.sessionkeeper: cannot start: {type(error).__name__}: {error}", xbmc.LOGERROR)
