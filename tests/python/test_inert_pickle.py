"""Pickles that are read without running them: those of cookie jars, and those of an attacker."""

from __future__ import annotations

import json
import os
import pickle
import random
import struct
import sys
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest

import sessionkeeper
from sessionkeeper import handover, session_file
from sessionkeeper.inert_pickle import LONGEST, Inert, Unreadable, loads
from tests.python.native_double import SIGNED_OUT, NativeDouble
from tests.session_files import cookie, pickled, requests_jar

COOKIES = [
    cookie("angel_jwt", "a.b.c"),
    cookie("päth", "ü", "www.angel.com", path="/x", expires=None),
]
FOUND = [
    ("angel_jwt", "a.b.c", ".angel.com", "/", 4102444800),
    ("päth", "ü", "www.angel.com", "/x", None),
]
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ROUNDS = int(os.environ.get("SESSIONKEEPER_FUZZ_ROUNDS", "3000"))


def found_in(directory: Path, data: bytes) -> Any:
    file = directory / "session.pkl"
    file.write_bytes(data)
    return session_file.meaning(session_file.contents(str(file)))


def as_tuples(cookies: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(one.values()) for one in cookies]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_jar_of_requests_is_read(tmp_path: Path, protocol: int) -> None:
    cookies, tokens = found_in(tmp_path, pickled(requests_jar(COOKIES), protocol))
    assert (as_tuples(cookies), tokens) == (FOUND, {})


def test_our_pickles_are_those_of_requests() -> None:
    requests = pytest.importorskip("requests")
    jar = requests.cookies.RequestsCookieJar()
    for one in COOKIES:
        jar.set_cookie(one)
    assert pickle.dumps(jar) == pickled(requests_jar(COOKIES))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_list_and_a_dictionary_are_read(tmp_path: Path, protocol: int) -> None:
    listed, _ = found_in(tmp_path, pickle.dumps(COOKIES, protocol))
    assert as_tuples(listed) == FOUND
    named = {"angel_jwt": "a.b.c", "päth": "ü"}
    assert found_in(tmp_path, pickle.dumps(named, protocol)) == (named, {})
    tokens = {"access_token": "t", "expires_at": 4102444800.5, "expires_in": 7}
    more = {**tokens, "scope": ["a"], "more": (1, None), "none": None}
    assert found_in(tmp_path, pickle.dumps(more, protocol)) == (None, tokens)


def test_a_pickle_of_python_2_is_read(tmp_path: Path) -> None:
    old = b"(dp0\nS'angel_jwt'\np1\nS'a.b\\'c'\np2\nsS\"n\"\nI7\nsS'l'\nL12L\nsS'f'\nF0.5\ns."
    assert loads(old) == {"angel_jwt": "a.b'c", "n": 7, "l": 12, "f": 0.5}
    assert found_in(tmp_path, old) == ({"angel_jwt": "a.b'c"}, {})


def test_json_is_read_as_well(tmp_path: Path) -> None:
    for text, expected in [
        ('{"angel_jwt": "x", "n": 1}', ({"angel_jwt": "x"}, {})),
        ('{"access_token": "x", "n": 1}', (None, {"access_token": "x", "n": 1})),
        (
            '{"token": {"access_token": "x"}, "cookies": {"a": "b"}}',
            ({"a": "b"}, {"access_token": "x"}),
        ),
    ]:
        assert found_in(tmp_path, text.encode()) == expected, text[:60]
    for text in ("[]", "{}", "[" * 100_000, '{"a": ' + "9" * 100_000 + "}", "{"):
        with pytest.raises(Unreadable):
            found_in(tmp_path, text.encode())
    listed = '[{"name": "a", "value": "b", "domain": ".angel.com"}, {"name": "c"}, 7]'
    assert as_tuples(found_in(tmp_path, listed.encode())[0]) == [
        ("a", "b", ".angel.com", None, None)
    ]


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    good = pickled(requests_jar(COOKIES))
    file = tmp_path / "file"
    file.write_bytes(good)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(file)
    os.mkfifo(pipe)
    for place in (link, pipe, tmp_path):
        with pytest.raises(Unreadable):
            session_file.contents(str(place))
    assert session_file.contents(str(tmp_path / "none")) == b""
    file.write_bytes(good + bytes(LONGEST))
    with pytest.raises(Unreadable):
        session_file.contents(str(file))


