"""Logging out of everything and forgetting it, over stand-ins for Kodi's modules and for vaults of
which some cannot be read.
"""

from __future__ import annotations

from typing import Any

import pytest

from sessionkeeper import Account, LogoutAll, LogoutAllEntry, StoredAccount
from sessionkeeper.errors import StorageError
from tests.kodi.shim import Shim

VIEWER = Account("1", "", "viewer@example.com")


def everything(entries: tuple[LogoutAllEntry, ...], waiting: int | None) -> LogoutAll:
    return LogoutAll(entries, 0, 0, 0, 0, len(entries), waiting)


class Keeper:
    def __init__(self, *accounts: Account, waiting: int = 0, is_readable: bool = True) -> None:
        self.stored = [
            StoredAccount("service", account, True, "signed_in", None, True, None)
            for account in accounts
        ]
        self.waiting, self.is_readable = waiting, is_readable
        self.done = everything((), waiting)
        self.calls: list[str] = []

    def accounts(self, all: bool) -> list[StoredAccount]:
        assert all
        self._read()
        return self.stored

    def outbox(self) -> range:
        self._read()
        return range(self.waiting)

    def logout_all(self, **_: Any) -> LogoutAll:
        self.calls.append("logout_all")
        return self.done

    def forget(self) -> None:
        self.calls.append("forget")
        self._read()

    def finish_logout(self, _: Any) -> list[Any]:
        return []

    def _read(self) -> None:
        if not self.is_readable:
            raise StorageError("the disk says no")


class Box:
    """The shared vault and one of an add-on."""

    def __init__(self, shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shim = shim
        self.shared, self.radio = Keeper(), Keeper()
        self.texts: list[tuple[str, str]] = []
        private = shim.load("private_vaults")
        monkeypatch.setattr(private, "open_all", lambda *_: [("Radio", self.radio)])
        monkeypatch.setattr(shim.load("services"), "name", lambda provider: provider)
        dialogs = shim.load("dialogs")
        monkeypatch.setattr(dialogs, "show_text", lambda *words: self.texts.append(words))

    def log_out(self) -> None:
        self.shim.load("everything").log_out(self.shared)

    def forget(self) -> None:
        self.shim.load("stored_data").forget(self.shared)


@pytest.fixture
def box(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(shim, monkeypatch)


def failed(addon: str) -> LogoutAllEntry:
    return LogoutAllEntry(addon, "", "", None, "failed", None, None, None, "the disk says no")


def test_where_nobody_is_logged_in_nobody_is_asked_and_what_is_under_way_is_ended(box: Box) -> None:
    box.log_out()
    assert box.shared.calls == ["logout_all"]
    assert (box.shim.asked, box.texts) == ([], [])
    assert box.shim.told == [box.shim.text("already_signed_out")]


def test_logouts_that_wait_are_named_though_nobody_is_logged_in(box: Box) -> None:
    box.shared = Keeper(waiting=2)
    box.shim.confirms = False
    box.log_out()
    ((_, words),) = box.texts
    assert words == f"{box.shim.text('everything_waiting')}(2)"
    # The offer to forget the device says so as well.
    ((_, question, *_),) = box.shim.asked
    assert f"{box.shim.text('confirm_forget_waiting')}(2)" in question
    assert "forget" not in box.shared.calls


def test_a_vault_that_cannot_be_read_is_in_the_list(box: Box) -> None:
    box.radio.is_readable = False
    box.shared.done = everything((failed("script.radio"), failed("")), None)
    box.shim.addons = {"script.radio": "Radio", "script.sessionkeeper": "Sessionkeeper"}
    box.log_out()
    (_, words) = box.texts[0]
    assert words.split("\n") == [
        box.shim.text("everything_failed"),
        "•  Radio · the disk says no",
        "•  Sessionkeeper · the disk says no",
        "",
        box.shim.text("everything_waiting_unknown"),
    ]


def test_who_says_no_stays_logged_in(box: Box) -> None:
    box.shared = Keeper(VIEWER)
    box.shim.confirms = False
    box.log_out()
    assert box.shared.calls == []


def test_a_vault_that_cannot_be_read_keeps_no_other_from_being_forgotten(box: Box) -> None:
    box.shared, box.radio = Keeper(VIEWER), Keeper(is_readable=False)
    box.forget()
    ((_, question, *_),) = box.shim.asked
    assert f"{box.shim.text('confirm_forget_signed_in')}(viewer@example.com (service))" in question
    assert f"{box.shim.text('confirm_forget_unreadable')}(Radio)" in question
    assert (box.shared.calls, box.radio.calls) == (["forget"], ["forget"])
    assert box.texts == [(box.shim.text("not_forgotten"), "Radio: the disk says no")]
    assert box.shim.told == []


def test_what_is_forgotten_is_forgotten_everywhere(box: Box) -> None:
    box.forget()
    assert (box.shared.calls, box.radio.calls) == (["forget"], ["forget"])
    assert box.shim.told == [box.shim.text("forgotten")]
