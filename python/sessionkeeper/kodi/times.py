"""Points in time as the viewer reads them: local, in the format of Kodi's region, and how far
off they are.

Gets Unix seconds and gives text. It never decides whether something has expired; the keeper does.
"""

from __future__ import annotations

import time

import xbmc

from sessionkeeper.kodi.strings import text

MINUTE, HOUR, DAY = 60, 3600, 86400


def date(moment: int) -> str:
    return _formatted(xbmc.getRegion("dateshort") or "%Y-%m-%d", moment)


def date_and_time(moment: int) -> str:
    # Kodi's time format may hold doubled hour fields such as %H%H, which mean one of them.
    clock = (xbmc.getRegion("time") or "%H:%M:%S").replace("%H%H", "%H").replace("%I%I", "%I")
    return f"{date(moment)} {_formatted(clock, moment)}"


def near(moment: int, now: float | None = None) -> str:
    """The date, with the time if it is less than a day away."""
    left = moment - (time.time() if now is None else now)
    return date_and_time(moment) if left < DAY else date(moment)


def remaining(moment: int, now: float | None = None) -> str:
    """How long until then, in the two largest units."""
    left = int(moment - (time.time() if now is None else now))
    if left <= 0:
        return text("remaining_over")
    if left >= DAY:
        return text("remaining_days", days=left // DAY, hours=left % DAY // HOUR)
    if left >= HOUR:
        return text("remaining_hours", hours=left // HOUR, minutes=left % HOUR // MINUTE)
    return text("remaining_minutes", minutes=left // MINUTE)


def _formatted(pattern: str, moment: int) -> str:
    try:
        return time.strftime(pattern, time.localtime(moment))
    except (ValueError, OverflowError, OSError):
        return str(moment)
