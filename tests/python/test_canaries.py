"""The search for canaries finds what is there, however written; else it would prove nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.canaries import Search
from tests.python.planting import PASSWORD, WRONG


@pytest.mark.parametrize(
    "leak",
    [
        f"x {PASSWORD} y".encode(),
        *(base64.b64encode(b"x" * lead + PASSWORD.encode() + b"yz") for lead in range(3)),
        *(base64.urlsafe_b64encode(b"x" * lead + PASSWORD.encode()) for lead in range(3)),
        PASSWORD.encode().hex().upper().encode(),
        PASSWORD.encode().hex().encode(),
        b"p=%C3%A4%22%2F%2B%26%25%5C%3CGoldammer7Zeisig3Pirol%3E%3D%C3%9F&q=1",
        b"p=%c3%a4%22/%2b%26%25%5c%3cGoldammer7Zeisig3Pirol%3e%3d%c3%9f&q=1",
        json.dumps({"p": PASSWORD}).encode(),
        json.dumps({"p": PASSWORD}, ensure_ascii=False).encode(),
        json.dumps(PASSWORD).replace("/", "\\/").encode(),
        repr({"p": PASSWORD}).encode(),
        repr({"p": PASSWORD.encode()}).encode(),
        str(list(PASSWORD.encode())).encode(),
        PASSWORD.encode("utf-16"),
        f"{PASSWORD[:9]}\r\n    {PASSWORD[9:]}".encode(),
    ],
)
def test_the_search_finds_a_canary_in_any_writing(leak: bytes, tmp_path: Path) -> None:
    search = Search({"the password": PASSWORD, "another": WRONG})
    assert search.content("there", leak) == ["the password in there"]
    (tmp_path / "some.log").write_bytes(b"\xff\0" + leak)
    assert search.files(tmp_path) == [f"the password in {tmp_path / 'some.log'}"]
    assert search.files(tmp_path, without=[tmp_path / "some.log"]) == []


def test_the_search_finds_nothing_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "some.log").write_text("viewer@example.com logged in", encoding="utf-8")
    assert Search({"the password": PASSWORD, "key": bytes(range(32))}).files(tmp_path) == []
