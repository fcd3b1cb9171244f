"""The fault lab: what becomes of logins, renewals and logouts when the disk fails under them.

The module is the real one, and so are the files, SQLite and the server, which remembers every
session that it opened and is the judge of what lives. The faults come from outside the process
(`faults.c`). A case is one operation, on a copy of a data directory, under one fault; then a second
process, without faults, looks what is there.

`make reliability` runs it; `python -m tests.reliability --help` tells what else it can do.
"""
