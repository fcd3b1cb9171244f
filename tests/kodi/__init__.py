"""Tests in a real Kodi, driven by key presses; see harness.py."""
