"""Requests through the session: the arguments of requests become those of the core, and back."""

from __future__ import annotations

import json
import math
import traceback
from typing import Any
from urllib.parse import urlencode

import pytest

import sessionkeeper
from sessionkeeper import loading
from sessionkeeper.session import _form
from tests.python.native_double import SIGNED_IN, NativeDouble

TOKEN = "jwt-canary"
URL = "https://api.angelstudios.com/graphql"


@pytest.fixture
def session(native: NativeDouble) -> sessionkeeper.Session:
    native.answer("status", SIGNED_IN)
    native.answer("request", answer(b'{"data": {"name": "\xc3\xa4"}}'))
    native.answer(
        "session",
        {
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "cookies": {"angel_jwt_v2": TOKEN},
            "token": TOKEN,
        },
    )
    session = sessionkeeper.open().session
    assert session is not None
    return session


def answer(body: bytes, status: int = 200, kind: str = "application/json") -> dict[str, Any]:
    headers = [["Content-Type", kind], ["Vary", "a"], ["vary", "b"]]
    return {
        "status": status,
        "url": f"{URL}?token={TOKEN}",
        "headers": headers,
        "body": body,
        "session_over": None,
    }


def test_the_session_says_who_it_is(session: sessionkeeper.Session) -> None:
    assert session.account.email == "viewer@example.com"
    assert (session.provider, session.state, session.renewable) == ("angel", "signed_in", True)
    assert session.expires_at == 4102444800


def test_credentials_are_read_when_asked_for(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    assert not [verb for verb, _ in native.started if verb == "session"]
    assert session.headers == {"Authorization": f"Bearer {TOKEN}"}
    assert session.cookies == {"angel_jwt_v2": TOKEN}


@pytest.mark.parametrize(
    ("given", "body", "kind"),
    [
        ({}, None, None),
        ({"json": {"query": "ä"}}, b'{"query": "\\u00e4"}', "application/json"),
        ({"json": []}, b"[]", "application/json"),
        ({"data": "tëxt"}, "tëxt".encode(), None),
        ({"data": b"\xff"}, b"\xff", None),
        ({"data": {"a b": "ä", "c": [1, 2], "d": None}}, b"a+b=%C3%A4&c=1&c=2", "form"),
        ({"data": [("a", 1), ("a", 2)]}, b"a=1&a=2", "form"),
    ],
)
def test_the_body(
    native: NativeDouble, session: sessionkeeper.Session, given: Any, body: Any, kind: Any
) -> None:
    session.request("post", URL, **given)
    sent = native.arguments("request")
    assert sent["body"] == body
    expected = "application/x-www-form-urlencoded" if kind == "form" else kind
    assert sent["headers"] == ([["Content-Type", expected]] if kind else [])
    assert sent["method"] == "post"


def test_a_content_type_of_the_caller_wins(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    session.post(URL, json={}, headers={"content-type": "application/graphql+json"})
    assert native.arguments("request")["headers"] == [["content-type", "application/graphql+json"]]


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("https://a/", None, "https://a/"),
        ("https://a/", {}, "https://a/"),
        ("https://a/", {"q": "ä b&c", "none": None}, "https://a/?q=%C3%A4+b%26c"),
        ("https://a/?x=1", [("y", 2)], "https://a/?x=1&y=2"),
        ("https://a/?", {"y": 2}, "https://a/?y=2"),
        ("https://a/#part", {"y": [1, 2]}, "https://a/?y=1&y=2#part"),
    ],
)
def test_the_query(
    native: NativeDouble, session: sessionkeeper.Session, url: str, params: Any, expected: str
) -> None:
    session.get(url, params=params)
    assert native.arguments("request")["url"] == expected


