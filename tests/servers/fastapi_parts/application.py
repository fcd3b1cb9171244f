"""The FastAPI application around a service's routes, and what its endpoints are given."""

from __future__ import annotations

import sqlite3
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordRequestForm

from tests.servers.front.service import is_dry_run

from .tokens import Refused


def make_router(prefix: str) -> APIRouter:
    return APIRouter(prefix=prefix, dependencies=[Depends(_no_store)])


def make_application(title: str, router: APIRouter) -> FastAPI:
    application = FastAPI(
        title=title,
        exception_handlers={Refused: _refuse, sqlite3.Error: _apologise},
    )
    application.include_router(router)
    return application


async def _token(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> str | None:
    return given.credentials if given else None


async def _undo(request: Request) -> bool:
    return is_dry_run(request.headers)


# What FastAPI documents for a login with a password: a form, and 422 for anything else.
Login = Annotated[OAuth2PasswordRequestForm, Depends()]
# The bearer token, if there is one.
Token = Annotated[str | None, Depends(_token)]
# Whether the front wants the answer alone: what the request would end or record is rolled back.
Undo = Annotated[bool, Depends(_undo)]


async def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {"WWW-Authenticate": "Bearer"}
    return JSONResponse({"detail": str(error)}, error.status, headers)


async def _apologise(_: Request, __: Exception) -> Response:
    return JSONResponse({"detail": "Internal Server Error"}, 500)
