"""Accounts, logouts and what comes after them, over stand-ins for Kodi's modules."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import (
    Account,
    ConfirmedLogout,
    LogoutReport,
    Permission,
    Provider,
    StoredAccount,
)
from sessionkeeper.errors import StorageError
from tests.kodi.shim import Shim
from tests.kodi.staging import ROOT

VIEWER = Account("1", "Viewer", "viewer@example.com")
OTHER = Account("2", "", "")
SERVICE = Provider("service", "Service", "", ("password",), True, True, "", ())
ANGEL = ROOT / "resources" / "providers" / "angel.toml"


def stored(
    account: Account, active: bool = False, state: str = "signed_in", renewable: bool = False
) -> StoredAccount:
    return StoredAccount("service", account, active, state, None, renewable, None)


def report(remote: str, ended: int | None = None, warning: str = "") -> LogoutReport:
    local = "already_signed_out" if remote == "nothing_to_revoke" else "cleared"
    return LogoutReport(local, remote, 200, (), 5, None, "", ended, warning, ())


class Keeper:
    provider = "service"

    def __init__(self, *accounts: StoredAccount) -> None:
        self.stored = list(accounts)
        self.answers: list[Permission] = []
        self.done: list[tuple[Any, ...]] = []
        self.report = report("revoked")
        self.is_unreadable = False
        self.is_handed_over = False

    def accounts(self) -> list[StoredAccount]:
        return self.stored

    def describe(self) -> Provider:
        return SERVICE

    def permissions(self) -> list[Permission]:
        return self.answers

    def set_permission(self, addon: str, account: str, allowed: bool) -> None:
        kept = [one for one in self.answers if (one.addon, one.account) != (addon, account)]
        self.answers = [*kept, Permission(addon, "service", account, allowed, 0)]

    def status(self) -> SimpleNamespace:
        if self.is_unreadable:
            raise StorageError("the disk says no")
        active = next((entry.account for entry in self.stored if entry.active), None)
        return SimpleNamespace(account=active, state="signed_in" if active else "signed_out")

    def has_handover(self) -> bool:
        return self.is_handed_over

    def switch(self, account: str) -> None:
        self.done.append(("switch", account))

    def logout(
        self, everywhere: bool, deadline: float, account: str | None, stop: Any
    ) -> LogoutReport:
        assert deadline == 10
        self.done.append(("logout", everywhere, account))
        return self.report

    def take_confirmations(self) -> list[ConfirmedLogout]:
        return [ConfirmedLogout("service", VIEWER), ConfirmedLogout("service", OTHER)]

    def finish_logout(self, handlers: dict[str, Any]) -> list[Any]:
        self.done.append(("finish", *handlers))
        return []


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessionkeeper, "providers", lambda: [SERVICE], raising=False)


def test_choosing_an_account_switches_to_it(shim: Shim) -> None:
    # The access of the third has ended as well, and comes back by itself.
    third = stored(Account("3", "", ""), state="expired", renewable=True)
    keeper = Keeper(stored(VIEWER, active=True), stored(OTHER, state="expired"), third)
    shim.choices = [1]
    shim.load("account_list").manage(keeper)
    assert keeper.done == [("switch", "2")]
    assert shim.told == [f"{shim.text('state_expired')}(2)"]
    (lines,) = shim.offered
    assert lines[0] == ("viewer@example.com", shim.text("account_active"))
    assert lines[1] == ("2", shim.text("account_expired"))
    assert lines[2] == ("3", shim.text("account_stays"))
    ways = ("add_account", "remove_account")
    assert [line[0] for line in lines[3:]] == [shim.text(name) for name in ways]


@pytest.mark.parametrize("choice", [0, -1])
def test_the_active_account_and_giving_up_change_nothing(shim: Shim, choice: int) -> None:
    keeper = Keeper(stored(VIEWER, active=True))
    shim.choices = [choice]
    shim.load("account_list").manage(keeper)
    assert keeper.done == []
    assert shim.told == []


def test_without_accounts_there_is_nothing_to_remove(shim: Shim) -> None:
    shim.choices = [-1]
    shim.load("account_list").manage(Keeper())
    assert [line[0] for line in shim.offered[0]] == [shim.text("add_account")]


def test_each_account_names_the_add_ons_that_may_use_it(shim: Shim) -> None:
    keeper = Keeper(stored(VIEWER, active=True), stored(OTHER))
    shim.addons = {"plugin.player": "Player", "plugin.radio": "Radio"}
    keeper.set_permission("plugin.radio", "1", True)
    keeper.set_permission("plugin.player", "1", True)
    keeper.set_permission("plugin.player", "2", False)
    keeper.set_permission("plugin.player", "of an account that is not stored", True)
    shim.choices = [-1]
    shim.load("account_list").manage(keeper)
    (lines,) = shim.offered
    used = f"{shim.text('account_used_by')}(Player, Radio)"
    assert lines[0] == ("viewer@example.com", f"{shim.text('account_active')}, {used}")
    assert lines[1] == ("2", "")
    assert lines[-1][0] == shim.text("addons_line")


def test_an_add_on_is_taken_the_account_and_given_it_again(shim: Shim) -> None:
    keeper = Keeper(stored(VIEWER, active=True), stored(OTHER))
    shim.addons = {"plugin.player": "[B]Player"}
    keeper.set_permission("plugin.player", "1", True)
    # Nothing but its id is left of it.
    keeper.set_permission("plugin.gone", "2", False)
    shim.choices = [4, 1, 1, 0, -1]
    shim.load("account_list").manage(keeper)
    may, may_not = shim.text("addon_allowed"), shim.text("addon_refused")
    first, *_, last = shim.offered[1:]
    assert first == [
        ("plugin.gone", f"{may_not}(2)"),
        ("(B)Player", f"{may}(viewer@example.com)"),
    ]
    assert shim.offered[2][1] == ("(B)Player", f"{may_not}(viewer@example.com)")
    assert last == [("plugin.gone", f"{may}(2)"), ("(B)Player", f"{may}(viewer@example.com)")]
    assert keeper.done == []


def test_an_unanswered_question_logs_nobody_out(shim: Shim) -> None:
    keeper = Keeper(stored(VIEWER, active=True))
    shim.confirms = False
    shim.load("logout").log_out(keeper)
    assert keeper.done == []


def test_the_account_of_the_question_is_ended_whoever_is_active_by_then(shim: Shim) -> None:
    keeper = Keeper(stored(VIEWER, active=True), stored(OTHER))
    logout = shim.load("logout")
    logout.log_out(keeper)
    logout.remove(keeper, OTHER)
    logout.log_out_everywhere(keeper)
    ended = [done[1:] for done in keeper.done if done[0] == "logout"]
    assert ended == [(False, "1"), (False, "2"), (True, "1")]
    questions = [question for _, question, _, _ in shim.asked]
    one, everywhere = shim.text("confirm_logout"), shim.text("confirm_logout_everywhere")
    assert questions == [
        f"{one}(viewer@example.com, Service)",
        f"{one}(2, Service)",
        f"{everywhere}(viewer@example.com, Service)",
    ]
    buttons = {asked[2:] for asked in shim.asked}
    assert buttons == {(shim.text("cancel"), shim.text("log_out"))}


def test_nobody_is_asked_where_nobody_is_logged_in(shim: Shim) -> None:
    keeper = Keeper(stored(VIEWER))
    shim.load("logout").log_out(keeper)
    assert (shim.asked, keeper.done) == ([], [])
    assert shim.told == [shim.text("already_signed_out")]


def test_what_was_never_taken_over_is_logged_out_where_nobody_is_logged_in(shim: Shim) -> None:
    keeper = Keeper()
    keeper.is_handed_over = True
    assert shim.load("logout").log_out(keeper) is keeper.report
    assert ("logout", False, None) in keeper.done
    assert [words.startswith(shim.text("signed_out")) for words in shim.told] == [True]


def test_a_disk_that_cannot_be_read_keeps_nobody_logged_in(shim: Shim) -> None:
    keeper = Keeper(stored(VIEWER, active=True))
    keeper.is_unreadable = True
    shim.load("logout").log_out(keeper)
    assert ("logout", False, None) in keeper.done
    ((_, question, *_),) = shim.asked
    assert shim.text("unknown_account") in question


def test_everywhere_says_how_many_and_never_more_than_is_known(shim: Shim) -> None:
    outcome_of = shim.load("logout").outcome_of
    many, unknown = shim.text("sessions_ended"), shim.text("sessions_ended_unknown")
    assert outcome_of(report("revoked", 3), everywhere=True).endswith(f". {many}(3)")
    assert outcome_of(report("deferred", 0), everywhere=True).endswith(f". {many}(0)")
    assert outcome_of(report("unconfirmed"), everywhere=True).endswith(f". {unknown}")
    assert many not in outcome_of(report("revoked", 1))
    nobody = outcome_of(report("nothing_to_revoke"), everywhere=True)
    assert nobody.startswith(shim.text("already_signed_out"))
    assert unknown not in nobody


def test_a_services_remark_is_a_detail_and_no_markup(shim: Shim) -> None:
    words = shim.load("logout").outcome_of(report("revoked", warning="[B]log[/B] is full" * 50))
    outcome, remark = words.split(". ", 1)
    assert outcome.startswith(shim.text("signed_out"))
    assert remark.startswith(f"{shim.text('remark')}((B)log(/B) is full")
    assert len(remark) < 220


def test_a_property_is_cleared_on_the_home_window(shim: Shim) -> None:
    shim.load("post_logout").HANDLERS["window_property"]("addon.viewer")
    assert shim.cleared == [(10000, "addon.viewer")]


def test_builtins_are_those_that_a_provider_file_may_name(shim: Shim, tmp_path: Path) -> None:
    post_logout = shim.load("post_logout")
    file = tmp_path / "mine.toml"
    names = json.dumps([*post_logout.BUILTINS, "Quit"])
    file.write_text(f"{ANGEL.read_text('utf-8')}\n[after_logout]\nbuiltins = {names}\n", "utf-8")
    (problem,) = sessionkeeper.check_provider(file).problems
    assert problem.message.startswith("'Quit'")
    assert problem.hint == f"These are: {', '.join(post_logout.BUILTINS)}."
    for name in post_logout.BUILTINS:
        post_logout.run_builtin(name)
    assert shim.builtins == list(post_logout.BUILTINS)


@pytest.mark.parametrize(
    "name", ["RunScript(anything)", "System.Exec(rm)", "UpdateLibrary(video),Quit", "updatelibrary"]
)
def test_any_other_builtin_is_refused(shim: Shim, name: str) -> None:
    post_logout = shim.load("post_logout")
    with pytest.raises(post_logout.NotAllowed):
        post_logout.run_builtin(name)
    assert shim.builtins == []


def test_a_confirmed_logout_says_who_and_where(shim: Shim) -> None:
    shim.load("logout").announce_confirmed(Keeper())
    assert shim.told == ["viewer@example.com · Service", "2 · Service"]


def test_what_fails_after_a_logout_is_a_line_in_the_log(shim: Shim) -> None:
    failed = SimpleNamespace(name="cache", outcome="failed", detail="it is locked")
    done = SimpleNamespace(name="other", outcome="done", detail="")
    shim.load("post_logout").finish(SimpleNamespace(finish_logout=lambda _: [done, failed]))
    assert [line for line, _ in shim.log] == [
        "script.sessionkeeper: after the logout, cache failed: it is locked"
    ]
    assert shim.told == []