def test_an_erased_file_holds_nothing_in_other_places_either(tmp_path: Path) -> None:
    file, linked = tmp_path / "file", tmp_path / "linked"
    file.write_bytes(b"secret")
    with file.open("rb") as opened:
        assert session_file.erase(str(file), b"secret")
        assert opened.read() == b""
    assert not file.exists()
    # What others use under another name is theirs.
    file.write_bytes(b"shared")
    linked.hardlink_to(file)
    assert session_file.erase(str(file), b"shared")
    assert (file.exists(), linked.read_bytes()) == (False, b"shared")
    linked.unlink()
    file.write_bytes(b"elsewhere")
    linked.symlink_to(file)
    assert session_file.erase(str(linked), b"elsewhere")
    assert (linked.is_symlink(), file.read_bytes()) == (True, b"elsewhere")
    # Nor is what has been written since.
    assert session_file.erase(str(file), b"secret")
    assert file.read_bytes() == b"elsewhere"


HTTP_ONLY = "#HttpOnly_.angel.com\tTRUE\t/\tTRUE\t4102444800\ta\tb"
NETSCAPE = f"""# Netscape HTTP Cookie File
# This is a generated file! Do not edit.

{HTTP_ONLY}
angel.com\tTRUE\t/x\tFALSE\t0\tc\td
www.angel.com\tFALSE\t/\tFALSE\tsoon\te\t
angel.com\tno cookie
"""
LWP = """#LWP-Cookies-2.0
Set-Cookie3: a="b c"; path="/"; domain=".angel.com"; expires="2100-01-01 00:00:00Z"; version=0
Set-Cookie3: e=f; path="/x"; domain="www.angel.com"; expires="soon"; discard; version=0
Set-Cookie3:
"""


def test_cookie_files_of_curl_and_of_the_standard_library_are_read(tmp_path: Path) -> None:
    assert as_tuples(found_in(tmp_path, NETSCAPE.encode())[0]) == [
        ("a", "b", ".angel.com", "/", 4102444800),
        ("c", "d", ".angel.com", "/x", None),
        ("e", "", "www.angel.com", "/", None),
    ]
    assert as_tuples(found_in(tmp_path, LWP.encode())[0]) == [
        ("a", "b c", ".angel.com", "/", 4102444800),
        ("e", "f", "www.angel.com", "/x", None),
    ]
    for text in (
        "#\n",
        "# Netscape HTTP Cookie File\n",
        "#LWP-Cookies-2.0\nSet-Cookie3: " + "a;" * 60_000,
    ):
        with pytest.raises(Unreadable):
            found_in(tmp_path, text.encode())


HALF = "\ud800"


def test_what_the_core_could_not_take_is_left_out(tmp_path: Path, native: NativeDouble) -> None:
    native.answer("take_over", {"how": "later"})
    native.answer("restore", SIGNED_OUT)
    file = tmp_path / "session.json"
    good = {"name": "a", "value": "b"}
    odd: list[Any] = [{**good, "name": HALF}, {**good, "value": HALF}, {**good, "domain": HALF}]
    for held, expected in [
        ({"access_token": "t", "x": HALF, HALF: "y", "n": 2**63, "i": float("inf")}, []),
        ({"a": "b", "c": HALF, HALF: "d"}, [("a", b"b", "", "", None)]),
        ([*odd, good], [("a", b"b", "", "", None)] * 2),
    ]:
        file.write_text(json.dumps(held), "utf-8")
        assert sessionkeeper.open(adopt_file=file).restore() is None
        handed = native.arguments("take_over")["handed_over"]
        assert as_tuples(handed["cookies"]) == expected
        assert handed["tokens"] == ({} if expected else {"access_token": "t"})


def test_a_cookie_with_an_end_that_is_none_is_one_without_an_end(tmp_path: Path) -> None:
    for end in ("Wed, 21 Oct 2099 07:28:00 GMT", -1, 1e300, float("nan"), [], "9" * 99):
        held = [{"name": "a", "value": "b", "expires": end}, {"name": "c", "value": "d"}]
        found, _ = found_in(tmp_path, pickle.dumps(held))
        assert as_tuples(found) == [("a", "b", None, None, None), ("c", "d", None, None, None)]


