"""What the services with opaque tokens and a device login have in common: their memory.

Never how they answer: each stand-in says in its own words what its service documents.
"""
