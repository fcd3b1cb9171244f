"""Requests through the session: the arguments of requests become those of the core, and back."""

from __future__ import annotations

import io
import json
import math
import traceback
from collections.abc import Mapping
from typing import Any, Callable
from urllib.parse import urlencode

import pytest

import sessionkeeper
from sessionkeeper import loading
from sessionkeeper.response import Headers
from sessionkeeper.session import _form
from tests.python.native_double import ANSWER, SIGNED_IN, NativeDouble

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
    url = f"{URL}?token={TOKEN}"
    return {**ANSWER, "status": status, "url": url, "headers": headers, "body": body}


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
        ({"data": {}, "json": {"a": 1}}, b'{"a": 1}', "application/json"),
        ({"data": {}}, None, None),
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
        ("https://a/?x=1", "y=2&z", "https://a/?x=1&y=2&z"),
        ("https://a/", b"y=\xc3\xa4", "https://a/?y=%C3%A4"),
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
    session.patch(URL, data="x")
    session.delete(URL)
    session.options(URL)
    session.head(URL)
    session.head(URL, allow_redirects=True)
    asked = [given for verb, given in native.started if verb == "request"]
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "HEAD"]
    assert [given["method"] for given in asked] == methods
    assert [given.get("allow_redirects", True) for given in asked] == [True] * 6 + [False, True]


@pytest.mark.parametrize(
    "given",
    [
        {"data": "x", "json": {}},
        {"data": "secret\ud800"},
        {"headers": {"X": 1}},
        {"headers": {1: "x"}},
        {"data": io.BytesIO(b"film")},
        {"data": (piece for piece in [b"film"])},
        {"data": 5},
        {"data": ["film"]},
        {"params": 5},
        {"params": [b"ab"]},
        {"params": {"a"}},
    ],
)
def test_what_cannot_be_sent_is_refused(session: sessionkeeper.Session, given: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        session.post(URL, **given)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, {}),
        (3, {"timeout": 3}),
        (0.5, {"timeout": 0.5}),
        ((3.05, 27), {"connect_timeout": 3.05, "timeout": 27}),
        ((None, 27), {"connect_timeout": None, "timeout": 27}),
    ],
)
def test_a_timeout_is_that_of_requests(
    native: NativeDouble, session: sessionkeeper.Session, timeout: Any, expected: Any
) -> None:
    session.get(URL, timeout=timeout)
    sent = native.arguments("request")
    assert {name: value for name, value in sent.items() if "timeout" in name} == expected


@pytest.mark.parametrize("timeout", ["3", (1, 2, 3), (), True, ("a", 1)])
def test_a_timeout_that_says_nothing_is_refused(
    session: sessionkeeper.Session, timeout: Any
) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="timeout"):
        session.get(URL, timeout=timeout)


