"""Starts a stand-in: python -m tests.servers NAME, with the options of front/run.py.

NAME is a package here ("angel"), whose module `service` is meant, or a module ("front.example").
Either brings a class `Service`.
"""

from __future__ import annotations

import importlib
import sys

from .front.run import main

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m tests.servers NAME [--help]; see tests/servers/README.md")
    name = sys.argv.pop(1).replace("-", "_")
    module = importlib.import_module(f"tests.servers.{name if '.' in name else f'{name}.service'}")
    main(name, module.Service)
