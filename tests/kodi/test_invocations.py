"""Kodi makes a new interpreter for every invocation, and may run many at once.

Kodi itself loses about 30 KB with each interpreter (20.1, with JSON-RPC and a debug log). So the
growth is measured against the same number of invocations that leave Sessionkeeper alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.neighbour import NEIGHBOUR_ID

WARM_UP = 100
MEASURED = 200
AT_ONCE = 50
GROWTH_LIMIT = 1 << 20


@pytest.mark.timeout(400)
def test_three_hundred_and_then_fifty_at_once(kodi: Kodi) -> None:
    invoke(kodi, WARM_UP)
    growth = invoke(kodi, MEASURED)
    growth_without = invoke(kodi, MEASURED, "without")

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
    # Each add-on has its own sessions, in its own directory.
    assert {one["data_dir"].rstrip("/").rsplit("/", 1)[-1] for one in asked} == {NEIGHBOUR_ID}
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
