"""The version of the Python part. Cargo.toml is the source; a test compares the two.

It stands alone so that reading it imports nothing. The compiled module names its own version, and
`loading` refuses a pair that does not match.
"""

from __future__ import annotations

__version__ = "0.1.0"