# An attacker's


class Caller:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def sized(opcode: bytes, form: str, size: int) -> bytes:
    return opcode + struct.pack(form, size)


MANY = 20_000
# A dictionary of many items, which is under 0.
_KEYS = b"}(" + b"".join(b"M" + struct.pack("<H", n) + b"N" for n in range(MANY)) + b"uq\x00"
_OBJECT = b"chttp.cookiejar\nCookie\n)\x81"
_JAR = b"crequests.cookies\nRequestsCookieJar\n)\x81"
# Thirty lists, each with the one before it twice: printed, they would fill all memory.
_DOUBLED = b"]q\x000" + b"".join(
    b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) + b"0" for n in range(30)
)


def _cookie_of(domain: bytes) -> bytes:
    """A list of one cookie."""
    return b"]}(\x8c\x04name\x8c\x01a\x8c\x05value\x8c\x01b\x8c\x06domain" + domain + b"ua."


def _tokens_of(other: bytes) -> bytes:
    return b"}(\x8c\x0caccess_token\x8c\x01a\x8c\x05other" + other + b"u."


HOSTILE = {
    "a shell": pickle.dumps(Caller(os.system, "touch pwned")),
    "eval": pickle.dumps(Caller(eval, "open('pwned', 'w')")),
    "an import": b"cantigravity\nfly\n.",
    "an attribute of what is known": b"\x80\x04\x8c\x0ehttp.cookiejar\x8c\x0bCookie.copy\x93.",
    "another module": b"\x80\x04\x8c\x02os\x8c\x06Cookie\x93.",
    "a class that is no text": b"\x80\x04]]\x93.",
    "a call of a text": b"\x8c\x02os)R.",
    "a call with a dictionary": b"chttp.cookiejar\nCookie\n}R.",
    "keywords": b"chttp.cookiejar\nCookie\n)}\x92.",
    "an extension": b"\x82\x01.",
    "something persistent": b"Pname\n.",
    "something persistent too": b"\x8c\x01aQ.",
    "a buffer from elsewhere": b"\x97.",
    "a maker of nothing": b"ccopyreg\n_reconstructor\n)R.",
    "a state of a class": b"chttp.cookiejar\nCookie\n}b.",
    "a state of a list": b"]}b.",
    "a state that is none": b"chttp.cookiejar\nCookie\n)\x81]b.",
    "an old object": b"(chttp.cookiejar\nCookie\nK\x01o(ios\nsystem\n.",
    "no stack": b"0.",
    "no mark": b"t.",
    "no memo": b"h\x07.",
    "nothing": b"",
    "no end": b"N",
    "a cut text": sized(b"X", "<I", 100),
    "a text longer than memory": sized(b"\x8d", "<Q", 2**63),
    "bytes longer than memory": sized(b"\x8e", "<Q", 2**62),
    "a number longer than memory": sized(b"\x8b", "<I", 2**31 - 1),
    "a negative length": sized(b"\x8b", "<i", -1),
    "many digits": b"I" + b"9" * 100_000 + b"\n.",
    "many digits too": b"L" + b"9" * 100_000 + b"L\n.",
    "many digits of a fraction": b"F" + b"9" * 100_000 + b"\n.",
    "a far place in the memo": b"N" + sized(b"r", "<I", 2**32 - 1) + b"0.",
    "a deep tuple": b")" + b"\x85" * 90_000 + b".",
    "a deep key": b"})" + b"\x85" * 90_000 + b"Ns.",
    "a key that takes forever": b"})" + b"2\x86" * 40_000 + b"Ns.",
    "a long list of lists": b"]q\x00" + b"(" + b"h\x00" * 80_000 + b"e.",
    "empty dictionaries": b"}" * 99_000 + b".",
    "a dictionary that holds itself": b"}q\x00X\x07\x00\x00\x00cookiesh\x00s.",
    "a list that holds itself": b"]q\x00h\x00a.",
    "a domain of lists of lists": _DOUBLED + _cookie_of(b"h\x1e"),
    "a domain deep below": _cookie_of(b"]" * 5_000 + b"a" * 4_999),
    "a token deep below": _tokens_of(b"]" * 5_000 + b"a" * 4_999),
    "tokens of lists of lists": _DOUBLED + _tokens_of(b"h\x1e"),
    "one long text in many places": (
        b"X"
        + struct.pack("<I", 100_000)
        + b"x" * 100_000
        + b"q\x000}("
        + b"X\x0c\x00\x00\x00access_tokenX\x01\x00\x00\x00a"
        + b"".join(b"X\x05\x00\x00\x00%05dh\x00" % n for n in range(8_000))
        + b"u."
    ),
    "numbers of one hash": (
        b"}("
        + b"".join(
            b"\x8a\x0a" + (n * (2**61 - 1)).to_bytes(10, "little") + b"N" for n in range(18_000)
        )
        + b"u."
    ),
    "many copies of a state": _KEYS + b"0" + (_OBJECT + b"h\x00b0") * 4_000 + b"N.",
    "a jar of the same again and again": (
        _KEYS.replace(b"N", b"N")
        + b"0"
        + _JAR
        + b"}X\x08\x00\x00\x00_cookies"
        + b"}q\x01("
        + b"".join(b"M" + struct.pack("<H", n) + b"h\x00" for n in range(9_000))
        + b"us"
        + b"b."
    ),
}


