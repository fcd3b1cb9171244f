"""The endpoints."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, HTTPException, Response

from tests.servers.fastapi_parts.application import (
    Login,
    Token,
    Undo,
    make_application,
    make_router,
)
from tests.servers.fastapi_parts.tokens import Refused

from .store import Issued, Store

RefreshToken = Annotated[str | None, Cookie(alias="refresh_token")]

_ATTRIBUTES: Any = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}


class Api:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.settings
        self._work = store.database.work

    def application(self) -> FastAPI:
        router = make_router("/api/auth")
        router.post("/login")(self.log_in)
        router.post("/refresh")(self.refresh)
        router.get("/me")(self.me)
        router.get("/sessions")(self.sessions)
        router.delete("/sessions/{id}")(self.end_session)
        router.post("/logout")(self.log_out)
        return make_application("Idempotent logout", router)

    def log_in(self, given: Login, response: Response) -> dict[str, Any]:
        try:
            user = self._store.user_of_password(given.username, given.password)
        except Refused:
            with self._work() as db:
                self._store.record(db, "login_failed", "", given.username)
            raise
        with self._work() as db:
            issued = self._store.begin(db, user)
        return {**self._granted(issued, response), "token_type": "bearer", "user": user.shown()}

    def refresh(self, response: Response, refresh_token: RefreshToken = None) -> dict[str, Any]:
        with self._work() as db:
            issued = self._store.renew(db, refresh_token)
        if isinstance(issued, Refused):
            raise issued
        return self._granted(issued, response)

    def me(self, token: Token) -> dict[str, str]:
        with self._work() as db:
            return self._store.accepted(db, token)[1].shown()

    def sessions(self, token: Token) -> dict[str, Any]:
        with self._work() as db:
            claims, user = self._store.accepted(db, token)
            live = self._store.live(db, user)
        return {
            "sessions": [
                {
                    "id": row["id"],
                    "current": row["id"] == claims["sid"],
                    "created_at": datetime.fromtimestamp(row["created_at"], timezone.utc),
                }
                for row in live
            ]
        }

    def end_session(self, id: str, token: Token, undo: Undo) -> dict[str, bool]:
        with self._work(undo=undo) as db:
            _, user = self._store.accepted(db, token)
            if id not in [row["id"] for row in self._store.live(db, user)]:
                raise HTTPException(404, "Session not found")
            self._store.record(db, "session_deleted", id)
            self._store.end(db, id)
        return {"success": True}

    def log_out(
        self, response: Response, token: Token, undo: Undo, refresh_token: RefreshToken = None
    ) -> dict[str, Any]:
        try:
            with self._work(undo=undo) as db:
                self._revoke(db, token, refresh_token)
        except sqlite3.Error:
            if self._settings.old:
                raise
        response.delete_cookie("refresh_token", **_ATTRIBUTES)
        return {"success": True, "message": "Successfully logged out"}

    def _revoke(self, db: sqlite3.Connection, token: str | None, refresh_token: str | None) -> None:
        """End what the two tokens belong to, by one event. Raises Refused in the old generation."""
        sessions, wrong = [], ""
        try:
            claims, _ = self._store.accepted(db, token)
            sessions.append(claims["sid"])
        except Refused as refused:
            if self._settings.old:
                raise Refused(refused.reason, int(self._settings.old_refusal)) from None
            wrong = refused.reason
        owner = self._store.owner(db, refresh_token)
        sessions += [owner] if owner else []
        self._store.record(db, "logout", sessions[0] if sessions else "", detail=wrong)
        for session in sessions:
            self._store.end(db, session)

    def _granted(self, issued: Issued, response: Response) -> dict[str, Any]:
        lifetime = int(self._settings.refresh_lifetime)
        response.set_cookie("refresh_token", issued.refresh_token, max_age=lifetime, **_ATTRIBUTES)
        return {
            "success": True,
            "access_token": issued.access_token,
            "expires_in": int(self._settings.token_lifetime),
        }
