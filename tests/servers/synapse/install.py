"""Where Synapse is: ~/.cache/sessionkeeper/synapse, made by `.ci/setup synapse`.

SESSIONKEEPER_SYNAPSE_PYTHON names another interpreter that has it.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.servers.installed import cache


def python() -> str:
    """The interpreter of its environment."""
    named = os.environ.get("SESSIONKEEPER_SYNAPSE_PYTHON")
    return named or str(cache("synapse") / "bin" / "python")


def missing() -> str:
    """What this machine lacks, or nothing."""
    return "" if Path(python()).exists() else "Synapse is not installed (.ci/setup synapse)"
