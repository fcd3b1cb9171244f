"""Whose accounts an add-on opens, the question for the viewer, and the buttons of other add-ons,
over stand-ins for Kodi's modules.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest

import sessionkeeper
from sessionkeeper import Account, Permission, Provider
from sessionkeeper.errors import InvalidInput, NetworkError, StorageError
from tests.kodi.shim import Shim

SHARED = "/profile/addon_data/script.sessionkeeper"
OWN = "/profile/addon_data/script.caller"
VIEWER = Account("1", "Viewer", "[B]viewer@example.com")
NETWORK = {
    "proxy": "http://proxy.example:3128",
    "timeout": 30.0,
    "connect_timeout": 10.0,
    "answer_timeout": 15.0,
    "logout_deadline": 10.0,
    "renewal_margin": 1800,
    "log_level": "debug",
    "ca_file": "/home/ca.pem",
}


@pytest.fixture
def options(shim: Shim) -> Callable[..., dict[str, Any]]:
    """With a proxy, a certificate and a log level in Sessionkeeper's settings."""
    shim.settings = {
        "proxy_mode": "own",
        "proxy_address": "proxy.example:3128",
        "ca_file": "/home/ca.pem",
        "log_level": "debug",
    }

    def options(data_dir: str | None = None, private: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = shim.load("opening").options(data_dir, private=private)
        # Where provider files are, in test_shim_sources.py.
        assert found.pop("sources") is not None
        assert found.pop("use_stored") is False
        return found

    return options


def test_the_accounts_are_the_viewers_and_so_is_the_network(
    options: Callable[..., dict[str, Any]],
) -> None:
    shared = {"data_dir": SHARED, "caller": "script.caller", **NETWORK}
    assert options() == shared
    assert options(SHARED) == shared, "whoever names the place is asked for as well"


def test_a_private_vault_is_the_add_ons_alone(options: Callable[..., dict[str, Any]]) -> None:
    registered = {"register_in": SHARED, "addon": "script.caller"}
    assert options(private=True) == {"data_dir": OWN, **registered}
    assert options("/elsewhere") == {"data_dir": "/elsewhere", **registered}


def test_the_shared_place_is_the_same_by_another_name(
    shim: Shim, options: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    shim.profile = f"{tmp_path}/"
    shared = tmp_path / "addon_data" / "script.sessionkeeper"
    shared.mkdir(parents=True)
    other = tmp_path / "link"
    other.symlink_to(shared)
    assert options(str(other)) == {"data_dir": str(shared), "caller": "script.caller", **NETWORK}


def test_a_place_of_its_own_is_the_way_out_where_the_profile_is_on_a_share(
    shim: Shim, options: Callable[..., dict[str, Any]]
) -> None:
    shim.profile = "smb://box/share/"
    assert options("/elsewhere") == {"data_dir": "/elsewhere"}
    for private in (True, False):
        with pytest.raises(StorageError):
            options(private=private)


def test_nobody_asks_sessionkeeper_itself(
    shim: Shim, options: Callable[..., dict[str, Any]]
) -> None:
    shim.caller = "script.sessionkeeper"
    assert options() == {"data_dir": SHARED}


def test_a_script_of_no_add_on_is_told_what_to_do(
    shim: Shim, options: Callable[..., dict[str, Any]]
) -> None:
    shim.caller = ""
    for private in (False, True):
        with pytest.raises(InvalidInput) as refusal:
            options(private=private)
        assert "data_dir" in refusal.value.hint
    assert options("/elsewhere") == {"data_dir": "/elsewhere"}


# The question


def press(control: int) -> Callable[[Any], None]:
    return lambda window: window.onClick(control)


def leave(window: Any) -> None:
    window.onAction(SimpleNamespace(getId=lambda: 92))


@pytest.mark.parametrize(("does", "answer"), [(press(21), True), (press(22), False), (leave, None)])
def test_only_a_button_is_an_answer(
    shim: Shim, does: Callable[[Any], None], answer: bool | None
) -> None:
    shim.addons, shim.does = {"plugin.player": "[B]Player"}, does
    consent = shim.load("consent")
    assert consent.ask("plugin.player", "Service", VIEWER) is answer
    assert shim.shown[consent.HEADING] == f"{shim.text('permission_heading')}((B)Player)"
    question = f"{shim.text('permission_question')}((B)viewer@example.com, Service)"
    assert shim.shown[consent.QUESTION] == question
    assert shim.shown[consent.ICON] == "/plugin.player/icon.png"
    assert shim.focus == consent.NOT_NOW
    assert shim.visible == ""


def test_a_question_that_is_on_the_screen_is_not_asked_twice(shim: Shim) -> None:
    again: list[bool | None] = []
    consent = shim.load("consent")

    def ask_again(window: Any) -> None:
        again.append(consent.ask("script.caller", "Service", VIEWER))
        window.onClick(consent.ALLOW)

    shim.does = ask_again
    assert consent.ask("script.caller", "Service", VIEWER) is True
    assert again == [None]


def test_an_add_on_that_ends_answers_nothing(shim: Shim) -> None:
    assert shim.load("consent").ask("script.caller", "Service", VIEWER, lambda: True) is None
    assert shim.visible == ""


# The dialogs for other add-ons


class Keeper:
    """Of an add-on, or the viewer's where it needs no permission."""

    def __init__(self, state: str = "signed_out", account: Account | None = None) -> None:
        self.state, self.account = state, account
        self.allows, self.ends_meanwhile = True, False
        self.done: list[tuple[Any, ...]] = []
        self.answers: list[Permission] = []
        self.logins: tuple[str, ...] = ("password",)
        self.addresses: list[str] = []

    def describe(self) -> Provider:
        return Provider("mine", "My service", "", self.logins, True, True, "", ())

    def status(self) -> SimpleNamespace:
        usable = self.state == "signed_in"
        return SimpleNamespace(state=self.state, account=self.account, usable=usable)

    def unencrypted(self) -> list[str]:
        return self.addresses

    def allow_unencrypted(self, address: str) -> None:
        self.done.append(("allow_unencrypted", address))

    def has_handover(self) -> bool:
        return False

    def request_access(self, again: bool) -> bool:
        self.done.append(("request_access", again))
        return self.allows

    def restore(self) -> str | None:
        if self.allows and self.ends_meanwhile:
            self.state = "signed_out"
            return None
        return "the session"

    def accounts(self) -> list[Any]:
        return []

    def permissions(self) -> list[Permission]:
        return self.answers

    def set_permission(self, addon: str, account: str, allowed: bool) -> None:
        self.done.append((addon, account, allowed))

    def take_log(self) -> list[Any]:
        return []


def test_where_somebody_is_logged_in_the_viewer_is_asked_for_that(shim: Shim) -> None:
    kodi = shim.load("login") and __import__("sessionkeeper.kodi", fromlist=["log_in"])
    keeper = Keeper("needs_permission")
    assert kodi.log_in(keeper) == "the session"
    keeper.allows = False
    assert kodi.log_in(keeper) is None
    assert keeper.done == [("request_access", True)] * 2
    assert shim.told == []


def test_what_the_viewer_allows_may_have_ended(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    login = shim.load("login")
    monkeypatch.setattr(login, "with_password", lambda keeper, service: "a new session")
    keeper = Keeper("needs_permission")
    keeper.ends_meanwhile = True
    assert login.log_in(keeper) == "a new session"


def test_of_several_ways_in_the_viewer_chooses(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    login = shim.load("login")
    for way in ("with_password", "with_code"):
        monkeypatch.setattr(login, way, lambda keeper, service, way=way: way)
    keeper = Keeper()
    keeper.logins = ("device_code", "password")
    for choice, way in ((0, "with_code"), (1, "with_password"), (-1, None)):
        shim.choices = [choice]
        assert login.log_in(keeper) == way


def test_without_encryption_nothing_is_asked_before_the_viewer_agrees(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = shim.load("login")
    monkeypatch.setattr(login, "with_password", lambda keeper, service: "a session")
    keeper = Keeper()
    keeper.addresses = ["http://192.168.1.5:8096"]
    shim.confirms = False
    assert (login.log_in(keeper), keeper.done) == (None, [])
    title, question, _, yes = shim.asked[-1]
    assert (title, yes) == (shim.text("not_encrypted"), shim.text("log_in_anyway"))
    assert "http://192.168.1.5:8096" in question
    shim.confirms = True
    assert login.log_in(keeper) == "a session"
    assert keeper.done == [("allow_unencrypted", "http://192.168.1.5:8096")]


def test_an_add_on_without_permission_neither_logs_out_nor_is_kept_from_another_account(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper("needs_permission", VIEWER)
    assert shim.load("logout").log_out(keeper) is None
    assert shim.told == [shim.text("error_needs_permission")]
    monkeypatch.setattr(
        shim.load("login"), "with_password", lambda keeper, service: "another's session"
    )
    shim.choices = [0]
    shim.load("account_list").manage(keeper)
    assert shim.told[1:] == [shim.text("logged_in")]
    assert keeper.done == []


def test_what_goes_wrong_is_shown_and_not_raised(shim: Shim) -> None:
    kodi = shim.load("logout") and __import__("sessionkeeper.kodi", fromlist=["log_out"])

    class Broken(Keeper):
        def status(self) -> SimpleNamespace:
            raise NetworkError("no way there")

    for dialog in (kodi.log_in, kodi.log_out):
        assert dialog(Broken()) is None
    assert len([words for words in shim.told if "no way there" in words]) == 2


# The buttons of other add-ons


@pytest.fixture
def button(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[tuple[str, dict[str, str]]]]:
    """Presses one, and gives what was opened for it. The keeper is the viewer's."""
    opened: list[tuple[str, dict[str, str]]] = []
    keeper = Keeper()

    def opens(provider: str, parameters: dict[str, str], stop: Any) -> Keeper:
        opened.append((provider, parameters))
        return keeper

    def press(*arguments: str) -> list[tuple[str, dict[str, str]]]:
        settings, actions = shim.load("settings"), shim.load("actions")
        monkeypatch.setattr(shim.load("machine"), "misfit", lambda: None)
        monkeypatch.setattr(settings, "open_service", opens)
        monkeypatch.setattr(settings, "open_any", lambda _: (keeper, True))
        monkeypatch.setattr(shim.load("status_display"), "show", lambda *_: None)
        actions.main(actions.find(list(arguments)), list(arguments))
        return opened

    shim.addons = {"plugin.player": "Player"}
    return press


def test_a_button_logs_out_and_opens_its_settings_again(
    shim: Shim, button: Callable[..., list[Any]]
) -> None:
    opened = button("logout", "provider=oidc", "issuer=https://a/?b=c", "settings=plugin.player")
    assert opened == [("oidc", {"issuer": "https://a/?b=c"})]
    assert shim.told == [shim.text("already_signed_out")]
    assert shim.builtins == ["Addon.OpenSettings(plugin.player)"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["forget", "provider=angel"], "button_wrong_verb"),
        (["forget", "settings=plugin.player"], "button_wrong_verb"),
        (["logout", "settings=plugin.player"], "button_no_provider"),
        (["logout", "provider=", "settings=plugin.player"], "button_no_provider"),
        (["logout", "provider=angel", "settings=plugin.gone"], "button_no_addon"),
    ],
)
def test_a_button_that_cannot_be_meant_says_why(
    shim: Shim, button: Callable[..., list[Any]], arguments: list[str], told: str
) -> None:
    assert button(*arguments) == []
    (words,) = shim.told
    assert shim.text(told) in words
    assert "OpenSettings(plugin.gone)" not in str(shim.builtins)
    assert any(shim.text(told) in line for line, _ in shim.log)


def test_sessionkeepers_own_buttons_are_as_before(
    shim: Shim, button: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shim.load("settings"), "open_keeper", lambda _: Keeper())
    assert button("logout", "settings") == []
    assert shim.told == [shim.text("already_signed_out")]
    assert shim.builtins == ["Addon.OpenSettings(script.sessionkeeper)"]


def test_who_logs_in_by_an_add_ons_button_allows_it_the_account(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = shim.load("login")
    keeper = Keeper()
    session = SimpleNamespace(account=VIEWER)
    monkeypatch.setattr(login, "with_password", lambda *_: session)
    login.log_in_for(keeper, "plugin.player")
    assert keeper.done == [("plugin.player", "1", True)]
    monkeypatch.setattr(login, "with_password", lambda *_: None)
    login.log_in_for(keeper, "plugin.other")
    assert len(keeper.done) == 1


@pytest.mark.parametrize(
    ("does", "done"),
    [
        (press(21), [("script.caller", "1", True)]),
        (press(22), [("script.caller", "1", False)]),
        (leave, []),
    ],
)
def test_where_somebody_is_logged_in_the_button_asks(
    shim: Shim,
    monkeypatch: pytest.MonkeyPatch,
    does: Callable[[Any], None],
    done: list[tuple[str, str, bool]],
) -> None:
    monkeypatch.setattr(sessionkeeper, "providers", list, raising=False)
    login, shim.does = shim.load("login"), does
    keeper = Keeper("signed_in", VIEWER)
    login.log_in_for(keeper, "script.caller")
    assert keeper.done == done
    shim.does = leave
    keeper.answers = [Permission("script.caller", "mine", "1", True, 0)]
    login.log_in_for(keeper, "script.caller")
    assert keeper.done == done, "it may already"
