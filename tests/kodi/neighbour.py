"""An add-on of somebody else, which uses Sessionkeeper as a module.

Each run opens its own keeper, asks who is logged in, and announces the answer, or the error, with
the number it was given. Run "without", it does all but that; run with "builtin" and a builtin of
Kodi, it runs that. It shows nothing on the screen.
"""

from __future__ import annotations

from pathlib import Path

from tests.kodi.staging import place_script

NEIGHBOUR_ID = "script.neighbour"
# It imports nothing of its own, so the two ways of running it differ by Sessionkeeper alone.
SCRIPT = """
import sys, xbmc
try:
    if sys.argv[2:3] == ["builtin"]:
        xbmc.executebuiltin(sys.argv[3])
        answer = '"state": "not asked"'
    elif sys.argv[2:] == ["without"]:
        answer = '"state": "not asked"'
    else:
        import sessionkeeper
        keeper = sessionkeeper.open("angel")
        answer = '"state": "%s", "data_dir": "%s"' % (keeper.status().state, keeper.data_dir)
except BaseException as error:
    words = type(error).__name__ + ": " + str(error)
    answer = '"error": "%s"' % words.replace(chr(92), "/").replace('"', "'")
data = '{"number": "%s", %s}' % (sys.argv[1], answer)
params = '{"sender": "script.neighbour", "message": "done", "data": %s}' % data
xbmc.executeJSONRPC(
    '{"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.NotifyAll", "params": %s}' % params
)
"""


def place_neighbour(addons: Path) -> None:
    """Puts it beside the add-on that it uses."""
    place_script(addons / NEIGHBOUR_ID, "Neighbour", SCRIPT)
