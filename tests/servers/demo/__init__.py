"""The main job, told step by step: what `make run` shows.

    python -m tests.servers.demo [PROVIDER|all]

Starts a provider's stand-in server, then drives the real command line, a new process for each step,
so that every step is also a restart. Prints what the viewer sees and what the server saw, and
proves each step at the server; ends with 1 when a proof fails. Nothing but the service is a
stand-in, and nothing outside this machine is asked.

Parts: services (what the story needs to know of each), chapters (what happens, in which order) over
scene (the steps that come again), with device (the command line), lines (what is said of a login
and of a request) and story (printing and proving).
"""
