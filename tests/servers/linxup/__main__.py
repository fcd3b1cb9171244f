"""Starts it; the command line is the front's, and with --plain that of plain.py."""

from __future__ import annotations

import sys

from tests.servers.front.run import main

from . import plain
from .service import Linxup

if __name__ == "__main__":
    if "--plain" in sys.argv[1:]:
        plain.main()
    else:
        main(Linxup)
