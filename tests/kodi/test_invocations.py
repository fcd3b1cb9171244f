"""Kodi makes a new interpreter for every invocation, and may run many at once.

Kodi 20.1 itself keeps 29.3 KiB of each invocation, of an add-on that imports nothing as of one that
asks Sessionkeeper: 5.7 MiB in 200, and no end of it in 1000. It makes the objects of its xbmc
modules anew for each interpreter and never frees them: of 2074 KiB that 72 invocations left on the
heap, 1888 KiB were made in its PyInit_Module_xbmc*, and none in Sessionkeeper's module. 600 such
interpreters in Debian's libpython 3.11.2 without Kodi leave nothing.

So the growth is measured against as many invocations that leave Sessionkeeper alone. Each of the
two is warmed up by itself: after a change from one to the other the process once grows by up to
3 MiB more, or less, because what they need for a moment differs. Measured so, Sessionkeeper's share
of 200 invocations was -0.1 and 0.1 MiB, and with 8 KiB lost on purpose in each of them 3.3 MiB.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.neighbour import NEIGHBOUR_ID
from tests.kodi.staging import ADDON_ID

WARM_UP = 100
MEASURED = 200
AT_ONCE = 50
GROWTH_LIMIT = 1 << 20


@pytest.mark.timeout(400)
def test_three_hundred_and_then_fifty_at_once(kodi: Kodi) -> None:
    invoke(kodi, WARM_UP, "without")
    growth_without = invoke(kodi, MEASURED, "without")
    invoke(kodi, WARM_UP)
    growth = invoke(kodi, MEASURED)

    before = len(answers(kodi))
    for number in range(AT_ONCE):
        kodi.run(f"at once {number}", addon=NEIGHBOUR_ID)
    wanted = before + AT_ONCE
    kodi.remote.wait_for(lambda: len(answers(kodi)) == wanted, "fifty at once", 60)
    assert kodi.running

    seen = answers(kodi)
    assert [one for one in seen if "error" in one] == []
    asked = [one for one in seen if "data_dir" in one]
    assert len(asked) == WARM_UP + MEASURED + AT_ONCE
    assert {one["state"] for one in asked} == {"signed_out"}
    # Each add-on has the viewer's sessions.
    assert {one["data_dir"].rstrip("/").rsplit("/", 1)[-1] for one in asked} == {ADDON_ID}
    own = growth - growth_without
    assert own < GROWTH_LIMIT, f"{own} of {growth} bytes in {MEASURED} invocations are ours"


def invoke(kodi: Kodi, times: int, *arguments: str) -> int:
    """Runs the neighbour so often, one after the other; returns by how much Kodi has grown."""
    before = kodi.resident_bytes()
    for _ in range(times):
        number = len(answers(kodi))
        kodi.run(str(number), *arguments, addon=NEIGHBOUR_ID)
        kodi.remote.wait_for(lambda: len(answers(kodi)) > number, "an answer", pause=0.01)  # noqa: B023
    return kodi.resident_bytes() - before


def answers(kodi: Kodi) -> list[dict[str, Any]]:
    return [data for message, data in kodi.remote.announcements(NEIGHBOUR_ID) if message == "done"]
