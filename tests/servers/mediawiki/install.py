"""Where PHP and MediaWiki are: ~/.cache/sessionkeeper/mediawiki, made by `.ci/setup mediawiki`.

SESSIONKEEPER_MEDIAWIKI names another directory that has it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.servers.installed import cache


def directory() -> Path:
    return Path(os.environ.get("SESSIONKEEPER_MEDIAWIKI") or cache("mediawiki"))


def missing() -> str:
    """What this machine lacks, or nothing."""
    if shutil.which("php") is None:
        return "php is missing (.ci/setup mediawiki)"
    is_there = (directory() / "index.php").exists()
    return "" if is_there else "MediaWiki is not installed (.ci/setup mediawiki)"
