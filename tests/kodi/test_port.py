"""The first update of an add-on that kept its session itself: it signs nobody out, and leaves no
copy in the clear. The add-on beside this file makes the calls of the public one for Angel Studios.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canaries import Search
from tests.kodi import profile
from tests.kodi.harness import Kodi
from tests.servers.browser import Browser
from tests.servers.fixture import StandIn
from tests.session_files import pickled, requests_jar

PORTED_ID = "plugin.video.ported"
PORTED = Path(__file__).with_name(PORTED_ID)
# Nobody can log in with it: whoever is logged in was taken over.
OLD_PASSWORD = "not the password any more"


@pytest.fixture
def browser(server: StandIn) -> Browser:
    """What the add-on did in version 1."""
    browser = Browser(server)
    browser.log_in(*server.VIEWER)
    return browser


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi) -> Kodi:
    kodi = unstarted_kodi
    ported = kodi.add_addon(PORTED) / "resources" / "lib" / "angel_authentication.py"
    text = ported.read_text("utf-8")
    # The server's certificate is nobody's but ours: what an add-on trusts, it says itself.
    trusting = f'["jwt_token"], ca_file={kodi.server.ca_file!r}'  # type: ignore[union-attr]
    assert text.count('["jwt_token"]') == 1
    ported.write_text(text.replace('["jwt_token"]', trusting), "utf-8")
    settings(kodi)
    return kodi


def data_directory(kodi: Kodi) -> Path:
    return kodi.data_directory.with_name(PORTED_ID)


def settings(kodi: Kodi, **more: str) -> None:
    known = {"username": StandIn.VIEWER[0], "password": OLD_PASSWORD}
    profile.write_settings(data_directory(kodi), {**known, **more})


def leave_a_session_file(kodi: Kodi, browser: Browser) -> Path:
    file = data_directory(kodi) / "angel_session.pkl"
    file.write_bytes(pickled(requests_jar(browser.jar)))
    return file


def listing(kodi: Kodi, action: str = "") -> list[str]:
    query = f"?action={action}" if action else ""
    answer = kodi.rpc("Files.GetDirectory", directory=f"plugin://{PORTED_ID}/{query}")
    return [entry["label"] for entry in answer.get("files") or []]


def alive(server: StandIn) -> list[str]:
    return [session["id"] for session in server.sessions() if session["alive"]]


def in_the_clear(kodi: Kodi, browser: Browser) -> list[str]:
    search = Search(browser.cookies())
    files = [path for path in kodi.profile.rglob("*") if path.is_file()]
    return [found for path in files for found in search.content(str(path), path.read_bytes())]


NOT_ASKED_AGAIN = "/u/login"


def test_a_session_file_is_taken_over_and_every_call_goes_on(
    unstarted_kodi: Kodi, server: StandIn, browser: Browser
) -> None:
    kodi = unstarted_kodi
    file = leave_a_session_file(kodi, browser)
    (before,) = alive(server)
    server.clear_journal()
    try:
        kodi.start()
        hello = [f"token: True, cookies: {len(browser.jar)}", f"email: {server.VIEWER[0]}"]
        assert listing(kodi) == hello
        assert not file.exists()
        assert listing(kodi, "check") == ["valid"]
        details = listing(kodi, "details")
        assert f"login_email: {server.VIEWER[0]}" in details
        assert {"authenticated: True", "jwt_present: True", f"session_file: {file}"} <= set(details)
        kodi.kill()
        kodi.start()
        assert listing(kodi) == hello
        assert (alive(server), server.journal(NOT_ASKED_AGAIN)) == ([before], [])
        assert in_the_clear(kodi, browser) == []

        assert listing(kodi, "logout") == ["logged out"]
        assert alive(server) == []
        assert listing(kodi)[0].startswith("CredentialsRefused")
        assert "Traceback" not in kodi.logs()
    finally:
        kodi.close()


def test_while_the_server_is_away_the_file_waits(
    unstarted_kodi: Kodi, server: StandIn, browser: Browser
) -> None:
    kodi = unstarted_kodi
    file = leave_a_session_file(kodi, browser)
    try:
        kodi.start()
        server.stop()
        assert listing(kodi)[0].partition(":")[0] in {"NetworkError", "Timeout", "TlsFailure"}
        assert file.exists()
        server.start()
        assert listing(kodi)[1] == f"email: {server.VIEWER[0]}"
        assert not file.exists()
        assert len(alive(server)) == 1
    finally:
        kodi.close()


def test_a_token_in_the_settings_is_taken_over_and_the_setting_emptied(
    unstarted_kodi: Kodi, server: StandIn, browser: Browser
) -> None:
    kodi = unstarted_kodi
    settings(kodi, jwt_token=browser.cookies()["angel_jwt_v2"])
    server.clear_journal()
    try:
        kodi.start()
        assert in_the_clear(kodi, browser) != []
        for _ in range(2):
            assert listing(kodi)[1] == f"email: {server.VIEWER[0]}"
        assert in_the_clear(kodi, browser) == []
        kept = (data_directory(kodi) / "settings.xml").read_text("utf-8")
        assert server.VIEWER[0] in kept
        assert server.journal(NOT_ASKED_AGAIN) == []
    finally:
        kodi.close()
