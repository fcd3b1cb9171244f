"""An add-on at the shared accounts, as Kodi would call it: what it may, and what it asks."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
import sessionkeeper.kodi
from sessionkeeper import Account
from tests.python.native_double import SIGNED_IN, NativeDouble, error
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
PLAYER = "plugin.video.player"
ASKED = {
    "addon": PLAYER,
    "service": "Angel Studios",
    "account": SIGNED_IN["account"],
    "answer": None,
}


class Consent(types.ModuleType):
    """The dialog: what the viewer answers, and what she was asked."""

    def __init__(self) -> None:
        super().__init__("sessionkeeper.kodi.consent")
        self.answer: bool | None = True
        self.asked: list[tuple[str, str, str]] = []

    def ask(self, addon: str, service: str, account: Account, stop: Any) -> bool | None:
        self.asked.append((addon, service, account.email))
        return self.answer


@pytest.fixture
def consent(monkeypatch: pytest.MonkeyPatch) -> Consent:
    consent = Consent()
    monkeypatch.setitem(sys.modules, "sessionkeeper.kodi.consent", consent)
    monkeypatch.setattr(sessionkeeper.kodi, "consent", consent, raising=False)
    return consent


# What is Python's alone


@pytest.mark.parametrize(
    ("known", "again", "result"),
    [
        ({"answer": True, "account": None, "addon": None}, False, True),
        ({"account": None}, False, False),
        ({"answer": True}, True, True),
        ({"answer": False}, False, False),
    ],
)
def test_nobody_is_asked_without_need(
    native: NativeDouble, consent: Consent, known: dict[str, Any], again: bool, result: bool
) -> None:
    native.answer("access", {**ASKED, **known})
    assert sessionkeeper.open().request_access(again=again) is result
    assert consent.asked == []


@pytest.mark.parametrize("before", [None, False])
@pytest.mark.parametrize("answer", [True, False, None])
def test_an_answer_is_stored_and_the_lack_of_one_is_not(
    native: NativeDouble, consent: Consent, before: bool | None, answer: bool | None
) -> None:
    native.answer("access", {**ASKED, "answer": before})
    native.answer("set_permission", None)
    consent.answer = answer
    assert sessionkeeper.open().request_access(again=before is False) is bool(answer)
    assert consent.asked == [(PLAYER, "Angel Studios", "viewer@example.com")]
    stored = [given for verb, given in native.started if verb == "set_permission"]
    account = SIGNED_IN["account"]["id"]
    given = {"addon": PLAYER, "account": account, "allowed": answer}
    assert stored == ([] if answer is None else [given])


def test_an_account_that_went_while_the_question_was_there(
    native: NativeDouble, consent: Consent
) -> None:
    native.answer("access", ASKED)
    native.answer("set_permission", error("unknown_account"))
    assert sessionkeeper.open().request_access() is False


# Over the real core


@pytest.fixture
def addon(
    monkeypatch: pytest.MonkeyPatch, angel: StandIn, keeper: sessionkeeper.Keeper, tmp_path: Path
) -> Callable[[str], sessionkeeper.Keeper]:
    """The keeper of another add-on at the viewer's data directory."""

    def opens(caller: str) -> sessionkeeper.Keeper:
        opening = types.ModuleType("sessionkeeper.kodi.opening")
        place = {"data_dir": keeper.data_dir, "caller": caller}
        opening.options = lambda *_, **__: place  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "sessionkeeper.kodi.opening", opening)
        monkeypatch.setattr(sessionkeeper.kodi, "opening", opening, raising=False)
        monkeypatch.setitem(sys.modules, "xbmc", types.ModuleType("xbmc"))
        opened = sessionkeeper.open(
            "angel", key_dir=tmp_path / "keys", ca_file=angel.ca_file, resolve=angel.resolve
        )
        monkeypatch.delitem(sys.modules, "xbmc")
        return opened

    return opens


def test_from_the_question_to_the_request(
    keeper: sessionkeeper.Keeper,
    addon: Callable[[str], sessionkeeper.Keeper],
    consent: Consent,
) -> None:
    keeper.login(NAME, PASSWORD)
    player, other = addon(PLAYER), addon("plugin.video.other")
    assert player.restore() is None
    assert player.session is None
    status = player.status()
    assert (status.state, status.account, status.usable) == ("needs_permission", None, False)
    with pytest.raises(sessionkeeper.PermissionNeeded) as refusal:
        player.renew()
    assert "request_access()" in refusal.value.hint

    assert player.request_access()
    assert player.request_access()
    assert consent.asked == [(PLAYER, "Angel Studios", NAME)]
    session = player.restore()
    assert session is not None
    assert session.account.email == NAME
    assert session.cookies

    consent.answer = False
    assert not other.request_access()
    assert not other.request_access()
    assert len(consent.asked) == 2
    assert other.restore() is None
    assert [(one.addon, one.allowed) for one in keeper.permissions()] == [
        (PLAYER, True),
        ("plugin.video.other", False),
    ]

    # Withdrawn: the session that was handed out is of no use at once.
    keeper.set_permission(PLAYER, session.account.id, False)
    with pytest.raises(sessionkeeper.PermissionNeeded):
        session.get("https://www.angel.com/account")
    with pytest.raises(sessionkeeper.PermissionNeeded):
        _ = session.cookies
    trail = [(line.detail, line.outcome) for line in keeper.audit() if line.event == "permission"]
    assert trail == [
        (PLAYER, "allowed"),
        ("plugin.video.other", "refused"),
        (PLAYER, "withdrawn"),
    ]
    assert player.logout().local == "already_signed_out"
    with pytest.raises(sessionkeeper.InvalidInput, match="forget"):
        player.forget()
    assert keeper.restore() is not None


def test_the_add_on_that_logs_in_is_asked_nothing(
    keeper: sessionkeeper.Keeper,
    addon: Callable[[str], sessionkeeper.Keeper],
    consent: Consent,
) -> None:
    player = addon(PLAYER)
    assert not player.request_access(), "nobody is logged in"
    player.login(NAME, PASSWORD)
    assert player.request_access()
    assert addon(PLAYER).restore() is not None
    assert consent.asked == []
    assert keeper.request_access(), "outside Kodi nobody is asked"
    assert player.logout().remote == "revoked"
    assert keeper.permissions() == []


def test_the_viewers_logouts_are_not_for_an_add_on(
    angel: StandIn,
    keeper: sessionkeeper.Keeper,
    addon: Callable[[str], sessionkeeper.Keeper],
) -> None:
    keeper.login(NAME, PASSWORD)
    angel.fault("/logout", "status:503")
    assert keeper.logout().remote == "deferred"
    player = addon(PLAYER)
    assert player.outbox() == []
    assert player.audit() == []
    angel.clear_faults()
    report = player.drain()
    assert (report.revoked, len(report.entries)) == (1, 0)
    assert player.take_confirmations() == []
    assert [logout.account.email for logout in keeper.take_confirmations()] == [NAME]


def test_a_service_is_described_by_its_own_file(keeper: sessionkeeper.Keeper) -> None:
    described = keeper.describe()
    found = (described.id, described.name, described.logins)
    assert found == ("angel", "Angel Studios", ("password",))
    assert described in sessionkeeper.providers()