@pytest.mark.parametrize(
    ("option", "value", "instead"),
    [
        ("verify", False, "ca_file"),
        ("verify", "/etc/ca.pem", "ca_file"),
        ("cert", "client.pem", "certificate"),
        ("auth", ("name", "canary"), "log in"),
        ("cookies", {"a": "canary"}, "Leave it out"),
        ("files", {"a": b"canary"}, "data="),
        ("proxies", {"https": "http://p:1"}, "open(proxy="),
        ("hooks", {"response": print}, "response"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    native: NativeDouble, session: sessionkeeper.Session, option: str, value: Any, instead: str
) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match=f"^{option} cannot be given: ") as caught:
        session.get(URL, **{option: value})
    assert instead in caught.value.hint
    assert "canary" not in f"{caught.value}{caught.value.hint}"
    session.get(URL, **{option: None})
    session.get(URL, verify=True)
    if option != "verify":
        session.get(URL, **{option: type(value)()})
    with pytest.raises(TypeError, match="frobnicate"):
        session.get(URL, frobnicate=None)
    sent = [verb for verb, _ in native.started if verb == "request"]
    assert len(sent) == (2 if option == "verify" else 3)


def test_a_session_and_a_response_are_left_as_in_requests(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    with session as entered, entered.get(URL) as response:
        assert entered is session
    session.close()
    assert response.json() == {"data": {"name": "ä"}}
    assert session.get(URL).ok
    assert not [verb for verb, _ in native.started if verb == "close_stream"]


def test_the_headers_of_a_session_are_to_be_looked_at(session: sessionkeeper.Session) -> None:
    headers: Any = session.headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers.get("AUTHORIZATION") == headers.values()[0]
    assert isinstance(headers, Mapping)
    assert dict(headers) == {**headers} == {"Authorization": f"Bearer {TOKEN}"}
    assert headers == {"authorization": f"Bearer {TOKEN}"}
    assert headers != {}
    assert TOKEN not in f"{headers!r}{headers}"

    def assign() -> None:
        headers["X"] = "y"

    def remove() -> None:
        del headers["Authorization"]

    for write in (
        assign,
        remove,
        lambda: headers.update({"X": "y"}),
        lambda: headers.update(X="y"),
        lambda: headers.pop("Authorization", None),
        lambda: headers.setdefault("X", "y"),
        headers.clear,
        headers.popitem,
    ):
        with pytest.raises(sessionkeeper.InvalidInput, match="cannot be changed") as caught:
            write()
        assert "open(headers=" in caught.value.hint
    with pytest.raises(sessionkeeper.InvalidInput):
        headers |= {"X": "y"}


def test_the_cookies_of_a_session_are_to_be_looked_at(session: sessionkeeper.Session) -> None:
    cookies: Any = session.cookies
    assert cookies == dict(cookies) == {**cookies} == {"angel_jwt_v2": TOKEN}
    assert json.loads(json.dumps(cookies)) == cookies.copy()
    assert TOKEN not in f"{cookies!r}{cookies}"
    writes: list[Callable[[], object]] = [
        lambda: cookies.__setitem__("a", "b"),
        lambda: cookies.__delitem__("angel_jwt_v2"),
        lambda: cookies.update({"a": "b"}),
        lambda: cookies.pop("angel_jwt_v2"),
        lambda: cookies.setdefault("a", "b"),
        cookies.clear,
        cookies.popitem,
    ]
    for write in writes:
        with pytest.raises(sessionkeeper.InvalidInput, match="cookies cannot be changed"):
            write()
    with pytest.raises(sessionkeeper.InvalidInput):
        cookies |= {"a": "b"}
    assert session.cookies == {"angel_jwt_v2": TOKEN}


def test_headers_of_every_request_are_the_keepers(native: NativeDouble) -> None:
    sessionkeeper.open(headers=Headers([["User-Agent", "film/1"]]), max_body=1000)  # type: ignore[arg-type]
    assert native.opened[-1]["headers"] == {"User-Agent": "film/1"}
    assert native.opened[-1]["max_body"] == 1000


def test_the_answer_reads_as_in_requests(session: sessionkeeper.Session) -> None:
    response = session.get(URL)
    assert (response.status_code, response.ok, response.reason) == (200, True, "OK")
    assert bool(response) is True
    assert response.is_unauthenticated is False
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
    response = session.get(URL)
    assert response.text == text
    response.encoding = "ascii"
    assert response.text == body.decode("ascii", "replace")
    response.encoding = None
    assert response.text == text


def test_a_bad_answer_is_an_error_only_when_asked(
    native: NativeDouble, session: sessionkeeper.Session
) -> None:
    native.answer("request", answer(f"<p>{TOKEN}".encode(), status=503))
    response = session.get(URL)
    assert not response.ok
    assert not response
    with pytest.raises(sessionkeeper.HttpError, match="503") as caught:
        response.raise_for_status()
    assert caught.value.response is response
    assert caught.value.status_code == 503
    assert isinstance(caught.value, sessionkeeper.UnexpectedAnswer)
    assert caught.value.code == "unexpected_answer"


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
    assert _form(fields, "data") == urlencode(fields, doseq=True)
