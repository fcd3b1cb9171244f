"""The services in the settings: all built-in ones, with what each needs and nothing else. Over
stand-ins for Kodi's modules.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import Parameter, ParameterMissing, Provider
from tests.kodi.shim import Shim
from tests.kodi.staging import ROOT

SETTINGS = ET.parse(ROOT / "resources" / "settings.xml").getroot()


def test_no_setting_hides_what_is_typed() -> None:
    """A hidden field would be one for a secret, and Kodi stores settings in clear text."""
    assert not list(SETTINGS.iter("hidden"))


@pytest.fixture
def opened(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """What keepers were opened for, over a catalogue of two services."""
    opened: list[tuple[str, dict[str, str]]] = []

    def service(name: str, *parameters: Parameter) -> Provider:
        return Provider(name, "", "", ("password",), True, False, "", parameters)

    base = Parameter("base", "", "https://x.example", None)
    suffix = Parameter("suffix", "", "-ACT", "-ACT")
    catalogue = [service("open", base, suffix), service("closed")]
    monkeypatch.setattr(sessionkeeper, "providers", lambda: catalogue, raising=False)

    def open_one(provider: str, *, parameters: dict[str, str], **_: Any) -> str:
        opened.append((provider, parameters))
        return provider

    monkeypatch.setattr(sessionkeeper, "open", open_one)
    shim.kodi_settings = {"usehttpproxy": False}
    return opened


def never() -> bool:
    return False


def test_only_what_the_chosen_service_declares_is_passed_on(
    shim: Shim, opened: list[tuple[str, dict[str, str]]]
) -> None:
    shim.settings = {"parameter_base": " https://shop.example ", "parameter_issuer": "https://op"}
    settings = shim.load("settings")
    shim.read = lambda: "open"
    assert settings.open_any(never) == ("open", True)
    shim.read = lambda: "closed"
    settings.open_keeper(never)
    assert opened == [("open", {"base": "https://shop.example"}), ("closed", {})]


def test_what_is_missing_is_named_by_its_setting(
    shim: Shim, opened: list[tuple[str, dict[str, str]]]
) -> None:
    shim.read = lambda: "open"
    settings = shim.load("settings")
    with pytest.raises(ParameterMissing) as missing:
        settings.open_keeper(never)
    label = shim.text("parameter_base")
    assert missing.value.message == f"{shim.text('parameter_missing')}({label})"
    assert "https://x.example" in missing.value.hint
    # The logouts of other services do not wait for it.
    assert settings.open_any(never) == ("closed", False)
    assert opened == [("closed", {})]
