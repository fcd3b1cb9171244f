"""What is said in a line of who is logged in, until when, and of a request that the server saw."""

from __future__ import annotations

from typing import Any

from .story import counted, local_time


def who(status: dict[str, Any]) -> str:
    """Not every service tells of an e-mail address, or of a name."""
    account = status["account"]
    shown: str = account["email"] or account["name"] or account["id"]
    return shown


def until(status: dict[str, Any]) -> str:
    if status["expires_at"] is None:
        return ""
    ends = local_time(status["expires_at"], "%Y-%m-%d %H:%M:%S")
    return f", until {ends}{' unless renewed' if status['renewable'] else ''}"


def request(entry: dict[str, Any]) -> str:
    carried = [
        *([counted(len(entry["cookies"]), "cookie")] if entry["cookies"] else []),
        *(["the token"] if entry["bearer"] else []),
        *(["a refresh token"] if entry["grant_type"] == "refresh_token" else []),
        *(["the password"] if entry["has_password"] else []),
    ]
    place = f"{entry['method']:<4} {entry['host']}{entry['path']} -> {entry['answer']}"
    return ", ".join([place, *carried])
