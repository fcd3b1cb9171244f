"""One invocation of an add-on, in stages: import, restore, a request, the next request.

Run by its path in a fresh interpreter, or by Kodi as an add-on's script, with three arguments: the
subject, the directory, the file for the result. It writes when each stage ended: wall clock and CPU
of this thread, in seconds. It imports nothing that a subject would have to import.
"""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

GRAPHQL = "https://api.angelstudios.com/graphql"
QUERY = {"query": "{ me { email } }"}


def empty(_: str) -> Iterator[None]:
    """What Kodi itself takes."""
    yield from ()


def with_sessionkeeper(directory: str) -> Iterator[None]:
    import sessionkeeper

    yield
    import os

    resolve = os.environ["BENCH_RESOLVE"].split(",")
    viewer = os.environ.get("BENCH_VIEWER")
    if viewer:  # in Kodi, at the viewer's accounts; the first run logs her in
        keeper = sessionkeeper.open("angel", resolve=resolve)
        session: Any = keeper.restore() or keeper.login(*viewer.split("\n"))
    else:
        keeper = sessionkeeper.open(
            "angel",
            data_dir=directory + "/data",
            key_dir=directory + "/keys",
            ca_file=os.environ["BENCH_CA_FILE"],
            resolve=resolve,
        )
        session = keeper.restore()
    expect("@" in session.account.email)
    yield
    for _ in range(2):
        expect(session.post(GRAPHQL, json=QUERY).status_code == 200)
        yield


def with_requests(directory: str) -> Iterator[None]:
    sys.path.append(directory + "/peers")
    import requests

    yield
    import pickle

    session = requests.Session()
    with open(directory + "/requests.pickle", "rb") as file:
        session.cookies = pickle.load(file)  # noqa: S301 - as add-ons do
    yield
    session.verify = connect_to_stand_in()
    yield from two_requests(session)


def with_httpx(directory: str) -> Iterator[None]:
    import httpx

    yield
    import json
    import ssl

    with open(directory + "/cookies.json", encoding="utf-8") as file:
        cookies = json.load(file)
    context = ssl.create_default_context(cafile=connect_to_stand_in())
    session = httpx.Client(cookies=cookies, verify=context)
    yield
    yield from two_requests(session)


def two_requests(session: Any) -> Iterator[None]:
    for _ in range(2):
        headers = {"Authorization": "Bearer " + session.cookies["angel_jwt_v2"]}
        expect(session.post(GRAPHQL, json=QUERY, headers=headers).status_code == 200)
        yield


def with_msal_extensions(directory: str) -> Iterator[None]:
    import msal_extensions  # type: ignore[import-untyped,unused-ignore]

    yield
    import json

    cookies = json.loads(msal_extensions.FilePersistence(directory + "/cookies.json").load())
    expect(cookies["angel_jwt_v2"])
    yield


SUBJECTS = {
    "empty": empty,
    "sessionkeeper": with_sessionkeeper,
    "requests": with_requests,
    "httpx": with_httpx,
    "msal-extensions": with_msal_extensions,
}


def expect(condition: object) -> None:
    """Not an assert: Kodi's Python skips those, and with them the work inside."""
    if not condition:
        raise RuntimeError("this is not what was to be measured")


def environment(ca_file: str, resolve: list[str]) -> dict[str, str]:
    """Tells an invocation where the server is."""
    return {"BENCH_CA_FILE": ca_file, "BENCH_RESOLVE": ",".join(resolve)}


def connect_to_stand_in() -> str:
    """Sends Python's own sockets where BENCH_RESOLVE says; returns the CA file."""
    import os
    import socket

    places: dict[str, tuple[str, int]] = {}
    for one in os.environ["BENCH_RESOLVE"].split(","):
        host, port, address = one.split(":")
        places[host] = (address, int(port))
    look_up: Any = socket.getaddrinfo

    def look_up_here(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        return look_up(*places.get(host, (host, port)), *rest, **named)

    socket.getaddrinfo = look_up_here
    return os.environ["BENCH_CA_FILE"]


def main(name: str, directory: str, result: str) -> None:
    marks = [(time.perf_counter(), time.thread_time())]
    for _ in SUBJECTS[name](directory):
        marks.append((time.perf_counter(), time.thread_time()))  # noqa: PERF401 - the clock counts
    import os

    with open(result + ".new", "w", encoding="utf-8") as out:
        out.write(f"{sys.version.split()[0]}\n")
        out.writelines(f"{wall} {cpu}\n" for wall, cpu in marks)
    os.replace(result + ".new", result)  # whole as soon as it is there


if __name__ == "__main__":
    main(*sys.argv[1:4])
