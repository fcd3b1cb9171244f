"""Each shipped service by the real module, against a strict stand-in or the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

pytest.register_assert_rewrite("tests.python.services.journey", "tests.python.services.service")

from tests.python.services.service import Service  # noqa: E402
from tests.servers.fixture import StandIn  # noqa: E402


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A journey is made by each of the service's ways in."""
    if "way" in metafunc.fixturenames and metafunc.cls is not None:
        metafunc.parametrize("way", metafunc.cls.case.ways)


@pytest.fixture
def service(
    request: pytest.FixtureRequest,
    way: str,
    stand_in: Callable[[str], StandIn],
    tmp_path: Path,
) -> Service:
    case = request.cls.case
    server = stand_in(case.server).reset()
    if case.settings:
        server.settings(**case.settings)
    return Service(case, way, server, tmp_path / "Zoë 例え")


@pytest.fixture
def keeper(service: Service) -> Any:
    return service.open()
