"""Matrix, with the real Synapse."""

from __future__ import annotations

import pytest

from tests.python.services.case import PASSWORD, Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service
from tests.servers.fixture import StandIn
from tests.servers.installed import require
from tests.servers.synapse import install


class TestMatrix(Renewing):
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        require(install.missing())

    case = Case(
        "matrix",
        "{base}/_matrix/client/v3/account/whoami",
        (PASSWORD,),
        stand_in="synapse",
        renews=True,
        everywhere="revoked",
        viewer=("viewer", StandIn.VIEWER[1]),
        other=("zoe", StandIn.NON_ASCII[1]),
    )
    token_path = "/_matrix/client/v3/refresh"
    lapse = 400

    def renewals(self, service: Service) -> int:
        return len(service.server.journal(self.token_path))
