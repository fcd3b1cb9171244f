"""Starts it; the command line is the front's."""

from __future__ import annotations

from tests.servers.front.run import main

from .service import Newcomer

if __name__ == "__main__":
    main(Newcomer)
