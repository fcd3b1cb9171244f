"""Where provider files are looked for in Kodi, and the list that is made of them. Over stand-ins
for Kodi's modules, with files on the disk and the core that reads them.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import Account, StoredAccount
from tests.kodi.shim import Shim
from tests.kodi.staging import ADDON_ID, ROOT

UPDATES = "resource.sessionkeeper.providers"
SHOP = (ROOT / "resources" / "providers" / "idempotent.toml").read_text("utf-8")
BASE = '"{base}"'


class Addons:
    """Add-ons on the disk, and what Kodi says of them."""

    def __init__(self, shim: Shim, root: Path) -> None:
        self._shim, self._root = shim, root

    def install(self, addon: str, *needs: str) -> Path:
        self._shim.addons[addon] = f"The {addon}"
        path = self._root / addon
        needed = [{"addonid": one, "version": "1.0.0", "optional": False} for one in needs]
        self._shim.enabled.append({"addonid": addon, "path": f"{path}/", "dependencies": needed})
        return path

    def disable(self, addon: str) -> None:
        del self._shim.addons[addon]
        self._shim.enabled = [one for one in self._shim.enabled if one["addonid"] != addon]


def put(directory: Path, service: str, text: str = SHOP, **keys: object) -> None:
    """A provider file, with these keys at its top."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in keys.items())
    text = text.replace('id = "idempotent"', f'id = "{service}"')
    (directory / f"{service}.toml").write_text(lines + text, encoding="utf-8")


def viewers(service: str, name: str) -> str:
    """The shop for viewers: its address is asked for."""
    text = SHOP.replace('audience = "developer"\n', "").replace("Idempotent logout", name)
    return text.replace("\nexample = ", "\nasked = true\nexample = ", 1)


@pytest.fixture
def addons(shim: Shim, tmp_path: Path) -> Addons:
    shim.addons_root = f"{tmp_path}/addons/"
    shim.profile = f"{tmp_path}/profile/"
    shim.kodi_settings = {"usehttpproxy": False}
    shim.settings = {"log_level": "info"}
    return Addons(shim, tmp_path / "addons")


def test_an_invocation_asks_for_its_own_files_alone(shim: Shim, addons: Addons) -> None:
    addons.install("plugin.other", ADDON_ID)
    root, profile = shim.addons_root, shim.profile
    sources = shim.load("sources")
    own = {"directory": f"{profile}addon_data/{ADDON_ID}/providers", "replaces": "not_newer"}
    callers = {"directory": f"{root}script.caller/resources/sessionkeeper"}
    assert sources.near("script.caller") == [own, {**callers, "addon": "script.caller"}]
    assert sources.near(ADDON_ID) == sources.near("") == [own]
    addons.install(UPDATES)
    updates = {"directory": f"{root}{UPDATES}/resources/providers", "replaces": "older"}
    assert sources.near("") == [updates, own]
    # What the core cannot read is left out.
    shim.profile, shim.addons_root = "smb://nas/profile/", "smb://nas/addons/"
    assert sources.near("script.caller") == []


def test_add_ons_that_require_ours_bring_services(shim: Shim, addons: Addons) -> None:
    addons.install("plugin.b", "xbmc.python", ADDON_ID)
    addons.install("plugin.a", ADDON_ID)
    addons.install("plugin.stranger", "xbmc.python")
    shim.enabled.append({"addonid": "skin.without.anything"})
    found = [one.get("addon") for one in shim.load("sources").everywhere()]
    assert found == [None, "plugin.a", "plugin.b"]


