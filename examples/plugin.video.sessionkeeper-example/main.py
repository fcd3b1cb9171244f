"""Kodi's entry point: the add-on's listing, and the buttons of its settings."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources", "lib"))

import plugin

plugin.run(sys.argv)
