"""The main job through the Python API: the real module against the stand-in's real requests.

From logging in to a logout that the server has proved, and what comes between: restarts, renewal,
refused passwords, a server that is away, answers that prove nothing, a user who cancels.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
GRAPHQL = "https://api.angelstudios.com/graphql"
COOKIES = {
    "angel_jwt_v2",
    "angelSession_v2.0",
    "_ellis_island_session",
    "_ellis_island_web_user_remember_me",
}
OpenKeeper = Callable[..., sessionkeeper.Keeper]


def who(session: sessionkeeper.Session) -> Any:
    return session.post(GRAPHQL, json={"query": "{ me { id email name } }"})


def audited(keeper: sessionkeeper.Keeper, event: str) -> list[str]:
    return [line.outcome for line in keeper.audit() if line.event == event]


def sent_with_password(angel: StandIn) -> int:
    return sum(request["has_password"] for request in angel.journal())


def log_in_until_renewal_is_due(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    """Waits a few seconds: a token is never renewed in the first half of its life."""
    angel.settings(jwt_lifetime=4)
    keeper.login(NAME, PASSWORD)
    angel.settings(jwt_lifetime=86400)
    renew_at = keeper.schedule().renew_at
    assert renew_at is not None
    time.sleep(max(0.0, renew_at + 0.1 - time.time()))
    angel.clear_journal()


# Logging in, and staying so


def test_from_the_login_to_a_proved_logout(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    assert keeper.status().state == "signed_out"
    assert keeper.restore() is None
    session = keeper.login(NAME, PASSWORD)
    assert session.account.email == NAME
    assert session.renewable
    assert session.expires_at is not None
    assert abs(session.expires_at - time.time() - 86400) < 120
    assert set(keeper.status().cookies) >= COOKIES
    assert who(session).json()["data"]["me"]["email"] == NAME

    token = session.headers["Authorization"].split()[1]
    cookies = session.cookies
    assert angel.check(jwt=token)
    angel.clear_journal()
    report = keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "revoked", 302)
    assert set(report.cookies_cleared) >= COOKIES
    (request,) = angel.journal("/logout")
    assert request["method"] == "GET"
    assert set(request["cookies"]) >= COOKIES
    assert not angel.check(jwt=token)
    assert not angel.check(cookies=cookies)
    assert keeper.status().state == "signed_out"
    assert keeper.outbox() == []
    assert len(audited(keeper, "revoked")) == 1
    with pytest.raises(sessionkeeper.NotSignedIn):
        who(session)


def test_a_session_at_its_end_is_renewed_without_a_password(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    log_in_until_renewal_is_due(angel, keeper)
    session = keeper.restore()
    assert session is not None
    assert session.expires_at is not None
    assert session.expires_at - time.time() > 80000
    assert sent_with_password(angel) == 0
    assert angel.sessions()[-1]["renewals"] == 1
    assert "renewed" in [line.event for line in keeper.audit()]


def test_restoring_offline_sends_nothing(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    log_in_until_renewal_is_due(angel, keeper)
    assert keeper.restore(offline=True) is not None
    assert angel.journal() == []


def test_a_request_after_a_401_is_sent_once_more(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    session = keeper.login(NAME, PASSWORD)
    angel.fault("/graphql", "status:401", times=1)
    angel.clear_journal()
    assert who(session).json()["data"]["me"]["email"] == NAME
    assert len(angel.journal("/graphql")) == 2
    assert sent_with_password(angel) == 0


def test_a_session_ended_by_somebody_else_is_told(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    session = keeper.login(NAME, PASSWORD)
    angel.end_session(angel.sessions()[-1]["id"])
    with pytest.raises(sessionkeeper.SessionExpired) as caught:
        who(session)
    answer = caught.value.response
    assert answer is not None
    assert (answer.status_code, answer.url) == (401, GRAPHQL)
    with pytest.raises((sessionkeeper.SessionExpired, sessionkeeper.NotSignedIn)):
        keeper.renew()


def test_a_request_to_another_host_is_refused(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    session = keeper.login(NAME, PASSWORD)
    angel.clear_journal()
    for url in ("https://evil.example/", "http://www.angel.com/", "https://www.angel.com:444/"):
        with pytest.raises((sessionkeeper.HostNotAllowed, sessionkeeper.InvalidInput)):
            session.get(url)
    assert angel.journal() == []


# Not getting in


@pytest.mark.parametrize(
    ("setting", "field"), [("no_csrf", "_csrf_token"), ("no_password_state", "state")]
)
def test_a_page_without_its_field_names_the_field(
    angel: StandIn, keeper: sessionkeeper.Keeper, setting: str, field: str
) -> None:
    angel.settings(**{setting: True})
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match=field):
        keeper.login(NAME, PASSWORD)
    assert keeper.status().state == "signed_out"


def test_the_cookie_serves_where_the_first_page_has_no_state(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    angel.settings(no_state_input=True)
    assert keeper.login(NAME, PASSWORD).account.email == NAME


def test_a_server_that_is_away_is_not_a_wrong_password(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    angel.settings(listening=False)
    with pytest.raises(sessionkeeper.NetworkError):
        keeper.login(NAME, PASSWORD)


def test_a_certificate_of_another_host_is_a_tls_failure(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    angel.settings(tls="wrong_host")
    with pytest.raises(sessionkeeper.TlsFailure):
        keeper.login(NAME, PASSWORD)
    assert angel.journal() == []


def test_a_login_that_hangs_is_cancelled_within_a_second(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    angel.fault("/u/login", "hang")
    asked_at: list[float] = []

    def stop() -> bool:
        if not asked_at and angel.journal("/u/login"):
            asked_at.append(time.monotonic())
        return bool(asked_at)

    with pytest.raises(sessionkeeper.Cancelled):
        keeper.login(NAME, PASSWORD, stop=stop)
    assert time.monotonic() - asked_at[0] < 1.0
    assert keeper.status().state == "signed_out"


# Logging out, whatever the server does


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("status:503", "deferred"),
        ("status:429", "deferred"),
        ("reset_after_read", "deferred"),
        ("html_200", "unconfirmed"),
        ("status:403", "unconfirmed"),
        ("no_deletion", "unconfirmed"),
        ("partial_deletion", "unconfirmed"),
        ("deletion_other_domain", "unconfirmed"),
        ("status:401", "already_ended"),
    ],
)
def test_no_success_is_said_without_proof(
    angel: StandIn, keeper: sessionkeeper.Keeper, fault: str, outcome: str
) -> None:
    keeper.login(NAME, PASSWORD)
    token = keeper_token(keeper)
    # The stand-in keeps the session alive behind these answers, so no probe can prove its end.
    angel.fault("/logout", fault)
    report = keeper.logout()
    assert report.local == "cleared"
    assert report.remote == outcome
    assert keeper.status().state == "signed_out"
    if outcome == "already_ended":
        assert keeper.outbox() == []
    else:
        (entry,) = keeper.outbox()
        assert entry.last_outcome == outcome
        assert keeper.status().pending_revocations == 1
        assert audited(keeper, "revoked") == []
        angel.clear_faults()
        assert keeper.drain().revoked == 1
        assert keeper.outbox() == []
        assert not angel.check(jwt=token)


@pytest.mark.parametrize(
    ("fault", "location"),
    [
        ("deletion_with_value", None),
        ("no_location", None),
        ("wrong_location", "/"),
        ("wrong_location", "/watch/"),
        ("wrong_location", "../u/login?bye=1"),
        ("evil_host", "https://www.angel.com/error"),
    ],
)
def test_all_cookies_deleted_is_proof_wherever_the_redirect_leads(
    angel: StandIn, keeper: sessionkeeper.Keeper, fault: str, location: str | None
) -> None:
    keeper.login(NAME, PASSWORD)
    token = keeper_token(keeper)
    where = {} if location is None else {"location": location}
    angel.fault("/logout", fault, ends=True, **where)
    report = keeper.logout()
    assert (report.remote, report.status) == ("revoked", 302)
    assert set(report.server_cookies_cleared) == COOKIES
    assert not angel.check(jwt=token)
    assert [line["host"] for line in angel.journal("/logout")] == ["auth.angel.com"]


def test_a_logout_that_proves_nothing_names_the_date(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    angel.fault("/logout", "html_200")
    report = keeper.logout()
    assert report.summary_key == "signed_out_unconfirmed"
    # The remember-me cookie is the credential that lives longest: 180 days.
    assert report.expires_at is not None
    assert abs(report.expires_at - time.time() - 180 * 86400) < 120
    assert keeper.outbox()[0].expires_at == report.expires_at


def test_a_server_that_never_will_is_told_as_such(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    angel.fault("/logout", "status:404")
    outcomes = {keeper.logout().remote}
    for _ in range(3):
        keeper.drain()
        outcomes.update(entry.last_outcome for entry in keeper.outbox())
    assert "rejected" in outcomes
    assert "revoked" not in outcomes
    assert len(keeper.outbox()) == 1


def test_a_cancelled_logout_is_done_here(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    keeper.login(NAME, PASSWORD)
    angel.fault("/logout", "hang")
    began = time.monotonic()
    report = keeper.logout(stop=lambda: True)
    assert time.monotonic() - began < 1.5
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert keeper.status().state == "signed_out"
    assert len(keeper.outbox()) == 1


# Around it


def test_events_tell_each_thing_once(keeper: sessionkeeper.Keeper) -> None:
    start = keeper.newest_event()
    keeper.login(NAME, PASSWORD)
    keeper.logout()
    happened = [event.event for event in keeper.events(start)]
    assert sorted(happened) == ["login", "logout", "revoked"]


def test_details_and_schedule(keeper: sessionkeeper.Keeper) -> None:
    assert keeper.schedule() == sessionkeeper.Schedule(None, None)
    keeper.login(NAME, PASSWORD)
    details = keeper.details()
    assert details.account is not None
    assert details.account.email == NAME
    assert details.signed_in_at is not None
    assert abs(details.signed_in_at - time.time()) < 60
    renew_at = keeper.schedule().renew_at
    assert renew_at is not None
    assert details.expires_at is not None
    assert 0 < details.expires_at - renew_at <= 2 * 3600


def test_forgetting_erases_everything(keeper: sessionkeeper.Keeper) -> None:
    keeper.login(NAME, PASSWORD)
    assert keeper.forget().sessions == 1
    assert keeper.status().state == "signed_out"
    assert keeper.login(NAME, PASSWORD).account.email == NAME


def test_doctor_knows_this_machine(keeper: sessionkeeper.Keeper) -> None:
    findings = keeper.doctor()
    assert findings.versions.sessionkeeper == sessionkeeper.__version__
    assert findings.vault.is_sound
    assert findings.tls.bundled_roots > 100


def test_the_names_of_existing_add_ons(
    angel: StandIn, tmp_path: Path, open_keeper: OpenKeeper
) -> None:
    options: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        "key_dir": tmp_path / "keys",
        "ca_file": angel.ca_file,
        "resolve": angel.resolve,
        "proxy": "none",
    }
    add_on = sessionkeeper.AngelStudioSession(NAME, PASSWORD, **options)
    assert add_on.authenticate()
    assert who(add_on.get_session()).json()["data"]["me"]["email"] == NAME
    details = add_on.get_session_details()
    assert (details["login_email"], details["authenticated"]) == (NAME, True)
    angel.clear_journal()
    assert sessionkeeper.AngelStudioSession(**options).authenticate()
    assert sent_with_password(angel) == 0
    assert add_on.remote_logout()
    assert open_keeper().status().state == "signed_out"


# Bad input


def test_a_malformed_provider_names_its_key(open_keeper: OpenKeeper, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('id = "mine"\nfrobnicate = 1\n', encoding="utf-8")
    for provider in (file, {"id": "mine", "frobnicate": 1}):
        with pytest.raises(sessionkeeper.InvalidProvider, match="frobnicate"):
            open_keeper(provider).status()


def test_an_unusable_ca_file(open_keeper: OpenKeeper, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate", encoding="utf-8")
    for path in (file, tmp_path / "absent.pem"):
        with pytest.raises(sessionkeeper.InvalidInput) as caught:
            open_keeper(ca_file=path).login(NAME, PASSWORD)
        assert caught.value.hint


def test_an_unwritable_data_directory(open_keeper: OpenKeeper, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(sessionkeeper.StorageError) as caught:
        open_keeper(data_dir=file / "below").login(NAME, PASSWORD)
    assert caught.value.hint


def keeper_token(keeper: sessionkeeper.Keeper) -> str:
    session = keeper.session
    assert session is not None
    return session.headers["Authorization"].split()[1]
