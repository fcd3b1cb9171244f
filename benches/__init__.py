"""Measurements: ours beside the peers, in one run, on this machine."""
