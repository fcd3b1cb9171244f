"""The endpoints."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import FastAPI

from tests.servers.fastapi_parts.application import (
    Login,
    Token,
    Undo,
    make_application,
    make_router,
)
from tests.servers.fastapi_parts.tokens import Refused

from .store import Store


class Api:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.settings

    def application(self) -> FastAPI:
        router = make_router("/auth")
        router.post("/login")(self.log_in)
        router.get("/me")(self.me)
        router.post("/logout")(self.log_out)
        return make_application("JWT with audit", router)

    def log_in(self, given: Login) -> dict[str, str]:
        try:
            user = self._store.user_of_password(given.username, given.password)
        except Refused:
            self._store.record("login_failed", {"email": given.username})
            raise
        return {"access_token": self._store.issue(user), "token_type": "bearer"}

    def me(self, token: Token) -> dict[str, str]:
        return self._store.opened(token)[1].shown()

    def log_out(self, token: Token, undo: Undo) -> dict[str, str]:
        claims: dict[str, Any] = {}
        wrong = ""
        try:
            claims, _ = self._store.opened(token)
            if self._settings.deny_list:
                self._store.deny(claims, undo=undo)
        except Refused as refused:
            if self._settings.old:
                raise Refused(refused.reason, int(self._settings.old_refusal)) from None
            wrong = refused.reason
        except sqlite3.Error:
            if self._settings.old:
                raise
            wrong = "database"
        answer = {"message": "Logout successful"}
        if not self._store.record("logout", claims or self._named(token), wrong, undo=undo):
            answer["audit_warning"] = "The logout could not be recorded in the audit log"
        return answer

    def _named(self, token: str | None) -> dict[str, Any]:
        """Whose token it is that was not accepted, as far as its signature is ours."""
        try:
            return self._store.signer.signed(token)
        except Refused:
            return {}