def test_the_short_forms_name_their_method(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    session.get(URL)
    session.post(URL, data="x")
    session.put(URL, data="x")
    session.delete(URL)
    asked = [given["method"] for verb, given in native.started if verb == "request"]
    assert asked == ["GET", "POST", "PUT", "DELETE"]


@pytest.mark.parametrize(
    "given",
    [
        {"data": "x", "json": {}},
        {"data": "secret\ud800"},
        {"headers": {"X": 1}},
        {"headers": {1: "x"}},
    ],
)
def test_what_cannot_be_sent_is_refused(session: sessionkeeper.Session, given: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        session.post(URL, **given)
    assert caught.value.__context__ is None


def test_a_deadline_for_one_request_is_not_pretended(session: sessionkeeper.Session) -> None:
    with pytest.raises(TypeError):
        session.get(URL, timeout=3)


def test_the_answer_reads_as_in_requests(session: sessionkeeper.Session) -> None:
    response = session.get(URL)
    assert (response.status_code, response.ok) == (200, True)
    assert response.json() == {"data": {"name": "ä"}}
    assert response.text == '{"data": {"name": "ä"}}'
    assert response.headers["content-TYPE"] == "application/json"
    assert response.headers["VARY"] == "a, b"
    assert response.headers.get("absent") is None
    assert "vary" in response.headers
    assert dict(response.headers.items()) == {"Content-Type": "application/json", "Vary": "a, b"}
    assert response.headers.keys() == ["Content-Type", "Vary"]
    assert len(response.headers) == 2
    response.raise_for_status()


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("ä".encode("latin-1"), "text/plain; charset=ISO-8859-1", "ä"),
        ("ä".encode(), 'text/plain; charset="utf-8"; x=y', "ä"),
        ("ä".encode(), "text/plain; charset=no-such-charset", "ä"),
        (b"\xff", "text/plain", "\ufffd"),
    ],
)
def test_text_is_decoded_as_it_says(
    native: NativeDouble, session: sessionkeeper.Session, body: bytes, kind: str, text: str
) -> None:
    native.answer("request", answer(body, kind=kind))
    assert session.get(URL).text == text


def test_a_bad_answer_is_an_error_only_when_asked(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    native.answer("request", answer(f"<p>{TOKEN}".encode(), status=503))
    response = session.get(URL)
    assert not response.ok
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="503"):
        response.raise_for_status()


def test_nothing_secret_in_repr_and_errors(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    native.answer("request", answer(f"<p>{TOKEN}".encode(), status=503))
    response = session.get(URL)
    with pytest.raises(sessionkeeper.UnexpectedAnswer) as caught:
        response.json()
    assert caught.value.__context__ is None
    shown = "".join(traceback.format_exception(None, caught.value, caught.tb))
    for text in (repr(session), repr(response), repr(response.headers), shown):
        assert TOKEN not in text
    assert "viewer@example.com" not in repr(session)


# JSON, by the compiled module where it does as Python does


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"b": [1, -1, 2**63 - 1, 1.5, True, None, 'ä\u2028"\\\n'], "a": {"": []}},
        (1, (2,)),
        1e18,
        5e-324,
    ],
)
def test_the_module_writes_the_json_of_python(value: Any) -> None:
    written = loading.native().to_json(value)
    assert written is not None
    assert json.loads(written) == json.loads(json.dumps(value))
    assert loading.native().from_json(written) == (json.loads(written),)


@pytest.mark.parametrize("value", [2**63, math.nan, {1: 2}, object(), "\ud800", b"x", {"a": {1}}])
def test_what_json_has_no_words_for_is_left_to_python(value: Any) -> None:
    assert loading.native().to_json(value) is None


def test_what_holds_itself_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert loading.native().to_json(circle) is None
    definition = {"id": circle}
    with pytest.raises(sessionkeeper.InvalidInput, match="too deeply"):
        sessionkeeper.check_provider(definition)


@pytest.mark.parametrize(
    "text",
    ['{"b": 1, "a": {"a": [1.0, 0.1, 1E5, -0.0]}}', "18446744073709551615", ' "\\ud83d\\ude00" '],
)
def test_the_module_reads_json_as_python_does(text: str) -> None:
    (read,) = loading.native().from_json(text.encode())
    assert json.dumps(read) == json.dumps(json.loads(text))


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "1 2", "18446744073709551616", '"\\ud800"', "[" * 200 + "]" * 200, "\ufeff1"],
)
def test_other_json_is_left_to_python(text: str) -> None:
    assert loading.native().from_json(text.encode()) is None


@pytest.mark.parametrize(
    "fields", [{"a b&": "ä~*/+"}, [("a", b"\xff"), ("b", 1.5)], {"c": (1, "")}]
)
def test_a_form_is_that_of_the_standard_library(fields: Any) -> None:
    assert _form(fields) == urlencode(fields, doseq=True)
