"""What the viewer says about her services, and where it is kept. Over stand-ins for Kodi's
modules.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import InvalidInput, Parameter, ParameterMissing, Provider, UnknownProvider
from tests.kodi.shim import Shim
from tests.kodi.staging import ROOT

SETTINGS = ET.parse(ROOT / "resources" / "settings.xml").getroot()
BASE = Parameter("base", "the address", "https://x.example", None, True)
SUFFIX = Parameter("suffix", "the end", "-ACT", "-ACT", True)
CATALOGUE = [
    Provider("open", "Open", "", ("password",), True, False, "", (BASE, SUFFIX)),
    Provider("closed", "Closed", "", ("password",), True, False, "", ()),
]


def test_no_setting_hides_what_is_typed() -> None:
    """A hidden field would be one for a secret, and Kodi stores settings in clear text."""
    assert not list(SETTINGS.iter("hidden"))


def test_no_service_stands_in_the_settings() -> None:
    files = (ROOT / "resources" / "providers").glob("*.toml")
    written = {
        element.text for element in SETTINGS.iter() if element.tag in ("condition", "option")
    }
    assert not {file.stem for file in files} & written


@pytest.fixture
def opened(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """What keepers were opened for, over a catalogue of two services."""
    opened: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(sessionkeeper, "providers", lambda: CATALOGUE, raising=False)

    def open_one(provider: str, *, parameters: dict[str, str], **_: Any) -> str:
        if provider == "gone":
            raise UnknownProvider("no provider is called 'gone'")
        if provider == "open" and "base" not in parameters:
            raise ParameterMissing("this provider needs 'base': the address")
        if not parameters.get("base", "https://").startswith("https://"):
            raise InvalidInput("only https is used")
        opened.append((provider, parameters))
        return provider

    monkeypatch.setattr(sessionkeeper, "open", open_one)
    shim.kodi_settings = {"usehttpproxy": False}
    return opened


def never() -> bool:
    return False


def test_each_service_gets_what_was_said_about_it(
    shim: Shim, opened: list[tuple[str, dict[str, str]]]
) -> None:
    # One parameter is of an earlier version of the file.
    said = {"open": {"base": "https://shop.example", "issuer": "https://op"}, "other": {"a": "b"}}
    shim.settings = {"parameters": json.dumps(said)}
    settings = shim.load("settings")
    shim.read = lambda: "open"
    assert settings.open_any(never) == ("open", True)
    shim.read = lambda: "closed"
    settings.open_keeper(never)
    settings.open_service("open", {}, never)
    settings.open_service("open", {"base": "https://other.example"}, never)
    base = {"base": "https://shop.example"}
    other = {"base": "https://other.example"}
    assert opened == [("open", base), ("closed", {}), ("open", base), ("open", other)]


@pytest.mark.parametrize(("chosen", "stored"), [("open", "{}"), ("open", "no JSON"), ("gone", "")])
def test_logouts_do_not_wait_for_a_service_that_cannot_be_opened(
    shim: Shim, opened: list[tuple[str, dict[str, str]]], chosen: str, stored: str
) -> None:
    shim.read = lambda: chosen
    shim.settings = {"parameters": stored}
    assert shim.load("settings").open_any(never) == ("angel", False)
    assert opened == [("angel", {})]


def test_what_is_missing_is_named_in_the_viewers_words(
    shim: Shim, opened: list[tuple[str, dict[str, str]]]
) -> None:
    shim.read = lambda: "open"
    with pytest.raises(ParameterMissing) as missing:
        shim.load("settings").open_keeper(never)
    assert missing.value.message == f"{shim.text('parameter_missing')}(Open, the address)"
    assert "https://x.example" in missing.value.hint
    assert opened == []
