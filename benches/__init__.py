"""Measurements beside other libraries. Nothing here is shipped, and no test needs it."""
