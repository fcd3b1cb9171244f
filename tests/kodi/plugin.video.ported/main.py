"""An add-on that was ported: what it did before is unchanged, but for `angel_authentication`.

Each listing is what one of its actions came to, a line for each word.
"""

import os
import sys
from urllib.parse import parse_qsl

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources", "lib"))

import xbmc
import xbmcaddon
import xbmcgui
import xbmcplugin
import xbmcvfs
from catalogue import Catalogue


class Logger:
    """As add-ons write it: a method for each level, which takes one text."""

    def debug(self, message, category=None):
        xbmc.log(f"ported: {message}", xbmc.LOGDEBUG)

    def info(self, message):
        xbmc.log(f"ported: {message}", xbmc.LOGINFO)

    def warning(self, message):
        xbmc.log(f"ported: {message}", xbmc.LOGWARNING)

    def error(self, message):
        xbmc.log(f"ported: {message}", xbmc.LOGERROR)


def lines(action, addon):
    profile = xbmcvfs.translatePath(f"special://profile/addon_data/{addon.getAddonInfo('id')}/")
    catalogue = Catalogue(
        username=addon.getSettingString("username"),
        password=addon.getSettingString("password"),
        session_file=os.path.join(profile, "angel_session.pkl"),
        logger=Logger(),
    )
    if action == "details":
        details = catalogue.angel_studios_session.get_session_details()
        return [f"{name}: {value}" for name, value in details.items()]
    if action == "check":
        catalogue.session_check()
        return ["valid"]
    if action == "logout":
        return ["logged out" if catalogue.force_logout() else "logout failed"]
    return [catalogue.title, *(f"{name}: {value}" for name, value in catalogue.viewer().items())]


def main():
    try:
        words = lines(dict(parse_qsl(sys.argv[2][1:])).get("action"), xbmcaddon.Addon())
    except Exception as error:  # what it always did
        words = [f"{type(error).__name__}: {error}"]
    handle = int(sys.argv[1])
    for word in words:
        xbmcplugin.addDirectoryItem(handle, "plugin://plugin.video.ported/", xbmcgui.ListItem(word))
    xbmcplugin.endOfDirectory(handle, cacheToDisc=False)


main()
