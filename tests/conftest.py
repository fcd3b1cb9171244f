"""The stand-in servers, for every suite: one process of each, started when first asked for."""

from __future__ import annotations

import contextlib
from typing import Callable, Iterator

import pytest

from tests.servers.fixture import StandIn


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Callable[..., StandIn]]:
    """`stand_in(name)` is running, and as the last test left it; `stand_in(name).reset()` is as new
    but for its users. With `apart=True` it is another one, which nobody else resets.
    """
    started: dict[tuple[str, bool], StandIn] = {}
    with contextlib.ExitStack() as ends:

        def start(name: str, apart: bool = False) -> StandIn:
            if (name, apart) not in started:
                started[name, apart] = ends.enter_context(StandIn(name))
            return started[name, apart].start()

        yield start