def test_a_service_of_another_add_on_is_found_by_its_id(
    shim: Shim, addons: Addons, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = addons.install("plugin.shop", ADDON_ID)
    put(path / "resources" / "sessionkeeper", "shop")
    given: Any = {"parameters": {"base": "https://shop.example"}, "key_dir": tmp_path / "keys"}
    described = sessionkeeper.open("shop", **given).describe()
    assert (described.name, described.addon) == ("Idempotent logout", "plugin.shop")
    assert ("shop", "plugin.shop") in [(one.id, one.addon) for one in sessionkeeper.providers()]
    addons.disable("plugin.shop")
    with pytest.raises(sessionkeeper.UnknownProvider, match="no provider is called 'shop'"):
        sessionkeeper.open("shop", **given)
    # An add-on's own comes first, and nobody else is asked.
    put(tmp_path / "addons/script.caller/resources/sessionkeeper", "shop")
    monkeypatch.setattr(shim.load("sources"), "everywhere", None)
    assert sessionkeeper.open("shop", **given).describe().addon == "script.caller"


class Keeper:
    def __init__(self, *accounts: StoredAccount) -> None:
        self._accounts = list(accounts)

    def accounts(self, *, all: bool) -> list[StoredAccount]:
        assert all
        return self._accounts


def stored(provider: str) -> StoredAccount:
    account = Account("1", "", "viewer@example.com")
    return StoredAccount(provider, account, True, "signed_in", 0, True, 0)


def test_the_list_is_made_of_the_files(shim: Shim, addons: Addons) -> None:
    files = addons.install("plugin.shop", ADDON_ID) / "resources" / "sessionkeeper"
    put(files, "shop", viewers("shop", "The Shop"))
    # Its client id is nobody's to type.
    put(files, "closed", SHOP.replace('audience = "developer"\n', ""))
    put(files, "angel", SHOP)
    (files / "broken.toml").write_text("id = 7\n")
    (files / "using.toml").write_text(
        'use = "idempotent"\nid = "using"\nname = "Used"\n'
        '[parameters]\nbase = "https://used.example"\n'
    )
    choice = shim.load("service_choice")
    shim.choices = [-1, -1, -1]
    choice.choose(Keeper(stored("angel")))
    from_shop = f"{shim.text('service_from')}(The plugin.shop)"
    first, *others = shim.offered[0]
    assert first == ("Angel Studios", "viewer@example.com")
    assert ("Jellyfin", "") in others
    assert others[-2:] == [("The Shop", from_shop), ("Used", from_shop)]
    assert {line.icon for line in shim.offered[0][:-2]} == {f"/{ADDON_ID}/icon.png"}
    assert [line.icon for line in others[-2:]] == ["/plugin.shop/icon.png"] * 2
    warnings = [line for line, level in shim.log if level == 2]
    assert [words for words in ("angel.toml", "broken.toml:1: ") if words in str(warnings)]
    assert len(warnings) == 2
    # What somebody is logged in to is there, whoever it is for.
    choice.choose(Keeper(stored("idempotent")))
    assert ("Idempotent logout", "viewer@example.com") in shim.offered[1]
    shim.settings["developer_services"] = "true"
    choice.choose(Keeper())
    assert len(shim.offered[2]) >= 10
    addons.disable("plugin.shop")
    shim.choices = [-1]
    choice.choose(Keeper())
    assert from_shop not in [below for _, below in shim.offered[3]]


@pytest.fixture
def written(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What is put into the settings, where it is then read."""
    written: list[dict[str, str]] = []

    def write(values: dict[str, str]) -> None:
        written.append(values)
        shim.settings.update(values)
        shim.read = lambda: shim.settings["provider"]

    monkeypatch.setattr(shim.load("settings"), "write", write)
    return written


def test_what_a_service_needs_is_asked_for_when_it_is_chosen(
    shim: Shim, addons: Addons, written: list[dict[str, str]]
) -> None:
    files = addons.install("plugin.shop", ADDON_ID) / "resources" / "sessionkeeper"
    put(files, "shop", viewers("shop", "The Shop"))
    choice = shim.load("service_choice")
    # A viewer who leaves the keyboard, or types nothing, has chosen nothing.
    for nothing in (None, ""):
        shim.choices, shim.typed = ["The Shop"], [nothing]
        choice.choose(Keeper())
    assert written == []
    shim.choices, shim.typed = ["The Shop"], ["http://shop.example", "https://shop.example"]
    choice.choose(Keeper())
    heading = "The Shop: the address of the service"
    assert shim.keyboards[2:] == [(heading, ""), (heading, "http://shop.example")]
    assert "only https is used" in shim.told[-1]
    said = {"shop": {"base": "https://shop.example"}}
    assert written == [{"provider": "shop", "parameters": json.dumps(said)}]
    # It is known from now on, and can be said anew.
    shim.choices = ["The Shop"]
    choice.choose(Keeper())
    shim.typed = ["https://elsewhere.example"]
    choice.set_up(Keeper())
    assert shim.keyboards[4:] == [(heading, "https://shop.example")]
    assert json.loads(written[-1]["parameters"]) == {"shop": {"base": "https://elsewhere.example"}}


def test_a_secret_is_asked_for_at_the_login_and_put_nowhere(
    shim: Shim, addons: Addons, written: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = addons.install("plugin.shop", ADDON_ID) / "resources" / "sessionkeeper"
    secret = '[parameters.key]\nabout = "your key"\nexample = "k"\nasked = true\nsecret = true\n'
    shop = viewers("shop", "The Shop").replace(
        'flow = "password"\n', 'flow = "password"\nheaders = { X-Key = "{key}" }\n'
    )
    put(files, "shop", f"{shop}\n{secret}")
    choice = shim.load("service_choice")
    shim.choices, shim.typed = ["The Shop"], ["https://shop.example"]
    choice.choose(Keeper())
    assert len(shim.keyboards) == 1
    said = {"shop": {"base": "https://shop.example"}}
    assert written == [{"provider": "shop", "parameters": json.dumps(said)}]
    with pytest.raises(sessionkeeper.ParameterMissing):
        shim.load("settings").open_keeper(lambda: False)
    asked: list[str] = []
    answers = iter(("", "s3cret"))

    def ask(heading: str) -> str:
        asked.append(heading)
        return next(answers)

    monkeypatch.setattr(choice.dialogs, "ask_secret", ask)
    assert choice.open_for_login("shop", {}) is None
    assert choice.open_for_login("shop", {}).describe().name == "The Shop"
    assert asked == ["The Shop: your key"] * 2
    assert "s3cret" not in str(written)


def test_the_set_up_shows_what_was_said(
    shim: Shim, addons: Addons, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = addons.install("plugin.shop", ADDON_ID) / "resources" / "sessionkeeper"
    put(files, "shop", viewers("shop", "The Shop"))
    display = shim.load("status_display")
    shown: dict[str, str] = {}
    monkeypatch.setattr(display.settings_file, "write", shown.update)
    shim.read = lambda: "shop"
    status = SimpleNamespace(usable=False, state="signed_out", account=None, pending_revocations=0)
    keeper = SimpleNamespace(status=lambda: status)
    display.show(keeper, complete=False)
    incomplete = {"service_label": "The Shop", "has_setup": "true", "setup_label": ""}
    assert shown.items() >= {**incomplete, "account_label": shim.text("state_incomplete")}.items()
    said = {"shop": {"base": "https://shop.example"}}
    shim.settings["parameters"] = json.dumps(said)
    display.show(keeper, complete=False)
    assert shown["setup_label"] == "https://shop.example"
    addons.disable("plugin.shop")
    display.show(keeper, complete=False)
    gone = {"service_label": "shop", "has_setup": "false"}
    assert shown.items() >= {**gone, "account_label": shim.text("state_unavailable")}.items()
