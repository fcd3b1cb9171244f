"""Services that another add-on brings: in the list while it is switched on; and whoever is logged
in there can log out all the same.
"""

from __future__ import annotations

import shutil

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.staging import ROOT, place_script
from tests.kodi.viewer import Viewer
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
PLAYER = "script.sessionkeeper.test.player"
SHOP = "The Shop"
# The details of the focused line in Kodi's own list.
BELOW = "Container(6).ListItem.Label2"
ASSETS = "<assets><icon>icon.png</icon></assets>"


@pytest.fixture
def provider_id() -> str:
    return "idempotent"


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi, server: StandIn) -> Kodi:
    """Of a viewer who has chosen nothing yet."""
    kodi = unstarted_kodi
    kodi.say({}, developer_services="false")
    source = kodi.home / "sources" / PLAYER
    place_script(source, "Player", "", ASSETS)
    shutil.copy(ROOT / "resources" / "icon.png", source)
    files = source / "resources" / "sessionkeeper"
    files.mkdir(parents=True)
    (files / "shop-player.toml").write_text(
        f'use = "idempotent"\nid = "shop-player"\nname = "{SHOP}"\n'
        f'[parameters]\nbase = "{server.parameters["base"]}"\n'
    )
    (files / "broken.toml").write_text('id = "broken"\nfrobnicate = true\n')
    kodi.add_addon(source)
    return kodi


def listed(kodi: Kodi, viewer: Viewer) -> dict[str, str]:
    """The services in the list, with the words below each."""
    viewer.press_setting("Service")
    found = {}
    for line in viewer.lines():
        kodi.remote.walk_to(line, whole=True)
        found[line] = kodi.remote.label(BELOW)
    kodi.remote.walk_to("Angel Studios", whole=True)
    return found


def leave_list(kodi: Kodi, viewer: Viewer) -> None:
    kodi.remote.press("Back")
    viewer.wait_for_settings()


def switch(kodi: Kodi, *, on: bool) -> None:
    kodi.rpc("Addons.SetAddonEnabled", addonid=PLAYER, enabled=on)


def test_a_service_comes_and_goes_with_its_add_on(kodi: Kodi, viewer: Viewer) -> None:
    found = listed(kodi, viewer)
    kodi.screenshot("57-service-of-an-add-on")
    assert found == {"Angel Studios": "", SHOP: "From Player"}
    assert "broken.toml:2: frobnicate: unknown field" in kodi.log()
    leave_list(kodi, viewer)
    switch(kodi, on=False)
    assert listed(kodi, viewer) == {"Angel Studios": ""}
    leave_list(kodi, viewer)
    switch(kodi, on=True)
    assert SHOP in listed(kodi, viewer)
    leave_list(kodi, viewer)


def test_whoever_is_logged_in_logs_out_without_the_add_on(
    kodi: Kodi, viewer: Viewer, server: StandIn
) -> None:
    viewer.choose_service(SHOP)
    assert "- Set-up" not in viewer.shown_settings()
    viewer.log_in(NAME, PASSWORD)
    assert [one["email"] for one in server.sessions() if one["alive"]] == [NAME]
    viewer.leave_settings()
    switch(kodi, on=False)
    kodi.quit()
    kodi.start()
    # Its own definition is kept with the session.
    assert listed(kodi, viewer) == {"Angel Studios": "", SHOP: NAME}
    leave_list(kodi, viewer)
    viewer.log_out()
    assert not [one for one in server.sessions() if one["alive"]]
    assert viewer.notifications() == ["Logged out"]
    viewer.choose_service("Angel Studios")
    assert listed(kodi, viewer) == {"Angel Studios": ""}
    leave_list(kodi, viewer)
