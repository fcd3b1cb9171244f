"""What the FastAPI stand-ins (jwt_audit, idempotent) are made of: a database that can fail,
accounts with hashed passwords, signed tokens with a deny-list, an audit log, and the answers
to errors.

In the directory: service.sqlite3, signing.key, and for jwt_audit also audit.sqlite3.
"""
