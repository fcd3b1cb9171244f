"""Kodi's entry point for RunScript(script.sessionkeeper,…): the settings' buttons. See
sessionkeeper/kodi/actions.py.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources", "lib"))

from sessionkeeper.kodi import main

main.run_script(sys.argv[1:])
