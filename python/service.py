"""Kodi's entry point for the background service. See sessionkeeper/kodi/service.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources", "lib"))

from sessionkeeper.kodi import main

main.run_service()
