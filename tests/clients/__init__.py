"""Programs with the services' own client libraries, which nobody here wrote.

Each script runs in an environment of its own (`.ci/setup clients`), against a stand-in that does
not know it, and prints one JSON object. A library that works shows that the stand-in is right.
"""