@contextmanager
def nothing_happens() -> Iterator[None]:
    """Python is asked to do nothing meanwhile."""
    _heard.clear()
    _listening.append(True)
    try:
        yield
    finally:
        _listening.clear()
    assert _heard == []


_heard: list[str] = []
_listening: list[bool] = []
# Loading a module, running code, opening a file, starting a process.
_DOING = (
    "import",
    "exec",
    "compile",
    "open",
    "os.",
    "subprocess.",
    "socket.",
    "marshal.",
    "pickle.",
)


def _hear(event: str, _: Any) -> None:
    if _listening and event.startswith(_DOING):
        _heard.append(event)


sys.addaudithook(_hear)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_runs_nothing_and_takes_neither_time_nor_memory(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    data = HOSTILE[name]
    assert len(data) <= LONGEST
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with nothing_happens():
            handover.options(*session_file._meaning(loads(data)))
    except Unreadable as error:
        assert error.__context__ is None  # noqa: PT017
    took, (_, most) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 5, took
    assert most < 64 << 20, most
    assert list(tmp_path.iterdir()) == []


def test_lists_and_great_numbers_go_nowhere() -> None:
    for name in ("a domain of lists of lists", "a domain deep below"):
        (found,), _ = session_file._meaning(loads(HOSTILE[name]))
        assert found["domain"] is None
    for name in ("a token deep below", "tokens of lists of lists"):
        assert session_file._meaning(loads(HOSTILE[name])) == (None, {"access_token": "a"})
    with pytest.raises(Unreadable, match="key"):
        loads(HOSTILE["numbers of one hash"])
    with pytest.raises(Unreadable, match="long"):
        session_file._meaning(loads(HOSTILE["one long text in many places"]))


def test_what_an_attacker_calls_is_refused() -> None:
    for name in ("a shell", "eval", "an import", "an attribute of what is known", "another module"):
        with pytest.raises(Unreadable, match="class"):
            loads(HOSTILE[name])


def test_random_pickles_run_nothing() -> None:
    chance = random.Random(9)
    seeds = [pickled(requests_jar(COOKIES), protocol) for protocol in PROTOCOLS]
    seeds += [pickle.dumps(COOKIES, protocol) for protocol in PROTOCOLS]
    seeds += [data[:4000] for data in HOSTILE.values()]
    read = 0
    for _ in range(ROUNDS):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(data) + 1)
            other = chance.choice(seeds)
            piece = other[chance.randrange(len(other) + 1) :][: chance.randrange(40)]
            data[place : place + chance.randrange(40)] = chance.choice(
                [piece, bytes([chance.randrange(256)]), b"", b".", b"R", b"b"]
            )
        start = time.perf_counter()
        try:
            with nothing_happens():
                session_file._meaning(loads(bytes(data[:LONGEST])))
            read += 1
        except Unreadable:
            pass
        assert time.perf_counter() - start < 2
    assert read > ROUNDS // 100, "none of them can be read: that tells nothing"


def test_an_object_is_a_name_and_a_state() -> None:
    held = loads(pickled(requests_jar(COOKIES)))
    assert type(held) is Inert
    assert held.name == "RequestsCookieJar"
    assert type(held.state["_policy"]) is Inert
